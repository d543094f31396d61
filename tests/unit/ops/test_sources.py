"""What a path means to an import."""

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointq.errors import NoTrack, PointqError
from pointq.formats.detect import FORMATS
from pointq.ops.archives import Bounds
from pointq.ops.source import Source
from pointq.ops.sources import count, find, read_stdin


def names(*paths: str) -> list[str]:
    """What is opened."""
    return [source.name for source in find(paths) if not is_passed_over(source)]


def is_passed_over(source: Source) -> bool:
    try:
        source.read()
    except NoTrack:
        return True
    except PointqError:
        pass
    return False


def write(path: Path, data: bytes = b"data") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_a_named_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "track.bin", b"abc")

    (source,) = find([str(path)])

    assert (source.name, source.read()) == (str(path), b"abc")


def test_a_folder_gives_its_flights_in_order_at_any_depth(tmp_path: Path) -> None:
    for name in ("b.igc", "a/z.IGC", "a/upload.txt", "notes.md"):
        write(tmp_path / name)

    assert names(str(tmp_path)) == [str(tmp_path / name) for name in ("a/upload.txt", "a/z.IGC", "b.igc")]


def test_what_a_folder_and_an_archive_hold_besides_is_named_and_not_opened(tmp_path: Path) -> None:
    zipped(tmp_path / "task.zip", ("a.igc", b"track"), ("task.pdf", b"%PDF"), (".DS_Store", b"\0"))
    zipped(tmp_path / "photos.zip", ("1.jpg", b"\xff\xd8"), ("2.jpg", b"\xff\xd8"))
    for name in ("notes.md", ".DS_Store", ".git/objects/17", "day/notes.md", "b.igc"):
        write(tmp_path / name)
    (tmp_path / "again.md").symlink_to(tmp_path / "notes.md")

    found = list(find([str(tmp_path), f"{tmp_path}/**"]))

    besides = ["again.md", "day/notes.md", "photos.zip", "task.zip:task.pdf"]
    assert [source.name for source in found if is_passed_over(source)] == [f"{tmp_path}/{name}" for name in besides]
    assert len(found) == len(besides) + 2


def test_only_what_was_named_has_to_be_a_track(tmp_path: Path) -> None:
    single = zipped(tmp_path / "single.zip", ("results.csv", b"rank"))
    several = zipped(tmp_path / "several.zip", ("results.csv", b"rank"), ("a.igc", b"track"))
    folder = write(tmp_path / "day/results.csv").parent

    def named(path: str) -> list[bool]:
        return [source.was_named for source in find([path])]

    assert named(f"{folder}/results.csv") == named(str(single)) == [True]
    assert named(str(folder)) == named(f"{folder}/*.csv") == named(f"{tmp_path}/sing*.zip") == [False]
    assert named(str(several)) == [False, False]


def test_a_folder_gives_files_of_every_format_that_is_read(tmp_path: Path) -> None:
    paths = {str(write(tmp_path / f"{known.name}{suffix}")) for known in FORMATS for suffix in known.suffixes}

    assert set(names(str(tmp_path))) == paths


def test_a_pattern_reaches_into_folders(tmp_path: Path) -> None:
    write(tmp_path / "day/one.igc")
    write(tmp_path / "two.igc")

    assert names(f"{tmp_path}/**/*.igc") == [str(tmp_path / "day/one.igc"), str(tmp_path / "two.igc")]


def test_a_file_named_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    write(tmp_path / "flight[1].igc")

    assert names(f"{tmp_path}/flight[1].igc") == [str(tmp_path / "flight[1].igc")]


def test_an_archive_gives_its_members_also_inside_a_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "task.zip", "w") as file:
        file.writestr("x/a.igc", b"first")
        file.writestr("b.igc", b"second")

    found = list(find([str(tmp_path)]))
    reading = {source.name: source.read() for source in find([str(tmp_path)])}

    assert [source.name for source in found] == [f"{tmp_path}/task.zip:x/a.igc", f"{tmp_path}/task.zip:b.igc"]
    assert list(reading.values()) == [b"first", b"second"]


def zipped(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        (Bounds(archive_bytes=1_500_000), "unpacks to more than 1 MiB, archives in it included: that is the most that is read"),
        (Bounds(members=1), "holds more files than the 1 that are read, those in archives in it included"),
    ],
)
def test_an_archive_that_holds_too_much_is_not_read(tmp_path: Path, bounds: Bounds, reason: str) -> None:
    path = zipped(tmp_path / "bomb.zip", ("a.igc", bytes(1_000_000)), ("b.igc", bytes(1_000_000)))

    assert [(source.name, reading(source)) for source in find([str(path)], bounds)] == [(str(path), f"{path} {reason}")]


def test_what_archives_in_an_archive_hold_counts_for_it(tmp_path: Path) -> None:
    """Ten thousand copies of a small archive are a small archive, too, and each of them may be full."""
    inner = zipped(tmp_path / "inner.zip", ("a.igc", bytes(1_000_000)), ("b.igc", bytes(1_000_000))).read_bytes()
    path = zipped(tmp_path / "outer.zip", *((f"{number}.zip", inner) for number in range(4)))

    def refused(bounds: Bounds) -> list[str]:
        return [source.name for source in find([str(path)], bounds) if "in it included" in reading(source)]

    assert refused(Bounds(archive_bytes=5_000_000)) == [f"{path}:2.zip", f"{path}:3.zip"]
    assert refused(Bounds(members=9)) == [f"{path}:2.zip", f"{path}:3.zip"]
    assert refused(Bounds(archive_bytes=9_000_000, members=12)) == []


def test_an_archive_in_an_archive(tmp_path: Path) -> None:
    inmost = zipped(tmp_path / "inmost.zip", ("deep.igc", b"deep")).read_bytes()
    inner = zipped(tmp_path / "inner.zip", ("a.igc", b"a"), ("inmost.zip", inmost)).read_bytes()
    outer = zipped(tmp_path / "outer.zip", ("LiveTrack 1.zip", inner), ("b.igc", b"b"))

    found = [(source.name, data) for source in find([str(outer)]) for data in [reading(source)]]

    assert found == [
        (f"{outer}:LiveTrack 1.zip:a.igc", "a"),
        (
            f"{outer}:LiveTrack 1.zip:inmost.zip",
            "inmost.zip is an archive in an archive in an archive: unpack the outer one first",
        ),
        (f"{outer}:b.igc", "b"),
    ]


def reading(source: Source) -> str:
    try:
        return source.read().decode()
    except PointqError as exc:
        return exc.message


def test_the_only_member_is_read_whatever_its_name(tmp_path: Path) -> None:
    path = zipped(tmp_path / "one.zip", ("track", b"abc"))

    found = [(source.name, source.file_name, source.read()) for source in find([str(path)])]

    assert found == [(f"{path}:track", "track", b"abc")]


def test_what_macos_adds_is_no_flight(tmp_path: Path) -> None:
    path = zipped(tmp_path / "mac.zip", ("a.igc", b"track"), ("__MACOSX/._a.igc", b"\0"), ("b/._c.igc", b"\0"), ("d.igc", b""))
    write(tmp_path / "._e.igc")

    assert names(str(tmp_path)) == [f"{path}:a.igc", f"{path}:d.igc"]


def test_an_archive_is_known_by_its_content_where_it_is_named(tmp_path: Path) -> None:
    path = zipped(tmp_path / "task.bin", ("a.igc", b"track"))

    assert names(str(path)) == [f"{path}:a.igc"]


def test_an_archive_on_standard_input(tmp_path: Path) -> None:
    path = zipped(tmp_path / "task.zip", ("a.igc", b"track"), ("b.igc", b"track"))

    assert [source.name for source in find(["-"], stdin=path.read_bytes())] == ["-:a.igc", "-:b.igc"]


def test_the_same_file_twice_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "day/a.igc")
    (tmp_path / "link.igc").symlink_to(path)

    assert names(str(path), str(tmp_path), f"{tmp_path}/day/*.igc", str(tmp_path / "link.igc")) == [str(path)]


def test_links_that_lead_round_in_a_circle(tmp_path: Path) -> None:
    path = write(tmp_path / "day/a.igc")
    (tmp_path / "day/again").symlink_to(tmp_path)

    assert names(str(tmp_path)) == [str(path)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_hides_nothing_else(tmp_path: Path) -> None:
    locked = write(tmp_path / "a/x.igc").parent
    path = write(tmp_path / "b/y.igc")
    locked.chmod(0)
    try:
        first, second = find([str(tmp_path)])
        assert (first.name, second.name) == (str(locked), str(path))
        assert reading(first) == f"{locked} cannot be read: Permission denied"
    finally:
        locked.chmod(0o700)


def test_a_folder_that_is_gone_while_it_is_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a/x.igc")
    path = write(tmp_path / "b/y.igc")

    def scan(folder: str) -> Iterator[os.DirEntry[str]]:
        if folder.endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", scan)
    first, second = find([str(tmp_path)])

    assert (reading(first), second.name) == (f"{tmp_path}/a cannot be read: Permission denied", str(path))


def test_a_name_that_is_no_text_can_be_shown(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/fl\xffght.igc"
    with open(path, "wb") as file:  # noqa: PTH123 - a path in bytes
        file.write(b"track")

    (source,) = find([str(tmp_path)])

    assert (source.name, source.file_name, source.read()) == (f"{tmp_path}/fl\\xffght.igc", "fl\\xffght.igc", b"track")


def test_they_are_counted_without_being_read(tmp_path: Path) -> None:
    zipped(tmp_path / "task.zip", ("a.igc", b""), ("b.igc", b""))
    write(tmp_path / "c.igc")

    assert count([str(tmp_path), "-"], b"track") == 4


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing.igc", "cannot be read: No such file or directory"), ("no/*.igc", "is a pattern, and no file is named so")],
)
def test_a_path_that_leads_nowhere_says_so(tmp_path: Path, name: str, reason: str) -> None:
    (source,) = find([str(tmp_path / name)])

    assert reading(source) == f"{tmp_path / name} {reason}"


def test_a_folder_without_flights_says_so(tmp_path: Path) -> None:
    write(tmp_path / "notes.md")

    notes, source = find([str(tmp_path)])

    assert is_passed_over(notes)
    assert reading(source) == f"{tmp_path} holds no .bin, .csv, .fit, .geojson, .gpx, .igc, .json, .tsv, .txt, .zip file"


def test_a_broken_archive_says_so(tmp_path: Path) -> None:
    (source,) = find([str(write(tmp_path / "broken.zip", b"PK\x03\x04 nothing"))])

    with pytest.raises(PointqError, match="no zip archive that can be read"):
        source.read()


def test_a_damaged_member_does_not_hide_the_others(tmp_path: Path) -> None:
    path = tmp_path / "half.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("bad.igc", b"x" * 100)
        file.writestr("good.igc", b"y" * 100)
    data = bytearray(path.read_bytes())
    data[data.index(b"x" * 100)] ^= 1
    path.write_bytes(data)

    outcomes = []
    for source in find([str(path)]):
        try:
            outcomes.append(source.read())
        except PointqError as exc:
            outcomes.append(exc.message.encode())

    assert b"cannot be unpacked" in outcomes[0]
    assert outcomes[1] == b"y" * 100


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"from a pipe")))

    (source,) = find(["-"], stdin=read_stdin())

    assert (source.name, source.read()) == ("-", b"from a pipe")


def test_standard_input_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"from a pipe")))
    bounds = Bounds(file_bytes=4)

    (source,) = find(["-"], bounds, stdin=read_stdin(bounds))

    assert reading(source) == "- is larger than 0 MiB"
