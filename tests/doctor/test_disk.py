"""The data folder and the spool."""

import os
import shutil
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pointq.ops.doctor.sources import disk
from pointq.spool.quarantine import FOLDER
from pointq.spool.record import Record
from pointq.spool.spool import Spool
from tests.doctor.doctor import Patient, lines_of

NOW_US = 1_782_043_200_000_000
MEBIBYTE = 2**20
MEMORY = Path("/dev/shm")  # noqa: S108 - looked at, not written


@pytest.fixture
def data(patient: Patient) -> Path:
    folder = patient.home / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
async def spool(data: Path) -> AsyncIterator[Spool]:
    spool = await Spool.open(data / "spool")
    await spool.append([Record("live", 3, b"frame", NOW_US)])
    yield spool
    await spool.close()


async def test_a_folder_that_is_not_made_yet(patient: Patient) -> None:
    line = await patient.line("disk.data_dir")

    assert line.severity == "ok"
    assert "is not there yet" in line.message


@pytest.mark.parametrize(("mode", "severity"), [(0o700, "ok"), (0o711, "ok"), (0o770, "fail"), (0o777, "fail")])
async def test_who_may_write(patient: Patient, data: Path, mode: int, severity: str) -> None:
    os.chmod(data, mode)  # noqa: PTH101 - pathlib's is taken for one that blocks

    assert await patient.severity("disk.data_dir") == severity


@pytest.fixture
def closed(data: Path) -> Path:
    data.chmod(0o500)
    return data


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("below", ["", "further/down"])
async def test_a_folder_that_cannot_be_written(patient: Patient, closed: Path, below: str) -> None:
    assert await patient.with_(POINTQ_DATA_DIR=str(closed / below)).severity("disk.data_dir") == "fail"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
async def test_somebody_elses_folder(patient: Patient, data: Path) -> None:
    shutil.chown(data, "nobody")

    assert await patient.severity("disk.data_dir") == "warn"


@pytest.mark.parametrize(("free", "severity"), [(2048, "ok"), (1023, "warn"), (63, "fail")])
async def test_room_for_the_spool(patient: Patient, monkeypatch: pytest.MonkeyPatch, free: int, severity: str) -> None:
    found = list(os.statvfs("/"))
    found[1], found[4] = MEBIBYTE, free
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(found))

    assert await patient.severity("disk.space") == severity


async def test_room_does_not_matter_without_a_spool(patient: Patient) -> None:
    report = await patient.with_(POINTQ_SERVE__FALLBACK="database").examine()

    assert not list(lines_of(report, "disk.space"))


@pytest.mark.skipif(not MEMORY.is_dir(), reason="there is no tmpfs to look at")
async def test_a_folder_in_memory(patient: Patient) -> None:
    in_memory = patient.with_(POINTQ_DATA_DIR=str(MEMORY / "pointq"))

    assert await in_memory.severity("disk.file_system") == "fail"
    assert await in_memory.with_(POINTQ_SERVE__FALLBACK="database").severity("disk.file_system") == "warn"


@pytest.mark.parametrize(("type_", "severity"), [("ext4", "ok"), ("nfs4", "warn"), ("overlay", "warn"), ("fuse.sshfs", "warn")])
async def test_file_systems(patient: Patient, monkeypatch: pytest.MonkeyPatch, type_: str, severity: str) -> None:
    monkeypatch.setattr(disk, "_type", lambda _: type_)

    assert await patient.severity("disk.file_system") == severity


async def test_points_of_a_server_that_ended(patient: Patient, spool: Spool) -> None:
    assert await patient.severity("disk.orphans") == "ok"

    await spool.close()

    line = await patient.line("disk.orphans")
    assert (line.severity, line.mend) == ("warn", "pointq serve")
    assert "3 points are in" in line.message


async def test_a_running_server_drains_them(patient: Patient, spool: Spool, data: Path) -> None:
    second = await Spool.open(data / "spool")
    await spool.close()

    line = await patient.line("disk.orphans")
    await second.close()

    assert line.severity == "ok"
    assert "a running one drains it" in line.message


async def test_a_spool_that_is_nearly_full(patient: Patient, spool: Spool) -> None:
    assert await patient.severity("disk.spool") == "ok"

    full = patient.with_(POINTQ_SPOOL__MAX_BYTES=str(spool.bytes))

    assert await full.severity("disk.spool") == "warn"


async def test_what_is_in_quarantine(patient: Patient, spool: Spool, data: Path) -> None:
    assert await patient.severity("disk.quarantine") == "ok"

    with damaged(data / "spool" / str(spool.slot)) as folder:
        line = await patient.line("disk.quarantine")

    assert line.severity == "warn"
    assert str(folder) in line.message


@contextmanager
def damaged(slot: Path) -> Iterator[Path]:
    folder = slot / FOLDER
    folder.mkdir()
    (folder / "damaged.json").write_text("{}")
    yield folder


async def test_a_disk_that_hangs_holds_nothing_back(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    thawed = threading.Event()
    nearest = disk._nearest
    monkeypatch.setattr(disk, "_nearest", lambda path: thawed.wait() and nearest(path))
    started = time.monotonic()

    report = await patient.hasty.examine()

    took = time.monotonic() - started
    thawed.set()
    assert took < 3
    assert report.seconds < 1.5
    for check in ("disk.data_dir", "disk.space"):
        (line,) = lines_of(report, check)
        assert (line.severity, line.message[:18]) == ("warn", "could not find out")
    assert [line.severity for line in lines_of(report, "disk.quarantine")] == ["ok"]
