"""What a small writer of GPX writes is read back; and no bytes do any harm."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from pointq.errors import FormatError
from pointq.formats.detect import Hints, parse
from pointq.formats.gpx import parse_gpx

NOW_US = 1_767_225_600_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252")
BAD = ("", "<time>2024-07-01T12:00:00</time>", "<time>never</time>", "<time>1979-12-31T23:59:59Z</time>")
SPEEDS = ("<speed>{}</speed>", "<extensions><a:b><a:speed> {} </a:speed></a:b></extensions>")
NOISE = (
    "",
    "<!-- <trkpt> -->",
    "<name>&lt;trkpt&gt;</name>",
    "<desc><![CDATA[</trkpt>]]></desc>",
    "<hdop>1</hdop>\n",
    "<sat/>",
)


@dataclass(frozen=True)
class Point:
    """One point, good or, with something else in place of its time, bad."""

    time: datetime
    lat: float
    lon: float
    elevation: float | None
    speed: float | None
    bad: str | None
    noise: str
    speed_form: str


def points() -> st.SearchStrategy[Point]:
    offsets = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
    return st.builds(
        Point,
        time=st.datetimes(datetime(1981, 1, 1), datetime(2025, 12, 31), timezones=offsets),  # noqa: DTZ001 - the strategy's
        lat=st.floats(-90, 90).filter(bool),
        lon=st.floats(-180, 180).filter(bool),
        elevation=st.none() | st.floats(-2_000, 100_000),
        speed=st.none() | st.floats(0, 1_000),
        bad=st.none() | st.sampled_from(BAD),
        noise=st.sampled_from(NOISE),
        speed_form=st.sampled_from(SPEEDS),
    ).filter(lambda point: point.time.astimezone(UTC).date() != datetime(2000, 1, 1, tzinfo=UTC).date())


Tracks = list[list[Point]]


def tracks() -> st.SearchStrategy[Tracks]:
    return st.lists(st.lists(points(), max_size=5), min_size=1, max_size=3)


def write_point(point: Point) -> str:
    time = f"<time>{point.time.isoformat()}</time>" if point.bad is None else point.bad
    elevation = "" if point.elevation is None else f"<ele>{point.elevation!r}</ele>"
    speed = "" if point.speed is None else point.speed_form.format(repr(point.speed))
    return f'<trkpt lon="{point.lon!r}" lat="{point.lat!r}">{elevation}{point.noise}{time}{speed}</trkpt>'


def write(written: Tracks, encoding: str = "utf-8") -> bytes:
    body = "\n".join("<trk><trkseg>" + "\n".join(map(write_point, track)) + "</trkseg></trk>" for track in written)
    return f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>\n<gpx creator="ü">\n{body}\n</gpx>'.encode(
        encoding
    )


def micros(point: Point) -> int:
    return (point.time - EPOCH) // timedelta(microseconds=1)


def expected(written: Tracks) -> list[tuple[int, float, float, float | None, float | None]]:
    """The fixes that must be found; the first of those with equal time and position of each track."""
    found: list[tuple[int, float, float, float | None, float | None]] = []
    for track in written:
        rows: dict[tuple[int, float, float], Point] = {}
        for point in track:
            if point.bad is None:
                rows.setdefault((micros(point), point.lat, point.lon), point)
        found += [(*key, point.elevation, point.speed) for key, point in rows.items()]
    return found


@settings(max_examples=150, deadline=None)
@given(tracks(), st.sampled_from(ENCODINGS))
def test_what_was_written_is_read(written: Tracks, encoding: str) -> None:
    track = parse_gpx(write(written, encoding), now_us=NOW_US)
    count = len(track)
    optional = [
        track.columns[name].tolist() if name in track.columns else [float("nan")] * count for name in ("elevation", "speed")
    ]
    nulls = [[None if value != value else value for value in values] for values in optional]  # noqa: PLR0124 - NaN
    rows = zip(*(track.columns[name].tolist() for name in ("time", "lat", "lon")), *nulls, strict=True)
    assert list(rows) == expected(written)
    bad = sum(point.bad is not None for points_ in written for point in points_)
    assert (len(track.rejects), track.complete) == (bad, True)
    assert track.records == sum(map(len, written)) == count + bad + track.duplicates


@settings(max_examples=150, deadline=None)
@given(tracks(), st.data())
def test_cut_files_keep_their_whole_points(written: Tracks, data: st.DataObject) -> None:
    whole = write(written)
    start = whole.index(b"<gpx creator") + len(b"<gpx creator='ue'>")
    cut = whole[: data.draw(st.integers(start, len(whole) - 1))]
    track = parse_gpx(cut, now_us=NOW_US)
    # a point in a comment or CDATA is none; the writer puts no other there
    ends = cut.count(b"</trkpt>") - cut.count(b"<![CDATA[</trkpt>")
    assert (track.records, track.complete) == (ends + 1, False)


@settings(max_examples=150, deadline=None)
@given(tracks(), st.data())
def test_damaged_files(written: Tracks, data: st.DataObject) -> None:
    content = bytearray(write(written, data.draw(st.sampled_from(ENCODINGS))))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=40))
    must_not_raise_anything_else(bytes(content))


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from(["", "<gpx>", "<gpx><trk><trkpt lat='1' lon='1'>", "<?xml encoding='gb18030'?><gpx "]),
)
def test_arbitrary_bytes(data: bytes, before: str) -> None:
    must_not_raise_anything_else(before.encode() + data)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *"<>/'\"=&; \n",
                "gpx",
                "trk",
                "trkpt",
                "lat",
                "lon",
                "time",
                "1",
                "<!--",
                "-->",
                "<![CDATA[",
                "]]>",
                "<?",
                "?>",
                "xmlns:a",
            ]
        ),
        max_size=60,
    ).map("".join)
)
def test_arbitrary_text_of_the_formats_words(text: str) -> None:
    must_not_raise_anything_else(b"<gpx><trk>" + text.encode())


def must_not_raise_anything_else(data: bytes) -> None:
    for read in (partial(parse_gpx, data, now_us=NOW_US), partial(parse, data, Hints(NOW_US))):
        try:
            track = read()
        except FormatError:
            continue
        assert track.records == len(track) + len(track.rejects) + track.duplicates
        assert all(reject.line >= 1 for reject in track.rejects)
        assert {len(values) for values in track.columns.values()} == {len(track)}
