from datetime import UTC, datetime

import pytest

from pointq.cli.times import moment, seconds
from pointq.errors import UsageError

NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30min", "2026-06-21T11:30:00+00:00"),
        ("1.5 h", "2026-06-21T10:30:00+00:00"),
        ("2d", "2026-06-19T12:00:00+00:00"),
        ("2026-06-20", "2026-06-20T00:00:00+00:00"),
        ("2026-06-20T12:00Z", "2026-06-20T12:00:00+00:00"),
        ("2026-06-20T12:00+02:00", "2026-06-20T10:00:00+00:00"),
    ],
)
def test_moments(text: str, expected: str) -> None:
    assert moment(text, NOW).isoformat() == expected


@pytest.mark.parametrize("text", ["", "yesterday", "5", "-2h", "999999w", "2026-13-01"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        moment(text, NOW)


@pytest.mark.parametrize(("text", "expected"), [("90", 90), ("90s", 90), ("10min", 600), ("4h", 14_400)])
def test_lengths(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "h", "ten", "-5", "1e3", "²"])
def test_what_is_no_length(text: str) -> None:
    with pytest.raises(UsageError, match="is no length of time"):
        seconds(text)
