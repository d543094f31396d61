"""Clocks: this machine's, Redis's, the database's."""

from collections.abc import Iterator

from pointq.ops.doctor.finding import Finding, fail, ok, warn
from pointq.ops.doctor.registry import check
from pointq.ops.doctor.sources.clocks import ClockPair, Offset
from pointq.ops.doctor.sources.database import DatabaseClock
from pointq.ops.doctor.sources.queue import QueueClock

_NOTICED = 1.0
"""Seconds: ages and rates that are shown are wrong by so much."""
_WRONG = 300.0
"""Seconds: beyond this it is no drift, but a clock that nobody sets."""

_WHY = "ages, the limits on times of points and the order of what happened are read off several clocks"
_MEND = "let NTP set the clocks of all machines: timedatectl set-ntp true"


@check("clocks.redis", QueueClock, what="how far Redis's clock is off", why=_WHY, mend=_MEND)
def redis(clock: QueueClock) -> Iterator[Finding]:
    """Against this machine's."""
    yield _judged("Redis's clock", "this machine's", clock.offset)


@check("clocks.database", DatabaseClock, what="how far the database's clock is off", why=_WHY, mend=_MEND)
def database(clock: DatabaseClock) -> Iterator[Finding]:
    """Against this machine's."""
    yield _judged("the database's clock", "this machine's", clock.offset)


@check("clocks.servers", ClockPair, what="how far the servers' clocks are apart", why=_WHY, mend=_MEND)
def servers(clocks: ClockPair) -> Iterator[Finding]:
    """Against each other."""
    yield _judged("the database's clock", "Redis's", clocks.database.minus(clocks.redis))


def _judged(whose: str, than: str, offset: Offset) -> Finding:
    """Only what the measurement cannot explain counts."""
    sure = abs(offset.seconds) - offset.uncertainty
    direction = "ahead of" if offset.seconds > 0 else "behind"
    said = f"{whose} is {_seconds(abs(offset.seconds))} {direction} {than}, ± {_seconds(offset.uncertainty)}"
    if sure < _NOTICED:
        return ok(said)
    return warn(said) if sure < _WRONG else fail(said)


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value >= 1 else f"{value * 1000:.1f} ms"
