"""What is known of a batch, whoever wrote its entry."""

import pytest

from pointq.ops.batches import Failure, from_seen
from pointq.points.kinds import UPLOAD
from pointq.queue.browse import Seen, State
from pointq.queue.lanes import Lane

HISTORY = b'[{"at": "1750000000.5", "sqlstate": "22003", "message": "out of range"}]'
FORMER = Failure("2025-06-15T15:06:40.500Z", "22003", "out of range")


def seen(state: State, **fields: bytes) -> Seen:
    return Seen(Lane.of(UPLOAD), state, "1760000000000-0", 3, 1_760_000_010.0, {k.encode(): v for k, v in fields.items()})


def test_one_that_was_put_back_tells_how_it_was_refused() -> None:
    batch = from_seen(seen("ready", failures=HISTORY, first_seen=b"1740000000"))

    assert (batch.failures, batch.first_seen, batch.age_seconds) == ((FORMER,), "2025-02-19T21:20:00.000Z", 10.0)


def test_one_that_was_refused_again_has_all_of_it() -> None:
    batch = from_seen(seen("dead", failures=HISTORY, last_seen=b"1755000000", sqlstate=b"23514", message=b"no"))

    assert batch.failures == (FORMER, Failure("2025-08-12T12:00:00.000Z", "23514", "no"))


@pytest.mark.parametrize("history", [b"", b"x", b"3", b"{}", b"[1]", b'[{"at": 3}]', b"\xff"])
def test_a_history_that_is_none(history: bytes) -> None:
    assert from_seen(seen("ready", failures=history)).failures == ()


@pytest.mark.parametrize("time", [b"", b"soon", b"1e300", b"nan"])
def test_times_that_are_none(time: bytes) -> None:
    batch = from_seen(seen("dead", first_seen=time, last_seen=time))

    assert (batch.first_seen, batch.last_seen) == (None, "2025-10-09T08:53:20.000Z")
