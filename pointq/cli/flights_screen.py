"""The stored flights as a table of 80 columns."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pointq.cli.numbers import age, count, counted
from pointq.logs import printable
from pointq.ops.flights import FlightList, FlightReport

_NO_FLIGHT = "no flight is stored that fits; points that still wait are in `pointq status`"


def render(found: FlightList) -> RenderableType:
    """One line a flight, the one with the latest fix first, and what to do with them."""
    if not found.flights:
        return Text(_NO_FLIGHT, style="yellow")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("flight", overflow="ellipsis", no_wrap=True, ratio=1)
    for heading in ("kind", "device"):
        table.add_column(heading, overflow="ellipsis", no_wrap=True, max_width=16)
    for heading in ("points", "long", "last fix", "at"):
        table.add_column(heading, justify="right", no_wrap=True)
    for flight in found.flights:
        table.add_row(*_cells(flight))
    return Group(table, Text(_footer(found), style="dim"))


def _cells(flight: FlightReport) -> list[str | Text]:
    return [
        # an id is what a stranger sent
        Text(printable(flight.flight_id or flight.flight_uuid)),
        flight.kind,
        Text(printable(flight.device_id or "-")),
        count(flight.points),
        age(flight.duration_seconds),
        _ago(flight.age_seconds),
        _position(flight.last_position),
    ]


def _footer(found: FlightList) -> str:
    shown, total = len(found.flights), found.total
    more = (
        f"{count(shown)} of {count(total)} flights; --limit 0 shows all. " if shown < total else f"{counted(total, 'flight')}. "
    )
    return more + "`pointq flights export ID --format igc` writes one to a file"


def _ago(seconds: float | None) -> str:
    return f"{age(seconds)} ago" if seconds is None or seconds >= 0 else f"in {age(-seconds)}"


def _position(position: "dict[str, float | None] | None") -> str:
    if position is None:
        return "-"
    lat, lon = position["lat"], position["lon"]
    return f"{lat:.3f} {lon:.3f}" if lat is not None and lon is not None else "-"
