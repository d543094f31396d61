"""A door before a server: a proxy that lets data through late or not at all, cuts its lines, refuses new ones, all on command.

A trap cuts one line at a chosen byte. The fault suite and ``bench e2e --faults`` put one before each server.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

T = TypeVar("T")

HOST = "127.0.0.1"
Address = Path | tuple[str, int]
"""A Unix socket, or a host and port."""

_CHUNK_BYTES = 65_536
_QUEUED_CHUNKS = 64
"""Chunks that are on their way at a time, as on a wire with latency."""
_Chunk = tuple[float, bytes]
"""When it is due on the other side, and what it is."""
_COMMAND_SECONDS = 10.0
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no time: closing sends a reset, not an end."""


@dataclass(slots=True)
class Trap:
    """Cuts one line: so many bytes behind what the client asked, or in the middle of the first answer that holds some bytes."""

    asked: bytes
    after: int | None = None
    """Bytes that still go to the server; None: all of them do, and the answer is cut."""
    answered: bytes = b""
    sprung: threading.Event = field(default_factory=threading.Event)


@dataclass(eq=False, slots=True)
class _Line:
    behind: int | None = None
    """Bytes behind what the trap looks for; None until it came."""


class _CutError(Exception):
    """The trap has sprung."""


class Door:
    """Stands between clients and a server; its methods are called from another thread than its own.

    Clients come to a port of this machine, or to the Unix socket `path`, which its folder must keep from others: a server that
    listens on a Unix socket is opened to whoever can come to its door.
    """

    def __init__(self, target: Address, path: Path | None = None) -> None:
        self.delay = 0.0
        """Seconds that data takes in each direction."""
        self._target = target
        self._path = path
        self._lines: set[asyncio.Task[None]] = set()
        self._trap: Trap | None = None
        self._listener: socket.socket | None = None
        # never listens: it keeps the port, and lets it refuse, while the door is shut
        self._holder = _bound(0) if path is None else None
        self.port = 0 if self._holder is None else int(self._holder.getsockname()[1])
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"door of {target}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.flow()
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_COMMAND_SECONDS)
        self._loop.close()
        if self._holder is not None:
            self._holder.close()

    def open(self) -> None:
        """Take new lines."""
        self._do(self._open())

    def refuse(self) -> None:
        """Cut every line and refuse new ones, as a host on which no server runs."""
        self._do(self._refuse())

    def cut(self) -> None:
        """Reset every line; new ones are taken."""
        self._do(self._cut())

    def hold(self) -> None:
        """Let nothing through: lines stay, new ones are taken, no answer comes."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def flow(self) -> None:
        """Let everything through again."""
        self._loop.call_soon_threadsafe(self._flows.set)

    def set(self, trap: Trap) -> Trap:
        """Lay a trap; the first line that meets its conditions springs it."""
        self._trap = trap
        return trap

    def clear(self) -> None:
        """Take away a trap that has not sprung."""
        self._trap = None

    def _do(self, command: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(command, self._loop).result(_COMMAND_SECONDS)

    async def _open(self) -> None:
        if self._listener is None:
            self._listener = _bound(self.port) if self._path is None else _bound_to(self._path)
            self._listener.listen(128)
            self._loop.add_reader(self._listener, self._accept, self._listener)

    async def _refuse(self) -> None:
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        await self._cut()

    async def _cut(self) -> None:
        tasks = tuple(self._lines)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(BlockingIOError, ConnectionError):
            client, _ = listener.accept()
            client.setblocking(False)
            if self._path is None:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            task = asyncio.ensure_future(self._serve(client))
            self._lines.add(task)
            task.add_done_callback(partial(self._closed, client))

    def _closed(self, client: socket.socket, task: asyncio.Task[None]) -> None:
        # here, since a task that is cancelled before it begins runs no `finally`
        client.close()
        self._lines.discard(task)

    async def _serve(self, client: socket.socket) -> None:
        server = None
        try:
            server = await self._reach()
            line = _Line()
            up, down = asyncio.Queue[_Chunk](_QUEUED_CHUNKS), asyncio.Queue[_Chunk](_QUEUED_CHUNKS)
            await self._first_of(
                self._receive(client, up),
                self._receive(server, down),
                self._send(server, up, partial(self._up, line)),
                self._send(client, down, partial(self._down, line)),
            )
            # it ended by itself, so it ends in good order
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
        except (OSError, _CutError):
            return
        finally:
            if server is not None:
                server.close()

    async def _reach(self) -> socket.socket:
        """A line to the server. Raises OSError."""
        if isinstance(self._target, Path):
            return await self._connected(socket.socket(socket.AF_UNIX), str(self._target))
        host, port = self._target
        *others, last = await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for family, kind, protocol, _, address in others:
            # localhost is often ::1 first, where the server need not listen
            with suppress(OSError):
                return await self._connected(socket.socket(family, kind, protocol), address)
        family, kind, protocol, _, address = last
        return await self._connected(socket.socket(family, kind, protocol), address)

    async def _connected(self, server: socket.socket, address: Any) -> socket.socket:  # noqa: ANN401 - its form is the family's
        server.setblocking(False)
        try:
            await self._loop.sock_connect(server, address)
        except BaseException:
            server.close()
            raise
        if server.family != socket.AF_UNIX:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return server

    async def _receive(self, source: socket.socket, chunks: asyncio.Queue[_Chunk]) -> None:
        data = b"-"
        while data:
            data = await self._loop.sock_recv(source, _CHUNK_BYTES)
            await chunks.put((self._loop.time() + self.delay, data))
        # the line is over when the other side has all of it
        await self._loop.create_future()

    async def _send(self, sink: socket.socket, chunks: asyncio.Queue[_Chunk], limit: Callable[[bytes], int | None]) -> None:
        while True:
            due, data = await chunks.get()
            await asyncio.sleep(max(due - self._loop.time(), 0))
            await self._flows.wait()
            if not data:
                return
            most = limit(data)
            await self._loop.sock_sendall(sink, data[:most])
            if most is not None:
                raise _CutError

    def _up(self, line: _Line, data: bytes) -> int | None:
        trap = self._trap
        if trap is None:
            return None
        if line.behind is None:
            at = data.find(trap.asked)
            if at < 0:
                return None
            line.behind = -(at + len(trap.asked))
        if trap.after is not None and line.behind + len(data) > trap.after:
            self._spring(trap)
            return trap.after - line.behind
        line.behind += len(data)
        return None

    def _down(self, line: _Line, data: bytes) -> int | None:
        trap = self._trap
        if trap is None or trap.after is not None or line.behind is None or trap.answered not in data:
            return None
        self._spring(trap)
        return len(data) // 2

    def _spring(self, trap: Trap) -> None:
        self._trap = None
        trap.sprung.set()

    async def _first_of(self, *halves: Coroutine[Any, Any, None]) -> None:
        tasks = [asyncio.ensure_future(half) for half in halves]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()


def _bound(port: int) -> socket.socket:
    """A socket on that port, or on any for 0, which others of this process may have too."""
    bound = socket.socket(socket.AF_INET)
    bound.setblocking(False)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((HOST, port))
    return bound


def _bound_to(path: Path) -> socket.socket:
    """A Unix socket there, in place of an older one, which refuses by now."""
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX)
    bound.setblocking(False)
    bound.bind(str(path))
    return bound
