import pytest

from pointq.cli.curves import curve, gathered


def test_the_base_line_is_zero_and_what_is_not_zero_stands_above_it() -> None:
    assert curve([0, 1, 500, 1000], 4) == ["▁▂▄█"]
    assert curve([999, 1000], 2) == ["██"]
    assert curve([0, 0], 2) == ["▁▁"]


def test_the_newest_is_at_the_right() -> None:
    assert curve([8, 8], 5) == ["   ██"]
    assert curve([8, 8, 0], 2) == ["█▁"]


def test_a_gap_is_no_zero() -> None:
    assert curve([8, None, 8], 3) == ["█·█"]
    assert curve([None], 3, rows=2) == ["   ", "  ·"]
    assert curve([], 3) == ["   "]


def test_higher_curves_show_more_levels() -> None:
    assert curve([0, 8, 16, 12], 4, rows=2) == ["  █▄", "▁███"]


@pytest.mark.parametrize("together", [1, 2, 5])
def test_looks_stay_in_their_groups_as_time_goes_by(together: int) -> None:
    values: list[float | None] = [float(i % 7) for i in range(20)]
    groups = gathered(values, together)

    for more in range(together):
        assert gathered([*values, *[99.0] * more], together)[: 20 // together] == groups[: 20 // together]


def test_a_group_is_as_high_as_its_highest_and_a_gap_only_where_nothing_is_known() -> None:
    assert gathered([1, None, None, None, 3, 2], 2) == [1, None, 3]
