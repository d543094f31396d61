"""Moments that people type."""

from datetime import UTC, datetime

import pytest

from pointq.cli.moments import parse_moment
from pointq.errors import UsageError

NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30min", "2026-06-21T11:30:00+00:00"),
        ("1.5 h", "2026-06-21T10:30:00+00:00"),
        ("2d", "2026-06-19T12:00:00+00:00"),
        ("5", "2026-06-21T11:59:55+00:00"),
        (" 2026-06-20T12:00Z", "2026-06-20T12:00:00+00:00"),
        ("2026-06-20T12:00:00.25+02:00", "2026-06-20T10:00:00.250000+00:00"),
    ],
)
def test_moments(text: str, expected: str) -> None:
    assert parse_moment(text, NOW).isoformat() == expected


@pytest.mark.parametrize("text", ["", "yesterday", "-2h", "999999w", "2026-13-01T00:00Z", "2026-06-20", "2026-06-20T12:00"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(UsageError, match="is no time") as caught:
        parse_moment(text, NOW)
    assert "with its offset or Z" in str(caught.value.hint)
