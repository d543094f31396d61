"""Posting files to a server that is busy, closed, or something else."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from pointq.errors import UsageError
from pointq.ops.importing.answer import PATH, to_answer
from pointq.ops.importing.options import Options
from pointq.ops.importing.reading import Task, read
from pointq.ops.importing.remote import Remote, Unreachable
from tests.support.flights import igc
from tests.support.guarded import free_port

TASK = Task("day/a.igc", "a.igc", igc("B1000004530000N00630000EA0100001100"), Options(), 1_800_000_000_000_000)

Answers = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def server(answer: Answers) -> AsyncIterator[str]:
    """Serve that answer on a free port."""
    app = web.Application()
    app.router.add_post(PATH, answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def remote(url: str, token: str | None = None) -> AsyncIterator[Remote]:
    reader = Remote(url, token)
    try:
        yield reader
    finally:
        await reader.close()


def good() -> web.Response:
    return web.json_response({"files": [to_answer(read(TASK).report)]}, status=202, dumps=_dumps)


def _dumps(value: object) -> str:
    import orjson  # noqa: PLC0415 - times as the server writes them

    return orjson.dumps(value).decode()


async def test_a_busy_server_is_tried_again() -> None:
    asked: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        asked.append(request.headers.get("Authorization"))
        return good() if len(asked) == 2 else web.Response(status=503, headers={"Retry-After": "0"})

    async with server(answer) as url, remote(url, "secret") as reader:
        file = await reader.read(TASK)

    assert asked == ["Bearer secret"] * 2
    local = read(TASK).report
    assert (file.report.file, file.report.outcome, file.report.fixes) == ("day/a.igc", "accepted", 1)
    same = ("start", "flight_ids", "flights", "highest")
    assert [getattr(file.report, name) for name in same] == [getattr(local, name) for name in same]


@pytest.mark.parametrize(("was_named", "outcome"), [(True, "failed"), (False, "passed over")])
async def test_what_is_no_track_is_passed_over_unless_it_was_named(*, was_named: bool, outcome: str) -> None:
    task = replace(TASK, data=b"rank,pilot", file_name="results.csv")

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"files": [to_answer(read(task).report)]}, status=422)

    async with server(answer) as url, remote(url) as reader:
        file = await reader.read(replace(task, was_named=was_named))

    assert (file.report.outcome, file.report.foreign) == (outcome, True)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_server_that_lets_nobody_in(status: int) -> None:
    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=status)

    async with server(answer) as url, remote(url) as reader:
        with pytest.raises(Unreachable, match=f"lets nobody in: {status}") as caught:
            await reader.read(TASK)

    assert "--token" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (413, b'{"detail": "the body is too large"}', "the server refuses the file: the body is too large"),
        (500, b"<html>", "the server refuses the file: it says nothing"),
        (202, b'{"files": [{}]}', "answer (202) cannot be read"),
        (202, b"[]", "answer (202) cannot be read"),
    ],
)
async def test_an_answer_that_is_none_fails_that_file(status: int, body: bytes, reason: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=status, body=body)

    async with server(answer) as url, remote(url) as reader:
        file = await reader.read(TASK)

    assert file.report.outcome == "failed"
    assert reason in (file.report.error or "")


async def test_a_server_that_does_not_run() -> None:
    async with remote(f"http://127.0.0.1:{free_port()}") as reader:
        with pytest.raises(Unreachable, match=r"/tracking/import cannot be reached: Connect call failed") as caught:
            await reader.read(TASK)

    assert caught.value.hint == "check --url, and that the server runs"


@pytest.mark.parametrize("url", ["host:8000", "ftp://host", "http://", ""])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(UsageError, match="--url is the address"):
        Remote(url)


@pytest.mark.parametrize(
    "url", ["http://host:8000?token=hidden", "http://host:8000/tracking/import?token=hidden#x", "ftp://u:hidden@h"]
)
def test_an_address_that_is_refused_shows_no_token(url: str) -> None:
    with pytest.raises(UsageError, match=r"\*\*\*") as caught:
        Remote(url)

    assert "hidden" not in str(caught.value)
    assert "POINTQ_TOKEN" in str(caught.value.hint)


@pytest.mark.parametrize("url", ["http://u:hidden@127.0.0.1:1", "http://u:top/hidden@127.0.0.1:1"])
async def test_a_server_that_cannot_be_reached_shows_no_password(url: str) -> None:
    async with remote(url) as reader:
        with pytest.raises(Unreachable, match=r"cannot be reached") as caught:
            await reader.read(TASK)

    assert "hidden" not in str(caught.value)
