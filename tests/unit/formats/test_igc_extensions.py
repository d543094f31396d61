"""I records: further decimals of minutes and seconds."""

from collections.abc import Callable
from fractions import Fraction

import pytest

from pointq.formats.igc.extensions import Columns, Layout, parse_layout
from pointq.formats.track import TrackFile

ParseIgc = Callable[..., TrackFile]

GOOD = "B1201054607407N00739259EA0123401250"
SOUTH_WEST = "B1201053307407S07039259WA0123401250"
LAD_LOD = "I023638LAD3941LOD"


def exact(degrees: int, minutes: str) -> float:
    return float(Fraction(degrees) + Fraction(minutes) / 60)


def test_further_decimals_are_appended_to_the_minutes(igc: ParseIgc) -> None:
    track = igc(LAD_LOD, GOOD + "123987")
    assert track.columns["lat"].tolist() == [exact(46, "7.407123")]
    assert track.columns["lon"].tolist() == [exact(7, "39.259987")]


def test_further_decimals_lead_away_from_zero_in_the_south_and_west(igc: ParseIgc) -> None:
    track = igc(LAD_LOD, SOUTH_WEST + "123987")
    assert track.columns["lat"].tolist() == [-exact(33, "7.407123")]
    assert track.columns["lon"].tolist() == [-exact(70, "39.259987")]


@pytest.mark.parametrize("width", range(1, 12))
def test_any_width_up_to_eight_decimals(igc: ParseIgc, width: int) -> None:
    decimals = "12345678987"[:width]
    track = igc(f"I0136{35 + width}LAD", GOOD + decimals)
    assert track.columns["lat"].tolist() == [exact(46, f"7.407{decimals[:8]}")]


def test_widths_of_latitude_and_longitude_may_differ(igc: ParseIgc) -> None:
    track = igc("I023636LAD3738LOD", GOOD + "912")
    assert (track.columns["lat"][0], track.columns["lon"][0]) == (exact(46, "7.4079"), exact(7, "39.25912"))


@pytest.mark.parametrize(("decimals", "micros"), [("5", 500_000), ("05", 50_000), ("007", 7_000), ("1234567", 123_456)])
def test_fractions_of_the_second(igc: ParseIgc, decimals: str, micros: int) -> None:
    track = igc(f"I0136{35 + len(decimals)}TDS", GOOD + decimals)
    assert int(track.columns["time"][0]) % 1_000_000 == micros


def test_fixes_of_one_second_apart_by_fractions_are_different(igc: ParseIgc) -> None:
    track = igc("I013636TDS", GOOD + "1", GOOD + "2", GOOD + "2")
    assert (len(track), track.duplicates) == (2, 1)


def test_other_extensions_stand_between(igc: ParseIgc) -> None:
    track = igc("I043638FXA3940SIU4142LAD4344LOD", GOOD + "03508" + "12" + "98")
    assert (track.columns["lat"][0], track.columns["lon"][0]) == (exact(46, "7.40712"), exact(7, "39.25998"))


@pytest.mark.parametrize("extension", ["", "1", "12", "1a3", "   ", "-12"])
def test_a_line_without_readable_decimals_keeps_its_position(igc: ParseIgc, extension: str) -> None:
    track = igc("I013638LAD", GOOD + extension, "B1201064607408N00739259EA0123401250123")
    assert track.columns["lat"][0] == exact(46, "7.407")
    assert track.columns["lat"][1] == exact(46, "7.408123")


def test_decimals_are_not_taken_from_the_next_line(igc: ParseIgc) -> None:
    track = igc("I014042LAD", GOOD, "B9999999999999999999", eol="\n")
    assert track.columns["lat"].tolist() == [exact(46, "7.407")]


def test_a_later_declaration_holds_from_there_on(igc: ParseIgc) -> None:
    records = [GOOD.replace("120105", f"12010{second}") + "123" for second in range(6)]
    track = igc(records[0], "I013638LAD", records[1], "I013637LAD", records[2], "I00", records[3], "I0a", records[4])
    minutes = ["7.407", "7.407123", "7.40712", "7.407", "7.407"]
    assert track.columns["lat"].tolist() == [exact(46, text) for text in minutes]


def test_of_several_declarations_in_a_row_the_last_one_holds(igc: ParseIgc) -> None:
    track = igc("I013638LAD", "I013637LAD", GOOD + "123")
    assert track.columns["lat"].tolist() == [exact(46, "7.40712")]


def test_a_malformed_declaration_changes_nothing(igc: ParseIgc) -> None:
    track = igc("I013638LAD", "I02AAA0102BBB030", "I", "I01", GOOD + "123")
    assert track.columns["lat"].tolist() == [exact(46, "7.407123")]


def test_undeclared_digits_of_flymaster_live_are_ignored(igc: ParseIgc) -> None:
    track = igc(GOOD + "01234")
    assert track.columns["lat"].tolist() == [exact(46, "7.407")]
    assert track.columns["elevation"].tolist() == [1250.0]


@pytest.mark.parametrize(
    ("record", "layout"),
    [
        (b"I00", Layout()),
        (b"I013638FXA", Layout()),
        (b"I023638FXA3940LAD", Layout(lad=Columns(38, 2))),
        (b"I033638FXA3940LAD41", Layout(lad=Columns(38, 2))),  # the last entry is cut
        (b"I013638tds", Layout(tds=Columns(35, 3))),
        (b"I013438LAD", Layout()),  # would lie in the fixed part
        (b"I013836LAD", Layout()),  # ends before it begins
        (b"I013699LOD", Layout(lod=Columns(35, 8))),
        (b"I0a", None),
        (b"I01", None),
        (b"I02AAA0102BBB030", None),
    ],
)
def test_declarations(record: bytes, layout: Layout | None) -> None:
    assert parse_layout(record) == layout
