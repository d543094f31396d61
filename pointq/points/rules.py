"""Rules for positions and times that hold for every kind, and words for a value that breaks a rule."""

from pointq.points.columns import is_text
from pointq.points.kinds import Column, ColumnType
from pointq.points.shown import shown, shown_text
from pointq.points.times import NAT, explain_time, parse_time

DAY_US = 86_400_000_000

FIRST_TIME = 315_532_800_000_000
"""1980-01-01T00:00:00Z in microseconds; the GPS epoch is five days later, so nothing before it is a fix."""
POWER_UP_DAY = 946_684_800_000_000
"""2000-01-01T00:00:00Z in microseconds; on that day are the clocks of receivers that have not yet seen a satellite."""
LONGEST_AHEAD_US = DAY_US
"""How far ahead of the server's clock a fix may be: a local time sent as UTC is at most 14 hours off."""

_LABELS = {"lat": "latitude", "lon": "longitude"}


def explain(column: Column, value: object, now_us: int) -> str:
    """Why that value of a column was rejected, given that it was."""
    if value is None:
        return f"{_label(column)} is required, but missing"
    match column.type:
        case ColumnType.TIME:
            return _explain_time(column, value, now_us)
        case ColumnType.BOOL:
            return f"{_label(column)} must be true or false, found {shown(value)}"
        case ColumnType.TEXT:
            return _explain_text(column, value)
        case _:
            return _explain_number(column, value)


def _label(column: Column) -> str:
    return _LABELS.get(column.name, column.json)


def _explain_number(column: Column, value: object) -> str:
    label = _label(column)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{label} must be a number, found {shown(value)}"
    if column.minimum is not None and column.maximum is not None and not column.minimum <= value <= column.maximum:
        unit = f" {column.unit}" if column.unit else ""
        return f"{label} must be between {column.minimum:.0f} and {column.maximum:.0f}{unit}, found {shown(value)}"
    if column.type is ColumnType.INT:
        return f"{label} must be a whole number, found {shown(value)}"
    return "latitude and longitude are both 0: the receiver had no position"


def _explain_text(column: Column, value: object) -> str:
    label = _label(column)
    if not isinstance(value, str):
        return f"{label} must be a text, found {shown(value)}"
    if not is_text(value):
        return f"{label} must be text without NUL and without halves of surrogate pairs, found {shown_text(value)}"
    return f"{label} must be at most {column.max_bytes} bytes of UTF-8, found {len(value.encode())}: {shown_text(value)}"


def _explain_time(column: Column, value: object, now_us: int) -> str:
    time = parse_time(value)
    if time == NAT or not column.required:
        return explain_time(value)
    if time < FIRST_TIME:
        return f"time is before 1980, when there was no GPS: {shown(value)}"
    if time > now_us + LONGEST_AHEAD_US:
        return f"time is more than 24 h ahead of the server's clock: {shown(value)}"
    return f"time is on 2000-01-01, where a receiver's clock stands until it has seen a satellite: {shown(value)}"
