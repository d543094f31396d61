"""What a path means to an import."""

import io
import zipfile
from pathlib import Path

import pytest

from pointq.errors import PointqError
from pointq.formats.detect import FORMATS
from pointq.ops.sources import find


def names(*paths: str) -> list[str]:
    return [source.name for source in find(paths)]


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
        file.writestr("readme.md", b"no flight")
        file.writestr("b.igc", b"second")

    found = list(find([str(tmp_path)]))
    reading = {source.name: source.read() for source in find([str(tmp_path)])}

    assert [source.name for source in found] == [f"{tmp_path}/task.zip:x/a.igc", f"{tmp_path}/task.zip:b.igc"]
    assert list(reading.values()) == [b"first", b"second"]


@pytest.mark.parametrize("name", ["missing.igc", "no/*.igc"])
def test_a_path_that_leads_nowhere_says_so(tmp_path: Path, name: str) -> None:
    (source,) = find([str(tmp_path / name)])

    with pytest.raises(PointqError, match="No such file"):
        source.read()


def test_a_folder_without_flights_says_so(tmp_path: Path) -> None:
    write(tmp_path / "notes.md")

    (source,) = find([str(tmp_path)])

    with pytest.raises(PointqError, match=r"holds no \.bin, \.csv, .*\.zip file"):
        source.read()


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
    stdin = io.TextIOWrapper(io.BytesIO(b"from a pipe"))
    monkeypatch.setattr("sys.stdin", stdin)

    (source,) = find(["-"])

    assert (source.name, source.read()) == ("-", b"from a pipe")
