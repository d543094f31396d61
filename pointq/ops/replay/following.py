"""What became of the batches that were put back: waits until all have left the queue, then looks which died again."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pointq.aio import Sleep
from pointq.errors import WaitTimeout
from pointq.ops.replay.report import Reason
from pointq.queue.lanes import Lane
from pointq.queue.producer import Producer
from pointq.queue.shelves import Lying, Shelves

_LOOK_SECONDS = 0.1
_ASKED = 200
"""Entries that are asked for at a time."""


@dataclass(slots=True)
class Entries:
    """The entries that a replay made, by lane, where it will be asked what became of them."""

    followed: bool
    ids: defaultdict[Lane, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, lane: Lane, entry_id: str) -> None:
        """Remember one."""
        if self.followed:
            self.ids[lane].append(entry_id)


async def settled(
    producer: Producer,
    entries: Entries,
    patience: float,
    tell: Callable[[int], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Wait until all have left the queue; `tell` is told how many are left.

    Raises WaitTimeout where none of them leaves for `patience` seconds, RedisError.
    """
    left, since = sum(map(len, entries.ids.values())), clock()
    for lane, ids in entries.ids.items():
        for start in range(0, len(ids), _ASKED):
            asked = ids[start : start + _ASKED]
            before = len(asked)
            while now := await producer.remaining(lane, asked):
                if now < before:
                    left, before, since = left - before + now, now, clock()
                elif clock() - since > patience:
                    raise _not_in_time(left, patience)
                tell(left)
                await sleep(_LOOK_SECONDS)
            left, since = left - before, clock()


async def died_again(shelves: Shelves, entries: Entries, behind: dict[Lane, str]) -> list[Reason]:
    """Which of them came back as dead letters, by reason; `behind` are the ids of the last ones before the replay."""
    found: defaultdict[str, list[Lying]] = defaultdict(list)
    for lane, ids in entries.ids.items():
        mine = frozenset(ids)
        async for page in shelves.walk(lane, "dead", f"({behind[lane]}", "+"):
            for letter in page:
                if letter.fields.get("id") in mine:
                    found[letter.fields.get("sqlstate", "")].append(letter)
    return [_reason(sqlstate, letters) for sqlstate, letters in found.items()]


def _reason(sqlstate: str, letters: Sequence[Lying]) -> Reason:
    message, points = letters[-1].fields.get("message", ""), sum(letter.points for letter in letters)
    counts = (letter.fields.get("count", "1") for letter in letters)
    return Reason(sqlstate, message, len(letters), points, max(int(count) if count.isdigit() else 1 for count in counts))


def _not_in_time(left: int, patience: float) -> WaitTimeout:
    return WaitTimeout(
        f"{left} of the batches that were put back wait still, and none was stored for {patience:g} s; they stay in the queue",
        hint="see `pointq status`; `pointq work` starts a worker",
    )
