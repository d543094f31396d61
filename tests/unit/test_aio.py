"""What pointq adds to asyncio."""

import asyncio
import contextlib

import pytest

from pointq import aio


async def swallow() -> str:
    """What a library does that keeps a cancellation to itself."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    aio.check_cancelled()
    return "went on"


async def test_a_cancellation_that_was_swallowed_is_raised_again() -> None:
    task = asyncio.create_task(swallow())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_without_one_nothing_is_raised() -> None:
    aio.check_cancelled()


async def test_what_is_to_be_finished_is_and_the_cancellation_comes_behind_it() -> None:
    done: list[int] = []

    async def step(number: int) -> int:
        await asyncio.sleep(0.01)
        done.append(number)
        return number

    async def steps() -> None:
        for number in range(3):
            aio.check_cancelled()
            assert await aio.finished(step(number)) == number

    task = asyncio.create_task(steps())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [0]


async def test_rounds_go_on_after_a_defect_and_end_behind_the_one_that_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(aio, "_DEFECT_SECONDS", 0)
    done: list[int] = []
    third = asyncio.Event()

    async def once() -> float:
        done.append(len(done))
        if len(done) == 1:
            raise RuntimeError("a slip")
        if len(done) == 3:
            third.set()
            await asyncio.sleep(0)
            done.append(-1)
        return 0

    rounds = aio.Rounds("test", once)
    await rounds.stop()
    rounds = aio.Rounds("test", once)
    rounds.start()
    rounds.start()
    await third.wait()
    await rounds.stop()
    assert done == [0, 1, 2, -1]
    assert "a defect in what goes on beside the requests: test" in caplog.text
    assert "a slip" in caplog.text
