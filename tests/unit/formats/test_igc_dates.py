"""Which day a fix belongs to."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from pointq.errors import FormatError
from pointq.formats.igc import parse_igc
from pointq.formats.igc.dates import date_from_name
from pointq.formats.track import TrackFile

ParseIgc = Callable[..., TrackFile]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ONE_FIX = b"AXXX001\r\nB1201054607407N00739259EA0123401250\r\n"


def b(clock: str, place: int = 0) -> str:
    """A fix at that time of day, written HH:MM:SS."""
    return f"B{clock.replace(':', '')}46{place:05}N00739259EA0123401250"


def at(track: TrackFile) -> list[str]:
    """Times as ``DD HH:MM:SS``."""
    times = (EPOCH + timedelta(microseconds=time) for time in track.columns["time"].tolist())
    return [time.strftime("%d %H:%M:%S") for time in times]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("HFDTE310824", date(2024, 8, 31)),
        ("HFDTE310824  ", date(2024, 8, 31)),
        ("HFDTEDATE:310824,01", date(2024, 8, 31)),
        ("HFDTEDATE:310824", date(2024, 8, 31)),
        ("HFDTEDATE: 310824", date(2024, 8, 31)),
        ("HFDTEDATE310824", date(2024, 8, 31)),
        ("HFDTE:310824", date(2024, 8, 31)),
        ("HODTE310824", date(2024, 8, 31)),
        ("HPDTEDATE:310824,12", date(2024, 8, 31)),
        ("HFDTE290224", date(2024, 2, 29)),
        ("HFDTE060180", date(1980, 1, 6)),
        ("HFDTE311299", date(1999, 12, 31)),
        ("HFDTE010179", None),  # 2079: ahead of now
    ],
)
def test_forms_of_the_date_record(igc: ParseIgc, record: str, expected: date | None) -> None:
    track = igc(b("12:00:00"), header=("AXXX001", record))
    if expected is None:
        assert [reject.reason for reject in track.rejects] == ["the time is more than 24 hours ahead of now"]
    else:
        assert track.dates == (expected,)
        assert (EPOCH + timedelta(microseconds=int(track.columns["time"][0]))).date() == expected


def test_midnight_is_the_next_day(igc: ParseIgc) -> None:
    track = igc(b("23:59:58"), b("23:59:59"), b("00:00:00"), b("00:00:01"))
    assert at(track) == ["01 23:59:58", "01 23:59:59", "02 00:00:00", "02 00:00:01"]


@pytest.mark.parametrize(
    ("clocks", "expected"),
    [
        (["12:10:00", "12:00:00"], ["01 12:10:00", "01 12:00:00"]),  # exactly ten minutes
        (["12:10:01", "12:00:00"], ["01 12:10:01", "02 12:00:00"]),
        (["18:00:00", "10:00:00", "10:00:01"], ["01 18:00:00", "02 10:00:00", "02 10:00:01"]),
        (["12:00:09", "12:00:02", "12:00:10"], ["01 12:00:09", "01 12:00:02", "01 12:00:10"]),
        (["23:59:59", "00:00:01", "23:59:58", "00:00:02"], ["01 23:59:59", "02 00:00:01", "01 23:59:58", "02 00:00:02"]),
        (["00:00:01", "23:59:58", "00:00:02"], ["01 00:00:01", "01 23:59:58", "02 00:00:02"]),  # no rollover before
        (["23:59:59", "00:09:58", "23:59:59"], ["01 23:59:59", "02 00:09:58", "01 23:59:59"]),
        (["23:59:59", "00:09:59", "23:59:59"], ["01 23:59:59", "02 00:09:59", "02 23:59:59"]),  # exactly 23 h 50 min
        (["22:00:00", "20:00:00", "18:00:00"], ["01 22:00:00", "02 20:00:00", "03 18:00:00"]),
    ],
)
def test_the_rollover_rule(igc: ParseIgc, clocks: list[str], expected: list[str]) -> None:
    assert at(igc(*(b(clock, place) for place, clock in enumerate(clocks)))) == expected


def test_a_rejected_record_does_not_turn_the_day(igc: ParseIgc) -> None:
    nowhere = "B0000000000000N00000000EA0123401250"
    assert at(igc(b("12:00:00"), nowhere, "B000001xx", b("12:00:01"))) == ["01 12:00:00", "01 12:00:01"]


def test_each_date_record_sets_the_date_anew(igc: ParseIgc) -> None:
    track = igc(b("23:59:59"), b("00:00:01"), "HFDTE050724", b("10:00:00"), "HFDTE030724", b("09:00:00"), b("08:00:00"))
    assert at(track) == ["01 23:59:59", "02 00:00:01", "05 10:00:00", "03 09:00:00", "04 08:00:00"]
    assert track.breaks == (2, 3)
    assert track.dates == (date(2024, 7, 1), date(2024, 7, 5), date(2024, 7, 3))


def test_date_records_without_fixes_between_are_one_break(igc: ParseIgc) -> None:
    track = igc("HFDTEDATE:010724", b("10:00:00"), "HFDTE020724", "HFDTEDATE:020724,02", b("10:00:00"), "HFDTE030724")
    assert track.breaks == (1,)


@pytest.mark.parametrize("placeholder", ["HFDTE010100", "HFDTEDATE:010100,01", "HFDTE000000", "HFDTE330203"])
def test_fixes_after_a_placeholder_are_undated_and_the_rest_is_good(igc: ParseIgc, placeholder: str) -> None:
    track = igc(b("11:00:00"), b("11:00:01"), "HFDTE010724", b("12:00:00"), header=("AXXX001", placeholder))
    assert at(track) == ["01 12:00:00"]
    assert [reject.line for reject in track.rejects] == [3, 4]
    assert all("no date is known yet" in reject.reason for reject in track.rejects)
    assert track.dates == (date(2024, 7, 1),)


def test_fixes_before_the_only_date_record_are_undated(igc: ParseIgc) -> None:
    track = igc(b("11:00:00"), "HFDTE010724", b("12:00:00"), header=("AXXX001",))
    assert (at(track), len(track.rejects)) == (["01 12:00:00"], 1)


@pytest.mark.parametrize("only", ["LXXXnothing", "HFDTE010100", "HFDTE33"])
def test_a_file_without_a_date_takes_it_from_its_name(igc: ParseIgc, only: str) -> None:
    track = igc(b("11:00:00"), header=("AXXX001", only), file_name="flights/2024-07-03-XXX-001.igc", date=date(2024, 7, 9))
    assert at(track) == ["03 11:00:00"]
    assert track.dates == (date(2024, 7, 3),)


def test_then_from_the_date_given(igc: ParseIgc) -> None:
    track = igc(b("23:59:00"), b("00:01:00"), header=("AXXX001",), file_name="track.igc", date=date(2024, 7, 9))
    assert at(track) == ["09 23:59:00", "10 00:01:00"]


def test_a_date_in_the_file_wins(igc: ParseIgc) -> None:
    assert at(igc(b("11:00:00"), file_name="240703.igc", date=date(2024, 7, 9))) == ["01 11:00:00"]


def test_no_date_at_all_is_an_error_that_says_what_to_do(now_us: int) -> None:
    with pytest.raises(FormatError, match="no date") as caught:
        parse_igc(ONE_FIX, now_us=now_us)
    assert "--date" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("240701.igc", date(2024, 7, 1)),
        ("240701-2.igc", date(2024, 7, 1)),
        ("991231 evening.igc", date(1999, 12, 31)),
        ("2024-07-01.igc", date(2024, 7, 1)),
        ("2024-07-01-XCT-XXX-01.igc", date(2024, 7, 1)),
        ("a/b\\2024-07-01_x.igc", date(2024, 7, 1)),
        ("LiveTrack Some Name.1234.20240701-101500.5678.9.igc", date(2024, 7, 1)),
        ("20240701-101500.igc", date(2024, 7, 1)),
        ("47CG1234.igc", None),
        ("20101112.igc", None),  # not the 20th year's 10th month
        ("241301.igc", None),
        ("000101.igc", None),  # a placeholder
        ("track.igc", None),
        ("240701/track.igc", None),
        ("", None),
    ],
)
def test_dates_in_names(name: str, expected: date | None) -> None:
    assert date_from_name(name) == expected


@pytest.mark.parametrize(
    ("day", "word"),
    [
        (date(1979, 12, 31), "before 1980"),
        (date(2000, 1, 1), "2000-01-01"),
        (date(2026, 1, 3), "ahead of now"),
    ],
)
def test_times_that_no_fix_can_have(now_us: int, day: date, word: str) -> None:
    track = parse_igc(ONE_FIX, now_us=now_us, date=day)
    assert len(track) == 0
    assert [word in reject.reason for reject in track.rejects] == [True]


@pytest.mark.parametrize("day", [date(1980, 1, 1), date(2000, 1, 2), date(2026, 1, 1)])
def test_times_that_are_just_possible(now_us: int, day: date) -> None:
    assert len(parse_igc(ONE_FIX, now_us=now_us, date=day)) == 1
