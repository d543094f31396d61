"""A parent that watches over a process, on a machine that stands still now and then."""

import asyncio
import os
import signal
import time
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


def watched() -> tuple[Supervisor, asyncio.Event]:
    up = asyncio.Event()
    job = Job("tests.unit.supervision.talker", "talking", {}, STYLE, watch_seconds=WATCH_SECONDS)
    return Supervisor([job], up.set), up


def pid(supervisor: Supervisor) -> int:
    return supervisor._processes[0].pid


async def test_nobody_is_killed_because_the_whole_machine_stood_still(caplog: pytest.LogCaptureFixture) -> None:
    supervisor, up = watched()
    supervisor.start()
    await up.wait()
    child = pid(supervisor)

    os.kill(child, signal.SIGSTOP)
    time.sleep(WATCH_SECONDS * 1.25)  # noqa: ASYNC251 - the parent stands still, too
    os.kill(child, signal.SIGCONT)
    await asyncio.sleep(WATCH_SECONDS)

    assert pid(supervisor) == child
    assert not caplog.records
    await supervisor.stop()


async def test_one_that_hangs_alone_is_killed_and_another_started(caplog: pytest.LogCaptureFixture) -> None:
    supervisor, up = watched()
    supervisor.start()
    await up.wait()
    child = pid(supervisor)

    os.kill(child, signal.SIGSTOP)
    async with asyncio.timeout(60):
        while pid(supervisor) == child:  # noqa: ASYNC110 - a process sets no event
            await asyncio.sleep(0.05)

    assert f"talking process {child} hangs: no sign of life for 2 s" in caplog.messages
    await supervisor.stop()
