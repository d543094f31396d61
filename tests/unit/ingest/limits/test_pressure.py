"""When points are refused for want of room, and when they are taken again."""

from collections.abc import Sequence

import pytest

from pointq.ingest.limits.plan import Marks
from pointq.ingest.limits.pressure import Load, Refused, judged

POINTS, MEMORY = Marks(1_000, 2_000), Marks(85.0, 95.0)


@pytest.mark.parametrize(
    ("waiting", "percent", "refused"),
    [
        (1_000, 85.0, ()),
        (1_001, 0.0, ("bulk",)),
        (2_001, 0.0, ("bulk", "live")),
        (0, 85.1, ("bulk",)),
        (0, 95.1, ("bulk", "live")),
        (0, 100.0, ()),  # full: Redis refuses by itself, and points go the other ways
        (1_001, 100.0, ("bulk",)),
        (0, None, ()),
    ],
)
def test_bulk_points_are_refused_first(waiting: int, percent: float | None, refused: Sequence[str]) -> None:
    found = judged(Load(waiting, percent), POINTS, MEMORY, Refused())
    assert [kind for kind in ("bulk", "live") if getattr(found, kind)] == list(refused)


def test_a_mark_is_left_well_under_it() -> None:
    refused = judged(Load(1_001, 86.0), POINTS, MEMORY, Refused())
    assert judged(Load(951, 0.0), POINTS, MEMORY, refused).bulk == "more than 1,000 points wait already"
    assert judged(Load(0, 82.0), POINTS, MEMORY, refused).bulk == "the memory of Redis is more than 85 % full"
    assert judged(Load(950, 80.0), POINTS, MEMORY, refused) == Refused()


def test_without_marks_nothing_is_refused() -> None:
    assert judged(Load(10**9, 99.9), Marks(), Marks(), Refused()) == Refused()
