"""A parent that watches over a process, on a machine that stands still now and then."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pointq.supervision.job import Job, LogStyle
from pointq.supervision.supervisor import Supervisor

PROJECT = Path(__file__).parents[3]
STYLE = LogStyle("info", "json", no_color=True)
WATCH_SECONDS = 2.0


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children find the tests."""
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    """One that watches over a process, which is up."""
    up = asyncio.Event()
    job = Job("tests.unit.supervision.talker", "talking", {}, STYLE, watch_seconds=WATCH_SECONDS)
    supervisor = Supervisor([job], up.set)
    supervisor.start()
    await up.wait()
    yield supervisor
    await supervisor.stop()


def pid(supervisor: Supervisor) -> int:
    return supervisor._processes[0].pid


async def test_nobody_is_killed_because_the_whole_machine_stood_still(
    supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    child = pid(supervisor)

    os.kill(child, signal.SIGSTOP)
    time.sleep(WATCH_SECONDS * 1.25)  # noqa: ASYNC251 - the parent stands still, too
    os.kill(child, signal.SIGCONT)
    # as long as it would take to find out that the child hangs
    await asyncio.sleep(WATCH_SECONDS)

    assert pid(supervisor) == child
    assert not caplog.records


async def test_one_that_hangs_alone_is_killed_and_another_started(
    supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    child = pid(supervisor)

    os.kill(child, signal.SIGSTOP)
    async with asyncio.timeout(60):
        while pid(supervisor) == child:  # noqa: ASYNC110 - a process sets no event
            await asyncio.sleep(0.05)

    assert f"talking process {child} hangs: no sign of life for 2 s" in caplog.messages
