"""From files to batches: flights, their ids, and the columns of each kind."""

import hashlib
import struct
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from pointq.formats.batches import fingerprint, split, to_batch, to_split_batch
from pointq.formats.flymaster import parse_flymaster_upload
from pointq.formats.igc import parse_igc
from pointq.formats.track import TrackFile
from pointq.points.flights import Flight
from pointq.points.kinds import FLYMASTER, KINDS, LIVE, SCORING, UPLOAD, Kind

ParseIgc = Callable[..., TrackFile]

HOUR = 3600.0


def b(clock: str, place: int = 0, validity: str = "A") -> str:
    return f"B{clock.replace(':', '')}46{place:05}N00739259E{validity}0123401250"


def flymaster(now_us: int, uploaded_at: int = 1_719_830_000, speed: str = "36.0") -> TrackFile:
    head = "12345," + "a" * 64
    rows = "\n".join(f"{uploaded_at},{1_719_829_990 + i},46.1,7.{i + 1},1234,{speed},270" for i in range(3))
    return parse_flymaster_upload(f"{head}\n{rows}\nEOF".encode(), now_us=now_us).track


def test_the_fingerprint_is_what_its_description_says(igc: ParseIgc) -> None:
    track = igc("B1201064607408N00739260EV0000001260", "B1201054607407N00739259EA0000001250")
    second = int(datetime(2024, 7, 1, 12, 1, 5, tzinfo=UTC).timestamp())
    digest = hashlib.sha256()
    digest.update(b"time\0" + struct.pack("<2q", second * 10**6, (second + 1) * 10**6))
    digest.update(b"lat\0" + struct.pack("<2d", 2_767_407 / 60_000, 2_767_408 / 60_000))
    digest.update(b"lon\0" + struct.pack("<2d", 459_259 / 60_000, 459_260 / 60_000))
    digest.update(b"elevation\0" + struct.pack("<2d", 1250, 1260))
    digest.update(b"valid\0" + struct.pack("<2b", 1, 0))
    assert fingerprint(track) == digest.hexdigest()[:16]


def test_the_fingerprint_stays(igc: ParseIgc) -> None:
    """Imported files are found again by it: changing it makes every import of an old file a new flight."""
    assert fingerprint(igc("B1201054607407N00739259EA0123401250")) == "57a60853846f19f6"


def test_name_headers_line_ends_and_order_do_not_matter(igc: ParseIgc) -> None:
    first, second = b("12:00:00"), b("12:00:01", 1)
    same = {
        fingerprint(igc(first, second)),
        fingerprint(igc(first, second, eol="\n", header=("HFDTEDATE:010724,01",), file_name="x")),
        fingerprint(igc(second, first, second, "Bad", "LXXX")),
    }
    assert len(same) == 1


@pytest.mark.parametrize(
    "other",
    [
        "B1201064607407N00739259EA0123401250",
        "B1201054607408N00739259EA0123401250",
        "B1201054607407N00739258EA0123401250",
        "B1201054607407N00739259EV0123401250",
        "B1201054607407N00739259EA0123501250",
        "B1201054607407N00739259EA0123401251",
        "B1201054607407N00739259EA0000001250",
    ],
)
def test_any_other_fix_is_another_flight(igc: ParseIgc, other: str) -> None:
    assert fingerprint(igc("B1201054607407N00739259EA0123401250")) != fingerprint(igc(other))


def test_when_an_instrument_sent_the_fixes_does_not_matter(now_us: int) -> None:
    assert fingerprint(flymaster(now_us)) == fingerprint(flymaster(now_us, uploaded_at=1_719_840_000))


def test_both_zeros_are_the_same_speed(now_us: int) -> None:
    assert fingerprint(flymaster(now_us, speed="0")) == fingerprint(flymaster(now_us, speed="-0.0"))


def test_a_file_is_one_flight(igc: ParseIgc) -> None:
    track = igc(b("08:00:00"), "HFDTE050724", b("08:00:00"))
    batch = to_batch(track, UPLOAD)
    assert batch.flights == (Flight.of("upload", fingerprint(track)),)
    assert batch.flight.tolist() == [0, 0]
    assert set(batch.columns) == {"time", "lat", "lon", "elevation", "barometric_altitude", "valid"}


def test_ids_may_be_given(igc: ParseIgc) -> None:
    batch = to_batch(igc(b("08:00:00")), UPLOAD, flight_id="my-flight", device_id="my-device")
    assert batch.flights == (Flight.of("upload", "my-flight", "my-device"),)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_gets_columns_that_it_has(igc: ParseIgc, now_us: int, kind: Kind) -> None:
    for track in (igc(b("08:00:00")), flymaster(now_us)):
        batch = to_batch(track, kind)
        assert set(batch.columns) <= set(kind.by_name)
        for name, values in batch.columns.items():
            assert values.dtype.kind == kind.by_name[name].type.value.dtype.strip("<")[0]
            assert len(values) == len(track)


def test_igc_as_other_kinds(igc: ParseIgc) -> None:
    track = igc(b("08:00:00"), b("08:00:01", validity="V"))
    assert set(to_batch(track, FLYMASTER).columns) == {"time", "lat", "lon", "elevation"}
    assert to_batch(track, LIVE).columns == to_batch(track, UPLOAD).columns
    scoring = to_batch(track, SCORING).columns
    assert set(scoring) == {"time", "lat", "lon", "gps_alt", "pressure_alt", "validity"}
    assert scoring["validity"].tolist() == [b"A", b"V"]
    assert (scoring["gps_alt"][0], scoring["pressure_alt"][0]) == (1250.0, 1234.0)


def test_a_flymaster_upload_as_its_own_kind_and_as_another(now_us: int) -> None:
    track = flymaster(now_us)
    own = {"time", "lat", "lon", "elevation", "speed", "heading"}
    assert set(to_batch(track, FLYMASTER).columns) == own | {"uploaded_at"}
    assert set(to_batch(track, UPLOAD).columns) == own
    assert set(to_batch(track, SCORING).columns) == {"time", "lat", "lon", "gps_alt", "speed"}


def test_a_new_flight_at_each_date_record_and_long_gap(igc: ParseIgc) -> None:
    track = igc(b("08:00:00"), b("09:00:00"), b("10:00:01"), "HFDTE020724", b("08:00:00"), b("08:00:01"))
    assert split(track, HOUR) == ((0, 2), (2, 3), (3, 5))


def test_a_step_back_makes_no_gap(igc: ParseIgc) -> None:
    track = igc(b("08:00:00"), b("08:50:00"), b("08:41:00"), b("09:45:00"))
    assert split(track, HOUR) == ((0, 4),)


def test_files_joined_in_any_order(igc: ParseIgc) -> None:
    track = igc(b("08:00:00"), "HFDTE010623", b("08:00:00"), b("10:00:00"))
    assert split(track, HOUR) == ((0, 1), (1, 2), (2, 3))


def test_parts_are_flights_by_their_own_fixes(igc: ParseIgc) -> None:
    joined = igc(b("08:00:00"), b("08:00:01"), "HFDTE020724", b("08:00:00"))
    batch = to_split_batch(joined, UPLOAD, HOUR, device_id="d")
    alone = [igc(b("08:00:00"), b("08:00:01")), igc(b("08:00:00"), header=("HFDTE020724",))]
    assert batch.flights == tuple(Flight.of("upload", fingerprint(track), "d") for track in alone)
    assert batch.flight.tolist() == [0, 0, 1]


def test_no_fixes_are_no_flights(now_us: int) -> None:
    track = parse_igc(b"AXXX001\nHFDTE010724\n", now_us=now_us)
    for batch in (to_batch(track, UPLOAD), to_batch(track, UPLOAD, "given"), to_split_batch(track, UPLOAD, HOUR)):
        assert (len(batch), batch.flights, set(batch.columns)) == (0, (), {"time", "lat", "lon"})
