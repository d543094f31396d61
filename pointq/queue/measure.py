"""What a lane holds and how fast it moves, in one step that reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pointq.queue.connection import translated
from pointq.queue.scripts import script

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from pointq.queue.lanes import Lane

_SLOTS = 16
_RATE_SECONDS = 10
"""Full seconds that a rate is the mean of; under the 16 that the ring of rates keeps."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One lane, at one moment. Points are counted, ages are in seconds, rates in points a second."""

    ready_batches: int
    ready_points: int
    pending_batches: int
    pending_points: int
    oldest_age: float | None
    dead_batches: int
    dead_points: int
    accepted_points: int
    stored_points: int
    duplicate_points: int
    rejected_points: int
    lost_points: int
    """Points that waited when the server lost its data."""
    purged_points: int
    """Accepted points that an operator removed."""
    in_rate: float
    out_rate: float
    completed_at: int | None
    """Unix seconds of the last completion."""
    lost_at: int | None
    """Unix seconds of when the last such loss was noticed."""


async def measure(redis: "Redis", url: str, lane: "Lane") -> Measure:
    """Measure a lane. Raises RedisError."""
    (found,) = await measure_all(redis, url, [lane])
    return found


async def measure_all(redis: "Redis", url: str, lanes: "Sequence[Lane]") -> list[Measure]:
    """Measure lanes, each at a moment of its own, on one connection and in one turn. Raises RedisError."""
    ask = script(redis, "measure")
    with translated(url):
        async with redis.pipeline(transaction=False) as asking:
            for lane in lanes:
                await ask([lane.stream, lane.counters, lane.rates], client=asking)
            answers = await asking.execute()
    return [interpret(float(now), _pairs(counters), _pairs(rates), oldest.decode()) for now, counters, rates, oldest in answers]


def interpret(now: float, counters: Mapping[str, str], rates: Mapping[str, str], oldest: str) -> Measure:
    """What the numbers of a lane mean at `now`, Unix seconds of the server's clock."""

    def count(name: str) -> int:
        return int(counters.get(name, 0))

    return Measure(
        # what others put into the stream was never counted
        ready_batches=max(count("ready_batches"), 0),
        ready_points=max(count("ready_points"), 0),
        pending_batches=count("pending_batches"),
        pending_points=count("pending_points"),
        oldest_age=max(now - int(oldest.partition("-")[0]) / 1000, 0.0) if oldest else None,
        dead_batches=count("dead_batches"),
        dead_points=count("dead_points"),
        accepted_points=count("accepted_points"),
        stored_points=count("stored_points"),
        duplicate_points=count("duplicate_points"),
        rejected_points=count("rejected_points"),
        lost_points=max(count("lost_points"), 0),
        purged_points=count("purged_points"),
        in_rate=_rate(now, rates, "in"),
        out_rate=_rate(now, rates, "out"),
        completed_at=count("completed_at") or None,
        lost_at=count("lost_at") or None,
    )


def _rate(now: float, rates: Mapping[str, str], direction: str) -> float:
    """The mean over the last full seconds; the current one is not over yet."""
    first = int(now) - _RATE_SECONDS
    slots = (slot for slot in range(_SLOTS) if first <= int(rates.get(f"at:{slot}", 0)) < int(now))
    return sum(int(rates.get(f"{direction}:{slot}", 0)) for slot in slots) / _RATE_SECONDS


def _pairs(flat: list[bytes]) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in zip(flat[::2], flat[1::2], strict=True)}
