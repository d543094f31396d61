"""Files on their way: read in chunks, asked for in the ledger, parsed at several at a time, given out in the sources' order.

What is in memory is bounded by bytes, not by files: a chunk, the next one, and what the reader works on.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pointq.errors import PointqError
from pointq.ops.importing.options import Options
from pointq.ops.importing.readers import Reader
from pointq.ops.importing.reading import ReadFile, Task, unread
from pointq.ops.importing.report import FileReport
from pointq.ops.source import Source

_CHUNK_BYTES = 16 * 1024 * 1024
_CHUNK_FILES = 256
"""Files that the ledger is asked for at a time."""


Key = tuple[bytes, str]
"""What a file is called in the ledger: BLAKE2b of its bytes, 32 bytes, and the signature of the options."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes, and what they are called in the ledger."""

    source: Source
    key: Key
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that could not even be opened."""

    source: Source
    error: PointqError


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file that was read, or that the ledger knows."""

    file: ReadFile
    content: Content | None
    """None where it was not read, or the ledger knows it."""


Known = Callable[[Sequence[Content]], Awaitable[Mapping[Key, FileReport]]]
"""Which of those files need not be imported again."""


class Pipeline:
    """Reads sources ahead of whoever takes the files."""

    def __init__(
        self, reader: Reader, known: Known, options: Options, shards: int, stop: asyncio.Event, *, keeps_rejects: bool
    ) -> None:
        self._stop = stop
        self._reader = reader
        self._known = known
        self._options = options
        self._shards = shards
        self._keeps_rejects = keeps_rejects
        self._open: set[asyncio.Task[Arrived]] = set()

    async def files(self, sources: Iterable[Source]) -> AsyncGenerator[Arrived]:
        """The files, in order; when it is told to stop, none but the one at hand. Raises what the reader raises."""
        slots: asyncio.Queue[asyncio.Task[Arrived]] = asyncio.Queue(2 * self._reader.jobs)
        feeder = asyncio.create_task(self._feed(sources, slots))
        stopped = asyncio.create_task(self._stop.wait())
        try:
            while slot := await _next(slots, feeder, stopped):
                yield await slot
        finally:
            left = [feeder, stopped, *self._open, *_drained(slots)]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _feed(self, sources: Iterable[Source], slots: "asyncio.Queue[asyncio.Task[Arrived]]") -> None:
        chunks = self._chunks(sources)
        while chunk := await asyncio.to_thread(next, chunks, None):
            known = await self._known([content for content in chunk if isinstance(content, Content)])
            for content in chunk:
                task = asyncio.create_task(self._arrive(content, known))
                self._open.add(task)
                task.add_done_callback(self._open.discard)
                await slots.put(task)

    def _chunks(self, sources: Iterable[Source]) -> Iterator[list[Content | Unread]]:
        chunk: list[Content | Unread] = []
        size = 0
        for source in sources:
            content = self._content(source)
            chunk.append(content)
            size += len(content.data) if isinstance(content, Content) else 0
            if size >= _CHUNK_BYTES or len(chunk) >= _CHUNK_FILES:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _content(self, source: Source) -> Content | Unread:
        try:
            data = source.read()
        except PointqError as exc:
            return Unread(source, exc)
        digest = hashlib.blake2b(data, digest_size=32).digest()
        return Content(source, (digest, self._options.signature(source.file_name)), data)

    async def _arrive(self, content: Content | Unread, known: Mapping[Key, FileReport]) -> Arrived:
        if isinstance(content, Unread):
            return Arrived(unread(content.source, content.error), None)
        if (report := known.get(content.key)) is not None:
            return Arrived(ReadFile(replace(report, file=content.source.name)), None)
        task = Task(
            content.source.name,
            content.source.file_name,
            content.data,
            self._options,
            time.time_ns() // 1000,
            self._shards,
            keeps_rejects=self._keeps_rejects,
            was_named=content.source.was_named,
        )
        return Arrived(await self._reader.read(task), content)


async def _next(
    slots: "asyncio.Queue[asyncio.Task[Arrived]]", feeder: "asyncio.Task[None]", stopped: "asyncio.Task[bool]"
) -> "asyncio.Task[Arrived] | None":
    """The next slot; None when the feeder has ended, or it is told to stop. Raises what the feeder met."""
    if slots.empty():
        getting = asyncio.create_task(slots.get())
        await asyncio.wait({getting, feeder, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if getting.done():
            return getting.result()
        getting.cancel()
        if feeder.done():
            await feeder
        return None
    return slots.get_nowait()


def _drained(slots: "asyncio.Queue[asyncio.Task[Arrived]]") -> Iterator["asyncio.Task[Arrived]"]:
    while not slots.empty():
        yield slots.get_nowait()
