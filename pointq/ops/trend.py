"""Whether a lane keeps up: OK, LAGGING or STALLED, from what was seen of it in the last half minute.

The rule, for looks one after the other, without a gap in which Redis did not answer:

- **stalled**: something waits, and nothing left the lane for ten seconds: at each of the last three looks the rate out, a mean
  over ten seconds, is 0, and the oldest point is ten seconds old or older. It ends when nothing waits, or points left at each
  of the last five looks: a worker that dies again and again does not end it.
- **lagging**: the lane grows and does not only swell for a moment. The looks of the last 30 seconds are cut into three parts of
  ten; the least that waited in each part is more than in the part before, and in the last a tenth more than in the first; and
  the oldest point is five seconds old or older. The least counts, since a burst that is stored before the next one comes leaves
  nothing in between. It ends when the last part's least is no more than the first's, or the oldest point is younger than 2.5 s.
- **ok** otherwise. A backlog that shrinks is ok, however old it is: age has an alert of its own, `pointq check`.

What begins a state is harder to meet than what keeps it, so that it does not flap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Trend = Literal["ok", "lagging", "stalled"]

WINDOW_SECONDS = 30.0
"""What a trend is judged by."""

_FEWEST = 3
"""Looks before anything is said."""
_PARTS = 3
_FEWEST_IN_PART = 2
"""Where looks are rare, the window is longer."""
_NEARLY = 0.9
"""Of the window must have been seen; looks do not come on the dot."""

_STALLED_AGE = 10.0
_LEAVING_LOOKS = 5
_GROWTH = 1.1
_LAGGING_AGE = 5.0
_KEEPS_UP_AGE = 2.5


@dataclass(frozen=True, slots=True)
class Sample:
    """What one look saw of a lane."""

    at: float
    """Seconds, by any clock that does not jump."""
    waiting: int
    """Points not yet stored."""
    oldest_age: float | None
    """Seconds; None where nothing waits."""
    in_rate: float
    out_rate: float
    """Points a second, both means over ten seconds."""


def trend(samples: Sequence[Sample], before: Trend | None = None) -> Trend | None:
    """The trend after the last of these looks, oldest first; `before` is what it was after the one before.

    None where there are too few looks to tell.
    """
    if len(samples) < _FEWEST:
        return None
    if _stalled(samples, is_stalled=before == "stalled"):
        return "stalled"
    return "lagging" if _lagging(samples, is_lagging=before == "lagging") else "ok"


def _stalled(samples: Sequence[Sample], *, is_stalled: bool) -> bool:
    if not samples[-1].waiting:
        return False
    if is_stalled:
        return not all(sample.out_rate for sample in samples[-_LEAVING_LOOKS:])
    return all(sample.waiting and not sample.out_rate and _age(sample) >= _STALLED_AGE for sample in samples[-_FEWEST:])


def _lagging(samples: Sequence[Sample], *, is_lagging: bool) -> bool:
    age = _age(samples[-1])
    if age < (_KEEPS_UP_AGE if is_lagging else _LAGGING_AGE):
        return False
    least = _least(_window(samples))
    if least is None:
        return is_lagging
    first, middle, last = least
    return last > first if is_lagging else first < middle < last and last >= first * _GROWTH


def _age(sample: Sample) -> float:
    return sample.oldest_age or 0.0


def _window(samples: Sequence[Sample]) -> Sequence[Sample]:
    """The looks of the last half minute, or the last few where they are rarer."""
    first = samples[-1].at - WINDOW_SECONDS
    recent = sum(sample.at >= first for sample in samples)
    return samples[-max(recent, _PARTS * _FEWEST_IN_PART) :]


def _least(window: Sequence[Sample]) -> list[int] | None:
    """The least that waited in each third of the window; None where too little was seen."""
    start, span = window[0].at, window[-1].at - window[0].at
    if span < WINDOW_SECONDS * _NEARLY:
        return None
    parts: list[list[int]] = [[] for _ in range(_PARTS)]
    for sample in window:
        parts[min(int((sample.at - start) / span * _PARTS), _PARTS - 1)].append(sample.waiting)
    return [min(part) for part in parts] if all(parts) else None
