"""A child that says that it is ready, and then again and again that it lives."""

import sys
import time

from pointq.supervision.job import Alive, Ready

if __name__ == "__main__":
    sys.stdin.buffer.readline()
    sys.stdout.buffer.write(Ready().to_json())
    while True:
        sys.stdout.buffer.write(Alive("talks").to_json())
        sys.stdout.buffer.flush()
        time.sleep(0.2)
