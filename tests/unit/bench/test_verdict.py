"""Whether a broken promise would be seen: each kind of it, made up."""

from collections.abc import Sequence

import numpy as np
import pytest

from pointq.ops.bench.clients import Client, Device, Sent
from pointq.ops.bench.verdict import Verdict, judged
from pointq.points.flights import Flight
from pointq.points.kinds import UPLOAD

POISON = 12


def client() -> Client:
    """Points 0 to 9 accepted, 10 to 14 accepted with one poison, 15 to 19 unanswered."""
    sent = [Sent(0, 10, 202, "queue", 0.1), Sent(10, 5, 202, "spool", 0.1, POISON), Sent(15, 5, None, None, 0.1)]
    return Client(Device(UPLOAD, 5, 1.0), Flight.of("upload", "one"), sent)


GOOD = [*range(POISON), 13, 14]


@pytest.mark.parametrize(
    ("rows", "dead", "broken"),
    [
        (GOOD, [POISON], {}),
        ([*GOOD, *range(15, 20)], [POISON], {}),
        (GOOD[1:], [POISON], {"lost_points": 1}),
        (GOOD, [], {"lost_points": 1}),
        ([*GOOD, 3], [POISON], {"repeated_points": 1}),
        ([*GOOD, 20, -1], [POISON], {"strange_points": 2}),
        (GOOD[1:], [0, POISON], {"wrongly_dead_points": 1}),
    ],
    ids=["all well", "unanswered and stored", "lost", "poison lost", "twice", "never sent", "dead without reason"],
)
def test_a_broken_promise_is_seen(rows: Sequence[int], dead: Sequence[int], broken: dict[str, int]) -> None:
    verdict = Verdict(**judged(client(), np.array(rows), np.array(dead, np.int64)), miscounted_flights=0)

    zero = dict.fromkeys(("lost_points", "repeated_points", "strange_points", "wrongly_dead_points"), 0)
    assert {name: getattr(verdict, name) for name in zero} == zero | broken
    assert verdict.is_good is (not broken)
    assert (verdict.accepted_points, verdict.poison_points) == (15, 1)
