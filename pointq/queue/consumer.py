"""Take batches from lanes, and give account of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pointq.queue.connection import translated
from pointq.queue.lanes import GROUP, Lane
from pointq.queue.ledger import Heard, Ledger
from pointq.queue.scripts import script

if TYPE_CHECKING:
    from redis.asyncio import Redis

_MOST_ENTRIES = 2_000
"""Entries that one script hands out, however few points they hold: the server stands still for some 20 ms at most."""
_MOST_RECLAIMED = 100
"""Entries that one reclaiming step takes over."""
_MOST_KEPT = 1_000
"""Entries that one script keeps alive."""
_LONGEST_WAIT = 1.0
"""Seconds of one blocking read; under the client's timeout, which would take a longer silence for a server that hangs."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One batch as a worker holds it: a frame that nobody else gets while its claim is alive."""

    lane: Lane
    id: str
    points: int
    frame: bytes
    deliveries: int = 1
    former: str | None = None
    """The worker that it was taken over from."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Points that the database refuses as data, with the reason."""

    source: Entry
    frame: bytes
    points: int
    sqlstate: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the points of some entries of one lane."""

    entries: Sequence[Entry]
    stored: int
    duplicates: int
    dead: Sequence[DeadLetter] = ()


@dataclass(frozen=True, slots=True)
class Retention:
    """How long, and how much of each lane, stored batches are kept."""

    seconds: float
    bytes: int


class Consumer:
    """One worker in the consumer group; with a `retention` it keeps what is stored for a while."""

    def __init__(self, redis: "Redis", url: str, name: str, *, retention: Retention | None = None) -> None:
        self.name = name
        self.ledger = Ledger(redis, url)
        self._retention = retention
        self._redis = redis
        self._url = url
        self._scripts = {n: script(redis, n) for n in ("deliver", "reclaim", "complete", "keep_alive", "leave")}

    async def read(self, lane: Lane, points: int) -> tuple[list[Entry], str]:
        """The next entries of a lane, about that many points, and the id to `wait` behind when there are none."""
        entries, last = await self._run("deliver", [lane.stream, lane.counters], [GROUP, self.name, points, _MOST_ENTRIES])
        return [_entry(lane, raw) for raw in entries], last.decode()

    async def wait(self, behind: Mapping[str, str], seconds: float) -> bool:
        """Wait until any of the streams has an entry behind that id, at most so long and a second. It takes nothing."""
        block = max(int(min(seconds, _LONGEST_WAIT) * 1000), 1)
        streams: dict[Any, Any] = dict(behind)
        with translated(self._url):
            reply = await self._redis.xread(streams, count=1, block=block)
        return bool(reply)

    async def reclaim(self, lane: Lane, idle_seconds: float, points: int, cursor: str = "0-0") -> tuple[list[Entry], str]:
        """Entries that nobody has touched for so long, about that many points, and where to go on; ``0-0`` at the end."""
        following, entries, deliveries, owners = await self._run(
            "reclaim",
            [lane.stream, lane.counters],
            [GROUP, self.name, int(idle_seconds * 1000), cursor, points, _MOST_RECLAIMED],
        )
        taken = zip(entries, deliveries, owners, strict=True)
        return [_entry(lane, raw, count, owner.decode()) for raw, count, owner in taken], following.decode()

    async def complete(self, lane: Lane, outcome: Outcome) -> int:
        """Remove the entries, count their points and keep the dead letters; how many entries were still in the group."""
        arguments: list[Any] = [GROUP, outcome.stored, outcome.duplicates, len(outcome.entries)]
        for entry in outcome.entries:
            arguments += [entry.id, entry.points]
        arguments.append(len(outcome.dead))
        for letter in outcome.dead:
            arguments += [
                letter.source.id,
                letter.points,
                letter.frame,
                letter.source.deliveries,
                letter.sqlstate,
                letter.message,
                str(_milliseconds(letter.source.id) / 1000),
            ]
        keys = [lane.stream, lane.counters, lane.rates, lane.dead]
        if self._retention is not None:
            keys.append(lane.retained)
            arguments += [self._retention.seconds, self._retention.bytes]
        removed, totals = await self._run("complete", keys, arguments)
        self.ledger.hear(lane, Heard.of(totals))
        return int(removed)

    async def late(self, lane: Lane, outcome: Outcome) -> int:
        """Entries were gone when they were to be completed; how many of their points Redis had lost, and are stored."""
        last = max(_milliseconds(entry.id) for entry in outcome.entries)
        return await self.ledger.late(lane, last, outcome.stored, outcome.duplicates)

    async def keep_alive(self, lane: Lane, ids: Iterable[str]) -> int:
        """Say that these entries are still worked on; how many of them this worker still holds."""
        kept = list(ids)
        parts = (kept[start : start + _MOST_KEPT] for start in range(0, len(kept), _MOST_KEPT))
        return sum([int(await self._run("keep_alive", [lane.stream], [GROUP, self.name, *part])) for part in parts])

    async def waiting(self, lane: Lane) -> int:
        """How many batches of a lane are not stored yet, ready or held by any worker."""
        with translated(self._url):
            count: int = await self._redis.xlen(lane.stream)
        return count

    async def leave(self, lane: Lane, silent_seconds: float) -> None:
        """Remove this consumer, and those silent for so long, unless they hold entries."""
        await self._run("leave", [lane.stream], [GROUP, self.name, int(silent_seconds * 1000)])

    async def _run(self, name: str, keys: list[str], arguments: list[Any]) -> Any:  # noqa: ANN401 - Redis replies are untyped
        with translated(self._url):
            return await self._scripts[name](keys, arguments)


def _entry(lane: Lane, raw: Any, deliveries: int = 1, former: str | None = None) -> Entry:  # noqa: ANN401 - Redis replies are untyped
    # someone may have added an entry of another form by hand: its frame, empty or not, will be found to be none
    entry_id, fields = raw
    values = dict(zip(fields[::2], fields[1::2], strict=True))
    points = values.get(b"n", b"")
    return Entry(lane, entry_id.decode(), int(points) if points.isdigit() else 0, values.get(b"f", b""), deliveries, former)


def _milliseconds(entry_id: str) -> int:
    """When an entry was made, Unix milliseconds, from its id."""
    return int(entry_id.partition("-")[0])
