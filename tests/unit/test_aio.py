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
