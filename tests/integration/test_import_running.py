"""An import while it runs: several files at a time, a full queue, a Ctrl-C; and what it writes down of what it refused."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.flights import fresh_igc, igc
from tests.support.sites import Site
from tests.support.until import PATIENCE_SECONDS, until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four flights of five fixes."""
    path = tmp_path / "task"
    path.mkdir()
    for name in "abcd":
        (path / f"{name}.igc").write_bytes(fresh_igc())
    return path


@pytest.fixture
def narrow(site: Site) -> Site:
    """The same site with room for two of them in the queue."""
    return Site(site.redis_url, site.database_url, site.prefix, site.home, {"POINTQ_QUEUE__IMPORT_MAX_POINTS": "10"})


def test_several_at_a_time_change_nothing(site: Site, folder: Path) -> None:
    (folder / "bad.igc").write_bytes(b"hello")
    many, one = (site.report("import", str(folder), "--dry-run", "--jobs", jobs, expect=5)["files"] for jobs in ("3", "1"))

    assert many == one
    assert [Path(file["file"]).stem for file in many] == ["a", "b", "bad", "c", "d"]


def test_it_waits_while_the_queue_is_full(narrow: Site, folder: Path) -> None:
    done = narrow.run("import", str(folder), "--timeout", "0.3", expect=4)

    assert "the queue holds 10 points" in done.stderr
    assert "2 files of 4 are not imported" in done.stderr
    assert done.stdout.splitlines()[-1].startswith("2 files, 10 fixes")
    assert narrow.status()["totals"]["accepted_points"] == 10


def test_it_goes_on_as_workers_make_room(narrow: Site, folder: Path) -> None:
    with narrow.work():
        assert narrow.report("import", str(folder), "--wait")["totals"]["new"] == 20


@contextmanager
def importing(site: Site, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Start an import, to be ended by a signal."""
    process = subprocess.Popen(
        (sys.executable, "-m", "pointq", "import", *arguments),
        env=site.environ,
        cwd=site.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_ctrl_c_says_what_is_done_and_what_is_not(narrow: Site, folder: Path) -> None:
    with importing(narrow, str(folder), "--json") as process:
        until(lambda: narrow.status()["totals"]["accepted_points"] == 10, "half of the points are in the queue")
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 130
    report = json.loads(stdout)
    assert (report["interrupted"], report["found"]) == (True, 4)
    assert [Path(file["file"]).stem for file in report["files"]] == ["a", "b"]
    assert "2 files of 4 are not imported" in stderr
    assert "Traceback" not in stderr


def test_a_ctrl_c_while_it_waits_for_workers(site: Site, folder: Path) -> None:
    with importing(site, str(folder), "--wait") as process:
        until(lambda: site.status()["totals"]["accepted_points"] == 20, "all points are in the queue")
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 130
    assert "every file was imported" in stderr
    assert stdout.splitlines()[-1] == "4 files, 20 fixes, 0 rejected"


def test_rejects_are_written_down(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    bad = "B1000014561000N00630000EA0000001500 \x1b[31m"
    (folder / "a.igc").write_bytes(igc("B1000004530000N00630000EA0000001500", bad))
    (folder / "b.igc").write_bytes(b"hello")

    site.run("import", str(folder), "--dry-run", "--rejects", str(tmp_path / "rejects.jsonl"), expect=5)

    line, file = map(json.loads, (tmp_path / "rejects.jsonl").read_text().splitlines())
    assert line == {
        "file": str(folder / "a.igc"),
        "line": 4,
        "record": "line",
        "offset": None,
        "reason": "the latitude in bytes 8-15 is not DDMMmmm and N or S, at most 90 degrees",
        "text": bad.replace("\x1b", "\\x1b"),
    }
    assert (file["file"], file["line"], file["text"]) == (str(folder / "b.igc"), None, None)
    assert "unknown format" in file["reason"]


def test_rejects_that_cannot_be_written(site: Site, folder: Path, tmp_path: Path) -> None:
    done = site.run("import", str(folder), "--dry-run", "--rejects", str(tmp_path), expect=1)

    assert "cannot be written" in done.stderr


def test_many_files_make_a_short_table(site: Site, tmp_path: Path) -> None:
    for i in range(310):
        (tmp_path / f"{i:03}.igc").write_bytes(igc("B1000004530000N00630000EA0000001500"))
    (tmp_path / "300.igc").rename(tmp_path / "zzz.igc")
    (tmp_path / "zzz.igc").write_bytes(b"hello")

    done = site.run("import", str(tmp_path), "--dry-run", expect=5)

    assert [line.split() for line in done.stdout.splitlines() if ".igc" in line] == [["zzz.igc", "failed"]]
    assert "not listed here: 309 files without trouble" in done.stdout
    assert done.stdout.splitlines()[-1] == "310 files, 309 fixes, 0 rejected, 1 file failed"
