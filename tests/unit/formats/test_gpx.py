"""GPX 1.0 and 1.1: what is read of a point, of a file, and what becomes of damage."""

from collections.abc import Callable

import pytest

from pointq.errors import FormatError
from pointq.formats.detect import Hints, detect, parse
from pointq.formats.flaws import Flaw
from pointq.formats.gpx import looks_like_gpx, parse_gpx
from pointq.formats.track import TrackFile

NOW_US = 1_767_225_600_000_000
NOON_US = 1_719_835_200_000_000
TIME = "<time>2024-07-01T12:00:00Z</time>"
GPX_1_1 = 'version="1.1" creator="Test &amp; Co" xmlns="http://www.topografix.com/GPX/1/1"'


def point(inner: str = TIME, lat: str = "46.5", lon: str = "-7.25") -> str:
    return f'<trkpt lat="{lat}" lon="{lon}">{inner}</trkpt>'


def later(second: int) -> str:
    return point(f"<time>2024-07-01T12:00:{second:02}Z</time>")


def gpx(*points: str, attributes: str = GPX_1_1) -> str:
    lines = "\n".join(points)
    return f'<?xml version="1.0"?>\n<gpx {attributes}>\n<trk><trkseg>\n{lines}\n</trkseg></trk>\n</gpx>\n'


def read(text: str | bytes) -> TrackFile:
    return parse_gpx(text if isinstance(text, bytes) else text.encode(), now_us=NOW_US)


def values(track: TrackFile) -> dict[str, list[float]]:
    return {name: column.tolist() for name, column in track.columns.items()}


def reasons(track: TrackFile) -> list[tuple[int, str]]:
    return [(reject.line, reject.reason) for reject in track.rejects]


WHOLE = {"time": [NOON_US], "lat": [46.5], "lon": [-7.25], "elevation": [1234.5], "speed": [12.5], "heading": [270.0]}
OWN = f"<ele>1234.5</ele>{TIME}<course>270</course><speed>12.5</speed>"
GARMIN = """<ele> 1234.5 </ele><time>
2024-07-01T14:00:00+02:00 </time><extensions><gpxtpx:TrackPointExtension><gpxtpx:hr>99</gpxtpx:hr>
<gpxtpx:speed>12.5</gpxtpx:speed><gpxtpx:course>270</gpxtpx:course></gpxtpx:TrackPointExtension></extensions>"""
PLAIN = f"<ele>1.2345E3</ele>{TIME}<extensions><speed>12.5</speed><osmand:heading>270</osmand:heading></extensions>"


@pytest.mark.parametrize("inner", [OWN, GARMIN, PLAIN])
@pytest.mark.parametrize(
    "attributes", [GPX_1_1, 'version="1.0" xmlns="http://www.topografix.com/GPX/1/0"', 'xmlns="http://example.org/wrong"', ""]
)
def test_every_field_of_a_point(inner: str, attributes: str) -> None:
    track = read(gpx(point(inner), attributes=attributes))
    assert values(track) == WHOLE
    assert (track.format, track.records, track.complete, track.parts) == ("gpx", 1, True, ())


def test_names_may_have_prefixes() -> None:
    names = ("gpx", "trkseg", "trkpt", "trk", "ele", "time", "course", "speed")
    text = gpx(point(OWN), attributes='xmlns:g="http://www.topografix.com/GPX/1/1"')
    for name in names:
        text = (
            text.replace(f"<{name}>", f"<g:{name}>").replace(f"<{name} ", f"<g:{name} ").replace(f"</{name}>", f"</g:{name}>")
        )
    assert "<trk" not in text
    assert looks_like_gpx(text.encode())
    assert values(read(text)) == WHOLE


def test_what_is_not_a_points_own_is_not_taken_for_it() -> None:
    foreign = "<extensions><time>2020-01-01T00:00:00Z</time><ele>5</ele></extensions><link><speed>3</speed></link>"
    inner = f"{TIME}{foreign}<hdop>1</hdop>"
    assert values(read(gpx(point(inner)))) == {"time": [NOON_US], "lat": [46.5], "lon": [-7.25]}


def test_the_creator_is_the_logger() -> None:
    assert read(gpx(point())).logger == "Test & Co"
    assert read(gpx(point(), attributes="")).logger is None


@pytest.mark.parametrize(
    ("bad", "flaw"),
    [
        (point(""), Flaw.NO_TIME),
        (point("<time/>"), Flaw.NO_TIME),
        (point("<time>2024-07-01T12:00:00</time>"), Flaw.NO_OFFSET),
        (point("<time>yesterday</time>"), Flaw.TIME_FORM),
        (point("<time>2024-02-30T12:00:00Z</time>"), Flaw.TIME_FORM),
        (point(f"<time>{'2024-07-01T12:00:00Z' * 9999}</time>"), Flaw.TIME_FORM),
        (point("<time>1970-01-01T00:00:00Z</time>"), Flaw.BEFORE_1980),
        (point("<time>2000-01-01T00:00:00Z</time>"), Flaw.POWER_UP),
        (point("<time>2026-01-03T00:00:00Z</time>"), Flaw.FUTURE),
        (point(lat="0", lon="-0.0"), Flaw.NULL_ISLAND),
        (point(lat="90.5"), Flaw.LATITUDE_RANGE),
        (point(lat="1e999"), Flaw.LATITUDE_RANGE),
        (point(lon="-181"), Flaw.LONGITUDE_RANGE),
        (point(lat="46,5"), Flaw.NO_POSITION),
        (point(lat=""), Flaw.NO_POSITION),
        (point(lat="NaN"), Flaw.NO_POSITION),
        (point(lat="46.5" + " " * 999 + "5"), Flaw.NO_POSITION),
        (point(lat="1_0"), Flaw.NO_POSITION),
        (point(lat="٤٦"), Flaw.NO_POSITION),
        (f"<trkpt>{TIME}</trkpt>", Flaw.NO_POSITION),
    ],
)
def test_a_bad_point_rejects_itself_only(bad: str, flaw: Flaw) -> None:
    track = read(gpx(later(1), bad, later(2)))
    assert (reasons(track), len(track), track.records, track.complete) == ([(5, flaw.text)], 2, 3, True)


@pytest.mark.parametrize("text", ["", "n/a", "1e999", "-99999", "1.2.3"])
def test_a_bad_altitude_costs_no_fix(text: str) -> None:
    assert set(read(gpx(point(f"<ele>{text}</ele>{TIME}"))).columns) == {"time", "lat", "lon"}


def test_a_negative_speed_is_unknown() -> None:
    assert "speed" not in read(gpx(point(f"{TIME}<speed>-1</speed>"))).columns


def test_repeated_points_are_duplicates() -> None:
    track = read(gpx(point(), point(), later(1)))
    assert (len(track), track.duplicates, track.records) == (2, 1, 3)


def test_each_track_is_a_part() -> None:
    text = gpx(
        later(1), "</trkseg><trkseg>", later(2), "</trkseg></trk><trk></trk><trk><trkseg>", later(1), "<!-- -->", later(1)
    )
    track = read(text)
    assert [(part.first, part.device_id) for part in track.parts] == [(0, None), (2, None)]
    assert (len(track), track.duplicates) == (3, 1)


def test_a_track_without_a_fix_is_no_part() -> None:
    assert read(gpx(point(""), "</trkseg></trk><trk><trkseg>", later(1))).parts == ()


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", "utf-16"),
        ("utf-16", None),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "utf-32"),
        ("latin-1", "ISO-8859-1"),
        ("cp1252", "windows-1252"),
        ("shift_jis", "Shift_JIS"),
        ("iso2022_jp", "ISO-2022-JP"),
        ("gb18030", "GB18030"),
        ("koi8-r", "KOI8-R"),
    ],
)
def test_any_encoding(encoding: str, declared: str | None) -> None:
    name = {"shift_jis": "飛行", "iso2022_jp": "飛行", "gb18030": "飞行", "koi8-r": "Полёт"}.get(encoding, "Fluggerät")
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else "<?xml version='1.0'?>"
    text = gpx(point(), attributes=f'creator="{name}"').replace('<?xml version="1.0"?>', declaration)
    data = text.encode(encoding)
    assert looks_like_gpx(data)
    assert (read(data).logger, len(read(data))) == (name, 1)


@pytest.mark.parametrize("declared", ["utf-16", "x-unknown", "idna", "zlib", "unicode_escape", "cp99999"])
def test_an_encoding_that_is_declared_wrongly(declared: str) -> None:
    text = gpx(point()).replace("?>", f" encoding='{declared}'?>", 1)
    assert len(read(text)) == 1


def test_bytes_of_another_encoding_cost_a_name_and_no_fix() -> None:
    data = gpx(point(), attributes='creator="Fluggerät"').encode("cp1252")
    assert (read(data).logger, len(read(data))) == ("Flugger\ufffdt", 1)


@pytest.mark.parametrize("cut", [1, 10, 25, 40])
def test_of_a_cut_file_the_whole_points_are_kept(cut: int) -> None:
    text = gpx(later(1), later(2), later(3))
    track = read(text[: text.rindex("</trkpt>") - cut])
    assert (len(track), track.complete, track.records) == (2, False, 3)
    assert reasons(track) == [(6, Flaw.XML_BREAK.text)]


def test_a_cut_between_points_is_reported_too() -> None:
    text = gpx(later(1), later(2))
    track = read(text[: text.rindex("</trkpt>") + len("</trkpt>")])
    assert (len(track), track.complete, len(track.rejects)) == (2, False, 1)


@pytest.mark.parametrize("damage", ["\0", "<", "&nbsp;", "</gpx>", "\x0b", "&"])
def test_damage_ends_the_reading(damage: str) -> None:
    track = read(gpx(later(1), f"<name>{damage}</name>", later(2)))
    assert (len(track), track.complete) == (1, False)
    assert reasons(track)[0][1] == Flaw.XML_BREAK.text


def test_what_stands_behind_the_end_is_reported() -> None:
    track = read(gpx(later(1)) + "<gpx/>")
    assert (len(track), track.complete) == (1, False)


@pytest.mark.parametrize("text", ["<gpx/>", gpx()])
def test_a_file_without_points_is_no_error(text: str) -> None:
    track = read(text)
    assert (len(track), track.records, set(track.columns)) == (0, 0, {"time", "lat", "lon"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html></html>",
        "<gpxx/>",
        "gpx",
        "AXXX\r\nHFDTE010724\r\n",
        "<kml><gpx/></kml>",
        "<!-- <gpx> --><kml/>",
        "<?gpx <gpx> ?><kml/>",
    ],
)
def test_other_roots_are_no_gpx(text: str) -> None:
    assert not looks_like_gpx(text.encode())
    with pytest.raises(FormatError, match="not a GPX file"):
        read(text)


@pytest.mark.parametrize("before", ["", "\ufeff", "\n", '<?xml version="1.0"?>\n<?xml-stylesheet?>', "<!-- <kml> -->\n<!---->"])
def test_gpx_is_known_by_content(before: str) -> None:
    data = (before + gpx(point()).partition("?>\n")[2]).encode()
    assert detect(data).name == "gpx"
    assert len(parse(data, Hints(NOW_US, "misleading.igc"))) == 1


def test_routes_and_waypoints_are_named_as_what_they_are(other_sample: Callable[[str], bytes]) -> None:
    data = other_sample("fells_loop.gpx")
    with pytest.raises(FormatError, match=r"no track.* 46 route points and 86 waypoints") as caught:
        parse_gpx(data, now_us=NOW_US)
    assert "<trk>" in (caught.value.hint or "")


def test_routes_beside_a_track_are_left_out() -> None:
    route = '<rte><rtept lat="1" lon="1"/></rte><wpt lat="2" lon="2"/>'
    track = read(gpx(later(1)).replace("<trk>", f"{route}<trk>"))
    assert (len(track), track.records) == (1, 1)


def test_more_points_than_a_block_holds() -> None:
    hours = [point(f"<time>2024-07-{i // 3600 + 1:02}T00:{i // 60 % 60:02}:{i % 60:02}Z</time>") for i in range(40_000)]
    track = read(gpx(*hours[:39_999], "<trkpt/>", hours[-1]))
    assert (len(track), track.records, reasons(track)) == (40_000, 40_001, [(40_003, Flaw.NO_TIME.text)])
