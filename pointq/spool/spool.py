"""The spool, as an event loop sees it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from pointq.errors import SpoolError
from pointq.spool.directory import Directory, Room, Taken, open_directory
from pointq.spool.files import Files, told
from pointq.spool.group import Group
from pointq.spool.record import Record
from pointq.spool.segment import START
from pointq.spool.slots import Orphans, claim
from pointq.spool.stats import Stats, inspect

MOST_BYTES = 2**30
"""How much one process spools by default: an hour of 40,000 points a second at 7 bytes."""
SEGMENT_BYTES = 2**24
"""A segment goes to the disk's free space as a whole, so small enough to be soon read, large enough to be few."""

P = ParamSpec("P")
T = TypeVar("T")


def _now_us() -> int:
    return time.time_ns() // 1000


class Spool:
    """One process's slot of a spool, and what dead processes left in theirs. Make it with `open`."""

    def __init__(
        self, root: Path, own: Directory, orphans: Orphans, thread: ThreadPoolExecutor, limits: tuple[int, int]
    ) -> None:
        self._root = root
        self._own = own
        self._orphans = orphans
        self._thread = thread
        self._most_bytes, segment_bytes = limits
        self._group = Group(self._write, segment_bytes)
        self._closed = False

    @classmethod
    async def open(
        cls,
        root: Path,
        *,
        most_bytes: int = MOST_BYTES,
        segment_bytes: int = SEGMENT_BYTES,
        files: Files | None = None,
        now_us: Callable[[], int] = _now_us,
    ) -> "Spool":
        """Take the first free slot of that root, recovering what is in it.

        `most_bytes` bounds the segments of the slot, what is found there included. Raises SpoolError.
        """
        files = files or Files()
        opening = partial(open_directory, files=files, segment_bytes=segment_bytes, now_us=now_us)
        thread = ThreadPoolExecutor(1, "spool")
        try:
            with told("be opened", root):
                own = await asyncio.get_running_loop().run_in_executor(thread, claim, root, files, opening)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(root, own, Orphans(root, own.folder, opening), thread, (most_bytes, segment_bytes))

    @property
    def slot(self) -> int:
        """The number of this process's slot."""
        return int(self._own.folder.name)

    @property
    def bytes(self) -> int:
        """Bytes in this process's own slot, those on their way included."""
        return self._own.bytes + self._group.bytes

    async def append(self, records: Sequence[Record]) -> None:
        """Append records; when it returns, they are on the disk, whatever happens then.

        Raises SpoolError where the spool is full or the disk fails: they may be there nonetheless, and sending them again is
        harmless.
        """
        self._check_open()
        if not records:
            return
        self._check_room(sum(record.size for record in records))
        await self._group.append(records)

    async def take(self, *, records: int = 64, max_bytes: int = 4 * 2**20) -> Taken | None:
        """The oldest records of this slot or, if it is empty, of a slot whose owner is dead; None if there are none.

        At most so many records and bytes of frames, but always one. Until they are committed, the same come again. Raises
        SpoolError.
        """
        self._check_open()
        room = Room(records, max_bytes)
        with told("be read", self._own.folder):
            taken = await self._run(self._own.take, room)
        return taken or await self._run(self._orphans.take, room)

    async def commit(self, taken: Taken) -> None:
        """The records were handed on: they do not come again, not in another process either. Raises SpoolError."""
        self._check_open()
        with told("note what was read", taken.directory.folder):
            await self._run(taken.directory.commit, taken.position)

    async def stats(self) -> Stats:
        """What all slots of the root hold. Raises SpoolError. A disk that hangs makes it wait: bound it."""
        # not in the spool's own thread: a status does not wait for an fsync
        return await asyncio.to_thread(inspect, self._root)

    async def close(self) -> None:
        """Finish the appends that have begun and give the slot back. May be called twice."""
        if self._closed:
            return
        self._closed = True
        await self._group.settle()
        await self._run(self._orphans.close)
        await self._run(self._own.close)
        self._thread.shutdown()

    async def _write(self, records: Sequence[Record]) -> None:
        with told("take records", self._own.folder):
            await self._run(self._own.append, records)

    async def _run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(function, *args, **kwargs))

    def _check_open(self) -> None:
        if self._closed:
            raise SpoolError(f"the spool in {self._own.folder} is closed")

    def _check_room(self, size: int) -> None:
        if self.bytes + size + START > self._most_bytes:
            raise SpoolError(
                f"the spool is full: {self.bytes} of {self._most_bytes} bytes in {self._own.folder} wait for Redis, and {size} "
                "more do not fit",
                hint="bring Redis back, and the spool drains by itself; or allow it more bytes",
            )
