"""Questions to somebody who may not answer."""

import asyncio

import pytest

from pointq.errors import RedisError
from pointq.ops.question import Question

PATIENCE = 0.05


class Somebody:
    """Answers when the test lets it."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.error: Exception | None = None

    async def ask(self) -> int:
        self.asked += 1
        number = self.asked
        await self.may_answer.wait()
        if self.error:
            raise self.error
        return number


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_what_hangs_is_asked_once_and_counts_when_it_comes() -> None:
    somebody, clock = Somebody(), Clock()
    question = Question(somebody.ask, clock=clock)

    first = await question.answer(PATIENCE)
    clock.now += 7
    second = await question.answer(PATIENCE)
    somebody.may_answer.set()

    assert (str(first), str(second)) == ("no answer within 0.05 s (patience_seconds)", "no answer for 7 s")
    assert await question.answer(PATIENCE) == 1
    assert await question.answer(PATIENCE) == 2


async def test_who_answers_with_an_error_is_left_alone_for_a_while() -> None:
    somebody, clock = Somebody(), Clock()
    somebody.may_answer.set()
    somebody.error = RedisError("away")
    question = Question(somebody.ask, clock=clock)

    said = [await question.answer(PATIENCE) for _ in range(5)]
    assert said == [somebody.error] * 5
    assert somebody.asked == 1

    clock.now += 2.0
    somebody.error = None
    assert await question.answer(PATIENCE) == 2


async def test_waits_grow_to_two_seconds_and_no_longer() -> None:
    somebody, clock = Somebody(), Clock()
    somebody.may_answer.set()
    somebody.error = RedisError("away")
    question = Question(somebody.ask, clock=clock)
    for _ in range(600):
        await question.answer(PATIENCE)
        clock.now += 0.1

    # a minute: at least every two seconds, with a factor between a half and one
    assert 30 <= somebody.asked <= 75


async def test_a_defect_is_not_swallowed() -> None:
    somebody = Somebody()
    somebody.may_answer.set()
    somebody.error = ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        await Question(somebody.ask).answer(PATIENCE)


async def test_closing_leaves_nothing_running() -> None:
    somebody = Somebody()
    question = Question(somebody.ask)
    await question.answer(PATIENCE)
    await question.close()
    await question.close()

    assert asyncio.all_tasks() == {asyncio.current_task()}
