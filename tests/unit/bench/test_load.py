"""The load generator against a server of a few lines, which does as it is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from pointq.ops.bench.figures import percentile
from pointq.ops.bench.load import closed_loop, open_loop, request

STALL_SECONDS = 0.3

Answer = Callable[[int], Awaitable[bytes]]
"""What the server answers to its n-th request."""


async def accept(_: int) -> bytes:
    return b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[str]:
    """A server that answers as it is told; its address."""
    asked = 0
    ended: list[asyncio.Event] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        ended.append(end := asyncio.Event())
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length:")[2].split()[0])
                await reader.readexactly(length)
                asked += 1
                writer.write(await answer(asked))
        except asyncio.IncompleteReadError:
            writer.close()
            await writer.wait_closed()
        finally:
            end.set()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"
        for end in ended:
            await end.wait()


async def test_every_request_is_sent_once_and_every_answer_counted() -> None:
    async with serving(accept) as url:
        load = await closed_loop(url, [request(url, "/", b"{}")] * 100, connections=7)

    assert load.statuses == {202: 100}
    assert load.answered == len(load.latencies) == 100
    assert load.per_second == pytest.approx(100 / load.seconds)


async def test_a_closed_loop_for_a_while_sends_again_and_again() -> None:
    async with serving(accept) as url:
        load = await closed_loop(url, [request(url, "/", b"{}")], connections=2, seconds=0.1)

    assert load.answered > 2
    assert load.seconds >= 0.1


async def test_answers_that_come_in_pieces_are_one() -> None:
    async def with_body(number: int) -> bytes:
        return b"HTTP/1.1 %d Some\r\ncontent-LENGTH: 100000\r\nX: y\r\n\r\n%s" % (200 + number, b"x" * 100_000)

    async with serving(with_body) as url:
        load = await closed_loop(url, [request(url, "/", b"[]")] * 3, connections=1)

    assert load.statuses == {201: 1, 202: 1, 203: 1}


async def test_an_answer_without_a_length_has_no_body() -> None:
    async def short(_: int) -> bytes:
        return b"HTTP/1.1 204 No Content\r\n\r\n"

    async with serving(short) as url:
        assert (await closed_loop(url, [request(url, "/", b"[]")] * 2, connections=1)).statuses == {204: 2}


async def test_a_connection_that_is_closed_ends_the_load() -> None:
    async def broken(number: int) -> bytes:
        if number == 2:
            raise asyncio.IncompleteReadError(b"", None)
        return await accept(number)

    async with serving(broken) as url:
        with pytest.raises(ConnectionResetError, match="closed the connection"):
            await closed_loop(url, [request(url, "/", b"{}")] * 3, connections=1)


async def test_an_open_loop_keeps_its_rate() -> None:
    async with serving(accept) as url:
        load = await open_loop(url, [request(url, "/", b"{}")], connections=4, rate=200, seconds=0.25)

    assert load.answered == 50
    assert load.seconds >= 0.24


async def test_a_stall_is_charged_to_every_request_that_should_have_been_sent_meanwhile() -> None:
    async def stall_once(number: int) -> bytes:
        if number == 10:
            await asyncio.sleep(STALL_SECONDS)
        return await accept(number)

    async with serving(stall_once) as url:
        closed = await closed_loop(url, [request(url, "/", b"{}")] * 100, connections=1)
    async with serving(stall_once) as url:
        load = await open_loop(url, [request(url, "/", b"{}")], connections=1, rate=200, seconds=0.5)

    # a loop that waits for its answer met the stall once: its median and 95th percentile know nothing of it
    assert percentile(closed.latencies, 0.95) < STALL_SECONDS / 3
    # sixty requests were due in it
    assert sum(latency > STALL_SECONDS / 10 for latency in load.latencies) > 40
    assert percentile(load.latencies, 0.95) > STALL_SECONDS * 0.7
