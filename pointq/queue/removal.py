"""Removing batches for good, as long as they are as they were seen."""

from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from pointq import aio
from pointq.queue.connection import translated
from pointq.queue.lanes import GROUP
from pointq.queue.scripts import script

if TYPE_CHECKING:
    from collections.abc import Iterable

    from redis.asyncio import Redis

    from pointq.queue.browse import State
    from pointq.queue.lanes import Lane

_STEP = 200
"""Batches that one script removes: the server stands still for a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A batch as it was seen."""

    id: str
    points: int
    state: "State"
    holder: str | None


async def remove(
    redis: "Redis", url: str, lane: "Lane", marks: "Iterable[Mark]", *, dead: bool, force: bool = False
) -> AsyncGenerator[tuple[Mark, int], None]:
    """Remove batches of a lane, or dead letters of it, and say of each what happened.

    1: it is removed, and its points are counted as purged; 0: it was not there any more; -1: a worker took it since it was
    seen, so it stays. With `force` it goes whoever has it.

    Raises RedisError: what was told until then is done, what came behind may be.
    """
    keys = [lane.dead if dead else lane.stream, lane.counters]
    rest = iter(marks)
    while step := list(islice(rest, _STEP)):
        arguments: list[Any] = ["" if dead else GROUP, int(force), *_flat(step)]
        aio.check_cancelled()
        with translated(url):
            # a Ctrl-C must not leave unknown what a step did that the server carries out all the same
            results = await aio.finished(script(redis, "purge")(keys, arguments))
        for mark, result in zip(step, results, strict=True):
            yield mark, result


def _flat(marks: "Iterable[Mark]") -> Iterator[str | int]:
    for mark in marks:
        yield from (mark.id, mark.points, mark.state, mark.holder or "")
