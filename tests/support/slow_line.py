"""A line on which every byte arrives later than it was sent, as over a mobile network."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue

_HOST = "127.0.0.1"
_CHUNK = 65536


@contextmanager
def slow_line(to: str, delay: float) -> Iterator[int]:
    """A port of this machine that leads to a Unix socket; what is sent takes `delay` seconds, either way."""
    with socket.create_server((_HOST, 0)) as listener:
        threading.Thread(target=_accept, args=(listener, to, delay), daemon=True).start()
        yield int(listener.getsockname()[1])
        # closing alone does not wake who waits for a connection
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, to: str, delay: float) -> None:
    with suppress(OSError):
        while True:
            near, _ = listener.accept()
            far = socket.socket(socket.AF_UNIX)
            far.connect(to)
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=_carry, args=(source, target, delay), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket, delay: float) -> None:
    sent: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
    threading.Thread(target=_deliver, args=(sent, target), daemon=True).start()
    data = b"."
    while data:
        try:
            data = source.recv(_CHUNK)
        except OSError:
            data = b""
        sent.put((time.monotonic() + delay, data))


def _deliver(sent: "SimpleQueue[tuple[float, bytes]]", target: socket.socket) -> None:
    with suppress(OSError), target:
        while True:
            due, data = sent.get()
            time.sleep(max(due - time.monotonic(), 0))
            if not data:
                target.shutdown(socket.SHUT_WR)
                return
            target.sendall(data)
