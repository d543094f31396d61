"""Looking at batches where they lie: nothing is taken, nothing is changed, and never much is in memory."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pointq import aio
from pointq.queue.connection import translated
from pointq.queue.lanes import GROUP, Lane
from pointq.queue.scripts import script

if TYPE_CHECKING:
    from redis.asyncio import Redis

State = Literal["ready", "pending", "dead"]
STATES: tuple[State, ...] = ("pending", "ready", "dead")
"""In the order in which they are shown, the oldest points first."""

_PAGE_ENTRIES = 250
_PAGE_BYTES = 4 * 1024 * 1024
"""One step ends behind the entry that passes it, so it may take the eight largest frames more."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One batch as it lies in a lane or among its dead letters."""

    lane: Lane
    state: State
    id: str
    points: int
    """As counted when it was appended."""
    seen_at: float
    """Unix seconds by the clock of Redis."""
    fields: Mapping[bytes, bytes] = field(repr=False)
    holder: str | None = None
    """The worker that has it; a pending batch without one was released by hand, and nobody will take it."""
    idle_seconds: float | None = None
    """For so long its holder has not touched it."""
    deliveries: int = 0

    @property
    def frame(self) -> bytes:
        """Its frame; empty where none was asked for, or someone added an entry of another form by hand."""
        return self.fields.get(b"f", b"")

    @property
    def made_at(self) -> float:
        """When it was put there, Unix seconds: accepted, or, for a dead letter, refused by the database."""
        return id_parts(self.id)[0] / 1000

    @property
    def age(self) -> float:
        """Seconds since it was put there."""
        return max(self.seen_at - self.made_at, 0.0)

    def text(self, name: str) -> str | None:
        """A field of a dead letter."""
        value = self.fields.get(name.encode())
        return None if value is None else value.decode("utf8", "replace")


@dataclass(frozen=True, slots=True)
class Span:
    """A range of ids in a lane's stream, or among its dead letters."""

    first: str
    last: str
    dead: bool = False


@dataclass(frozen=True, slots=True)
class _Page:
    now: float
    delivered: str
    newest: str
    entries: Sequence[Any]


class Browser:
    """Walks over lanes. Every call raises RedisError."""

    def __init__(self, redis: "Redis", url: str) -> None:
        self._redis = redis
        self._url = url

    async def walk(self, lane: Lane, states: Sequence[State], *, frames: bool = True) -> AsyncGenerator[Seen, None]:
        """The batches of a lane in those states, in the order of `STATES`.

        What comes in meanwhile is left out. A batch that a worker takes meanwhile comes once, or not at all where that is no
        state of those asked for.
        """
        spans = await self.spans(lane)
        for state in STATES:
            if state in states:
                async for seen in self.between(lane, spans[state], frames=frames):
                    if seen.state in states:
                        yield seen

    async def spans(self, lane: Lane) -> dict[State, Span]:
        """Where the batches of each state are now. What is ready may be pending when it is read."""
        queue, dead = await self._page(lane.stream, GROUP, "-", "+", most=0), await self._page(lane.dead, "", "-", "+", most=0)
        return {
            "pending": Span("-", queue.delivered),
            # up to where they are now, or a busy producer would never let a walk end
            "ready": Span(f"({queue.delivered}", queue.newest),
            "dead": Span("-", dead.newest, dead=True),
        }

    async def between(
        self, lane: Lane, span: Span, *, frames: bool = True, page_entries: int = _PAGE_ENTRIES
    ) -> AsyncGenerator[Seen, None]:
        """The batches from one id to another."""
        stream, group = (lane.dead, "") if span.dead else (lane.stream, GROUP)
        first = span.first
        while True:
            aio.check_cancelled()
            page = await self._page(stream, group, first, span.last, frames=frames, most=page_entries)
            for raw in page.entries:
                yield _seen(lane, page, raw, dead=span.dead)
            if not page.entries:
                return
            first = f"({page.entries[-1][0].decode()}"

    async def _page(self, stream: str, group: str, first: str, last: str, *, most: int, frames: bool = False) -> _Page:
        arguments: list[str | int] = [group, first, last, most, _PAGE_BYTES, int(frames)]
        with translated(self._url):
            time, delivered, newest, entries = await script(self._redis, "look")([stream], arguments)
        return _Page(int(time[0]) + int(time[1]) / 1e6, delivered.decode(), newest.decode(), entries)


def id_parts(entry_id: str) -> tuple[int, int]:
    """The id of an entry as numbers that sort as the server sorts: milliseconds since 1970, and a count."""
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)


def _seen(lane: Lane, page: _Page, raw: Any, *, dead: bool) -> Seen:  # noqa: ANN401 - Redis replies are untyped
    entry_id, flat, holder, idle, deliveries = raw
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    points = fields.get(b"n", b"")
    name = entry_id.decode()
    ready = not holder and id_parts(name) > id_parts(page.delivered)
    count = fields.get(b"deliveries", b"0") if dead else deliveries
    return Seen(
        lane,
        "dead" if dead else "ready" if ready else "pending",
        name,
        int(points) if points.isdigit() else 0,
        page.now,
        fields,
        holder.decode() or None,
        idle / 1000 if holder else None,
        int(count),
    )
