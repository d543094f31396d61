"""Limits as they are written."""

import pytest

from pointq.config.limits import Limit, limit, limits


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30:120", Limit(30, 120)),
        (" 30 : 120 ", Limit(30, 120)),
        ("30", Limit(30, None)),
        ("30:", Limit(30, None)),
        (":120", Limit(None, 120)),
        ("0.5:1", Limit(0.5, 1)),
        ("0:", Limit(0, None)),
        ("off", Limit()),
        ("OFF", Limit()),
    ],
)
def test_a_limit(text: str, expected: Limit) -> None:
    assert limit(text) == expected


def test_limits_of_priorities() -> None:
    assert limits("30:120") == dict.fromkeys((1, 2, 3), Limit(30, 120))
    assert limits("1=5:10, 60:") == {1: Limit(5, 10), 2: Limit(60), 3: Limit(60)}
    assert limits("1=5:10") == {1: Limit(5, 10), 2: Limit(), 3: Limit()}
    assert limits("2=off,1:2") == {1: Limit(1, 2), 2: Limit(), 3: Limit(1, 2)}


@pytest.mark.parametrize("text", ["", ":", "a", "1:2:3", "-1", "nan", "inf:1", "4=1:2", "=1", "1=", "1=1=1", "1,,2"])
def test_what_is_no_limit_says_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected WARNING:CRITICAL such as 30:120"):
        limits(text)
