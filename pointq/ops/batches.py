"""A batch wherever it lies: in a lane, among the dead letters, in a spool, in an export."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from pointq.clock import rfc3339
from pointq.errors import FrameError
from pointq.points import frame
from pointq.points.batch import PointBatch
from pointq.queue.browse import Seen
from pointq.spool.look import Spooled


@dataclass(frozen=True, slots=True)
class Failure:
    """One time that the database refused points as data."""

    at: str | None
    sqlstate: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch, and what is known of it; what does not apply is None."""

    kind: str | None
    """None where a damaged record of a spool does not tell."""
    shard: int | None
    queue: str | None
    """The lane's stream."""
    id: str
    """Of its entry; in a spool, slot, segment and offset."""
    state: str
    """``ready``, ``pending``, ``dead`` or ``spool``."""
    points: int | None
    frame: bytes = field(repr=False)
    age_seconds: float | None = None
    """Since it was put where it is: for a dead letter, since the database refused it."""
    deliveries: int | None = None
    held_by: str | None = None
    idle_seconds: float | None = None
    holder_alive: bool | None = None
    """Whether its holder still says that it lives."""
    sqlstate: str | None = None
    message: str | None = None
    first_seen: str | None = None
    """When it was accepted, RFC 3339."""
    last_seen: str | None = None
    """When the database refused it."""
    failures: tuple[Failure, ...] = ()
    """All times that it was refused, the last one last."""
    reason: str | None = None
    """Why there is no frame."""


def from_seen(seen: Seen, living: Collection[str] = ()) -> Batch:
    """A batch of a lane; `living` are the workers that beat."""
    lane = seen.lane
    batch = Batch(
        lane.kind.name,
        lane.shard,
        lane.stream,
        seen.id,
        seen.state,
        seen.points,
        seen.frame,
        age_seconds=round(seen.age, 3),
        deliveries=seen.deliveries,
        # one that was put back says when it was accepted, and how it was refused before
        first_seen=_seconds(seen.text("first_seen")) or rfc3339(seen.made_at),
        failures=_history(seen.text("failures")),
    )
    return _dead(batch, seen) if seen.state == "dead" else _held(batch, seen, living)


def _held(batch: Batch, seen: Seen, living: Collection[str]) -> Batch:
    if seen.holder is None:
        return batch
    return replace(batch, held_by=seen.holder, idle_seconds=seen.idle_seconds, holder_alive=seen.holder in living)


def _dead(batch: Batch, seen: Seen) -> Batch:
    last = seen.text("last_seen")
    sqlstate, message = seen.text("sqlstate"), seen.text("message")
    died = _seconds(last) or rfc3339(seen.made_at)
    return replace(
        batch,
        sqlstate=sqlstate,
        message=message,
        first_seen=_seconds(seen.text("first_seen")),
        last_seen=died,
        failures=(*batch.failures, Failure(died, sqlstate, message)),
    )


def from_spool(spooled: Spooled, now: float) -> Batch:
    """A record of a spool; `now` is Unix seconds."""
    made = None if spooled.time_us is None else spooled.time_us / 1e6
    return Batch(
        spooled.kind,
        None,
        None,
        f"{spooled.slot}/{spooled.segment}/{spooled.at}",
        "spool",
        spooled.points,
        spooled.frame,
        age_seconds=None if made is None else round(max(now - made, 0.0), 3),
        first_seen=None if made is None else rfc3339(made),
        reason=spooled.reason,
    )


def decoded(batch: Batch) -> PointBatch | str:
    """Its points, or why there are none."""
    if batch.reason is not None:
        return batch.reason
    try:
        return frame.decode(batch.frame)
    except FrameError as exc:
        return exc.message


def _history(text: str | None) -> tuple[Failure, ...]:
    """Former refusals, ``[{"at": Unix seconds as text, "sqlstate", "message"}]``; none where someone wrote something else."""
    try:
        former = json.loads(text or "[]")
        return tuple(Failure(_seconds(each["at"]), each["sqlstate"], each["message"]) for each in former)
    except (ValueError, TypeError, KeyError):
        return ()


def _seconds(text: str | None) -> str | None:
    """A time of a dead letter; None where someone wrote something else there by hand."""
    try:
        return None if text is None else rfc3339(float(text))
    except (ValueError, OverflowError, OSError):
        return None
