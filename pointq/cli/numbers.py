"""Numbers, ages and sizes as people read them."""

_SHORT = 99_999.5
_NEXT_UNIT = 999.5
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def count(value: float | None) -> str:
    """``1 234 567``; a dash for what is not known."""
    return "-" if value is None else f"{value:,.0f}".replace(",", " ")


def counted(number: int, one: str, many: str = "") -> str:
    """``1 batch``, ``1 234 batches``: a number with what is counted; `many` where that is not `one` with an s."""
    return f"{count(number)} {one if number == 1 else many or f'{one}s'}"


def batches_of(batches: int, points: int) -> str:
    """``1 batch of 3 points``."""
    return f"{counted(batches, 'batch', 'batches')} of {counted(points, 'point')}"


def short(value: float | None) -> str:
    """At most six characters: ``99 999``, ``123 k``, ``1.23 M``; a dash for what is not known."""
    if value is None or value < _SHORT:
        return count(value)
    for unit in ("k", "M", "G"):  # noqa: B007 - the last one serves all that is larger
        value /= 1000
        if value < _NEXT_UNIT:
            break
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0  # noqa: PLR2004 - three figures
    return f"{value:.{digits}f} {unit}"


def rate(value: float | None) -> str:
    """Points a second."""
    if value is None:
        return "-"
    return f"{value:.1f}" if 0 < value < 10 else count(value)  # noqa: PLR2004 - below ten the decimal says something


def age(seconds: float | None) -> str:
    """``0.4 s``, ``12 s``, ``3 min``, ``5.2 h``, ``4.0 d``."""
    if seconds is None:
        return "-"
    if seconds < 10:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    for limit, unit, size in ((120, "s", 1), (7200, "min", 60)):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} d"  # noqa: PLR2004 - two days


def size(value: float | None) -> str:
    """``12.3 MiB``."""
    if value is None:
        return "-"
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:  # noqa: PLR2004
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError
