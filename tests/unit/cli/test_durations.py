import pytest

from pointq.cli.durations import parse_duration
from pointq.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("15m", 900), ("15 min", 900), ("2h", 7_200), ("1.5h", 5_400), ("7d", 604_800), ("1W", 604_800)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "-1h", "1y", "1h30", "∞", "nan", "1e3"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="is no duration"):
        parse_duration(text)
