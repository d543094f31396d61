"""Files read in processes of their own."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from pointq.ops.importing.options import Options
from pointq.ops.importing.readers import Processes, longest_seconds
from pointq.ops.importing.reading import Task, read
from tests.support.flights import igc, read_or_die, read_or_hang

TRACK = igc("B1000004530000N00630000EA0100001100")


def task(name: str, data: bytes = TRACK) -> Task:
    return Task(name, name, data, Options(), 1_800_000_000_000_000)


@pytest.fixture
async def processes() -> AsyncIterator[Processes]:
    reader = Processes(2, read_or_die)
    yield reader
    await reader.close()


async def test_a_process_that_dies_costs_its_own_file(processes: Processes) -> None:
    names = ("a", "deadly", "b", "deadly", "c")

    files = await asyncio.gather(*(processes.read(task(name)) for name in names))

    assert [file.report.outcome for file in files] == ["readable", "failed", "readable", "failed", "readable"]
    assert [file.report.file for file in files] == list(names)
    assert "the process that read it died" in (files[1].report.error or "")


async def test_a_parser_that_hangs_costs_its_own_file() -> None:
    reader = Processes(1, read_or_hang, lambda size: 3.0 if size == len(TRACK) else 60.0)
    good = TRACK + b"\r\n"

    files = await asyncio.gather(reader.read(task("endless")), reader.read(task("a", good)), reader.read(task("b", good)))
    await reader.close()

    assert [file.report.outcome for file in files] == ["failed", "readable", "readable"]
    assert files[0].report.error == "it is not read after 3 s, and given up: a file made to do harm, or a defect"


async def test_a_file_that_nobody_waits_for_any_more_keeps_nobody() -> None:
    reader = Processes(1, read_or_hang)
    reading = asyncio.create_task(reader.read(task("endless")))
    first = asyncio.create_task(reader.read(task("a")))
    await asyncio.sleep(0)
    reading.cancel()

    assert (await first).report.outcome == "readable"
    with pytest.raises(asyncio.CancelledError):
        await reading
    await reader.close()


def test_a_large_file_may_take_longer() -> None:
    assert (longest_seconds(0), longest_seconds(16 * 2**20)) == (60.0, 380.0)


async def test_they_read_what_this_process_reads(processes: Processes) -> None:
    there, here = await processes.read(task("a")), read(task("a"))

    assert there.report == here.report
    assert there.pieces == here.pieces
    assert there.flights == here.flights


async def test_closing_twice_or_unused_is_harmless() -> None:
    reader = Processes(2)

    await reader.close()
    await reader.close()


async def test_one_that_is_started_ahead_reads_the_first_file() -> None:
    reader = Processes(1)
    reader.start()

    files = [await reader.read(task(name)) for name in ("a", "b")]
    await reader.close()

    assert [file.report.outcome for file in files] == ["readable", "readable"]
