"""`pointq import` of a folder in which everything is wrong but two files: those are imported, the rest is told, exit code 5."""

import os
import struct
import zipfile
from pathlib import Path

from tests.support.sites import Site

DONE_WITH_REJECTS = 5
NAME = "evil\x1b[31m\x1b]0;owned\x07\r\n\u202e.igc"
"""Colours the terminal, sets its title, ends the line, turns the text round."""


def igc(second: int) -> bytes:
    return f"AXXX001\r\nHFDTE010624\r\nB1000{second:02}4530000N00630000EA0100001500\r\n".encode()


def folder_of_horrors(folder: Path) -> None:
    folder.mkdir()
    (folder / "good.igc").write_bytes(igc(1))
    (folder / NAME).write_bytes(b"AXXX\r\nHFDTE010624\r\n\x1b[31mB1000\x1b[0m\r\nB10\x1b[31m\r\n")
    os.mkfifo(folder / "pipe.igc")
    (folder / "device.igc").symlink_to("/dev/zero")
    (folder / "loop.igc").symlink_to("loop.igc")
    (folder / "dangling.igc").symlink_to("nowhere")
    (folder / "folder.igc").mkdir()
    (folder / "random.igc").write_bytes(bytes(range(256)))
    with (folder / "huge.igc").open("wb") as file:
        file.truncate(2**30)
    with zipfile.ZipFile(folder / "archive.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("../../good.igc", igc(2))
        file.writestr(f"x/{NAME}", b"nothing")
        file.writestr("bomb.igc", bytes(50_000_000))
    (folder / "cut.zip").write_bytes((folder / "archive.zip").read_bytes()[:200])
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 46_000_000, 0, 0)
    (folder / "many.zip").write_bytes(bytes(46_000_000) + end)


def test_what_is_good_is_imported_and_the_rest_is_told(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "flights"
    folder_of_horrors(folder)
    report = site.report("import", str(folder), expect=DONE_WITH_REJECTS)
    outcomes = {file["file"].removeprefix(f"{folder}/"): file["outcome"] for file in report["files"]}
    assert [name for name, outcome in outcomes.items() if outcome == "queued"] == ["archive.zip:../../good.igc", "good.igc"]
    assert {"archive.zip:bomb.igc", "cut.zip", "huge.igc", "many.zip", "random.igc"} <= {
        name for name, outcome in outcomes.items() if outcome == "failed"
    }
    site.drain()
    assert len(site.points("upload")) == 2
    assert not (tmp_path.parent / "good.igc").exists()


def test_no_name_reaches_the_terminal_as_it_is(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "flights"
    folder_of_horrors(folder)
    (folder / os.fsdecode(b"not-utf8-\xff.igc")).write_bytes(igc(3))
    done = site.run("import", str(folder), expect=DONE_WITH_REJECTS)
    shown = done.stdout + done.stderr
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(shown)
    assert r"evil\x1b[31m\x1b]0;owned\x07\r\n" in done.stderr
