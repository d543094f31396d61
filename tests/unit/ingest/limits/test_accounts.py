"""Token buckets and accounts: what they let in, and how little they remember."""

import pytest

from pointq.ingest.limits.accounts import Accounts
from pointq.ingest.limits.addresses import counted_as
from pointq.ingest.limits.plan import Marks, Rates
from pointq.ingest.limits.pressure import Load, Refused, judged
from pointq.ingest.limits.tally import Tally
from pointq.ingest.problems import Problem


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("?", "?"),
    ],
)
def test_an_ipv6_address_counts_as_its_network(address: str, counts_as: str) -> None:
    assert counted_as(address) == counts_as


def test_a_burst_then_the_rate() -> None:
    clock = Clock()
    accounts = Accounts("token", Rates(requests=2), Tally(clock), burst_seconds=2, clock=clock)
    for _ in range(4):
        accounts.admit("anna")
    with pytest.raises(Problem, match="more requests came with this token than the 2 a second"):
        accounts.admit("anna")
    clock.now += 0.5
    accounts.admit("anna")
    with pytest.raises(Problem):
        accounts.admit("anna")
    accounts.admit("ben")


def test_points_that_overdraw_are_paid_back() -> None:
    clock = Clock()
    accounts = Accounts("token", Rates(points=10), Tally(clock), burst_seconds=1, clock=clock)
    accounts.admit("anna").spend(100)
    with pytest.raises(Problem) as refused:
        accounts.admit("anna")
    assert refused.value.headers["Retry-After"] == "10"
    clock.now += 9.2
    accounts.admit("anna")


def test_ever_new_names_fill_nothing() -> None:
    accounts = Accounts("address", Rates(requests=1), Tally(), most=10)
    for number in range(1000):
        accounts.admit(str(number))
    assert len(accounts) == 10
    assert len(accounts.changed(1000)) == 10


def test_what_strangers_are_called_does_not_reach_redis() -> None:
    accounts = Accounts("address", Rates(requests=1), Tally())
    accounts.admit("x\r\n" * 1000)
    ((name, _),) = accounts.changed(10)
    assert name.startswith("address:requests:")
    assert len(name) == len("address:requests:") + 24
    assert accounts.changed(10) == []


def test_half_a_surrogate_pair_does_not_end_the_sharing() -> None:
    """What was gathered together with it was lost, of all others too."""
    accounts = Accounts("token", Rates(requests=1), Tally())
    for whose in ("anna", "jwt:\ud800", "jwt:\ud801"):
        accounts.admit(whose)
    assert len({name for name, _ in accounts.changed(10)}) == 3


def test_marks_hold_until_it_is_well_below_them() -> None:
    points, memory = Marks(100, 200), Marks(85)
    nothing = Refused()
    assert judged(Load(100, 85), points, memory, nothing) == nothing
    over = judged(Load(101, None), points, memory, nothing)
    assert (over.bulk, over.live) == ("more than 100 points wait already", None)
    assert judged(Load(96, None), points, memory, over).bulk
    assert judged(Load(95, None), points, memory, over) == nothing
    assert judged(Load(0, 86), points, memory, nothing).bulk == "the memory of Redis is more than 85 % full"
    assert judged(Load(0, 100), points, memory, over) == nothing, "a full one refuses by itself"
