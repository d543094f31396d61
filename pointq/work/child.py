"""A worker process that another process started: ``python -m pointq.work.child``.

What it is to do comes as one line of JSON on its standard input, so that no password is in its arguments or environment. The
input stays open for as long as the parent lives: when it ends, however the parent died, the child finishes what it read and
ends too.
"""

import os
import signal
import sys
import threading
from dataclasses import dataclass
from typing import Literal

import orjson

from pointq import logs
from pointq.errors import ExitCode
from pointq.points.kinds import KINDS
from pointq.queue.lanes import Lane
from pointq.work.process import Plan, run


@dataclass(frozen=True, slots=True)
class Orders:
    """A plan, and how to log."""

    plan: Plan
    log_level: str
    log_format: Literal["auto", "human", "json"]
    no_color: bool

    def to_json(self) -> bytes:
        """One line that `from_json` understands."""
        lanes = [(lane.kind.name, lane.shard) for lane in self.plan.lanes]
        orders = {"log_level": self.log_level, "log_format": self.log_format, "no_color": self.no_color}
        fields = {name: getattr(self.plan, name) for name in self.plan.__dataclass_fields__}
        return orjson.dumps({**orders, "plan": fields | {"lanes": lanes}}, option=orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def from_json(cls, line: bytes) -> "Orders":
        """What the parent wrote."""
        orders = orjson.loads(line)
        fields = orders.pop("plan")
        lanes = [Lane.of(KINDS[kind], shard, fields["prefix"]) for kind, shard in fields.pop("lanes")]
        return cls(Plan(lanes=lanes, **fields), **orders)


def main() -> None:
    """Read the orders and work."""
    line = sys.stdin.buffer.readline()
    if not line:
        return
    orders = Orders.from_json(line)
    logs.configure(orders.log_level, orders.log_format, no_color=orders.no_color)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        run(orders.plan)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    finally:
        # the work is over: a signal that comes late must not end in a traceback of the interpreter's own exit
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
