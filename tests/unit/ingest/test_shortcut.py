"""The short way gives the same answers as aiohttp's own, and is taken where it may be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from pointq.ingest.drain import Drain
from pointq.ingest.shortcut import accepted_response, take_shortcut

PATH = "/tracking/live"
DOCUMENT = b'{"success":true}'
BODY = b'{"lat":45.8}'
LENGTH = f"Content-Length: {len(BODY)}"


class Site:
    """A server on loopback with one path that takes points; it knows how many requests found a route."""

    def __init__(self) -> None:
        self.routed = 0
        self.bodies: list[bytes] = []

    async def accept(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.read())
        return accepted_response(request, DOCUMENT)

    @asynccontextmanager
    async def serve(self, *, short: bool) -> AsyncIterator[tuple[str, int]]:
        app = web.Application()
        app.router.add_post(PATH, self.accept)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        assert runner.server is not None
        by_route = runner.server.request_handler

        async def counted(request: web.BaseRequest) -> web.StreamResponse:
            self.routed += 1
            return await by_route(request)

        runner.server.request_handler = counted
        if short:
            take_shortcut(runner.server, {PATH: self.accept}, Drain())
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            yield host, port
        finally:
            await runner.cleanup()


async def exchange(address: tuple[str, int], head: list[str], *, times: int = 1) -> list[tuple[str, dict[str, str], bytes]]:
    """Send a request, several times over one connection while it lasts; status lines, headers without the date, and bodies."""
    reader, writer = await asyncio.open_connection(*address)
    answers = []
    try:
        for _ in range(times):
            writer.write("\r\n".join([*head, "Host: pointq", LENGTH, "", ""]).encode() + BODY)
            status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
            if status.endswith("100 Continue"):
                status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines)
            assert headers.pop("Date").endswith(" GMT")
            answers.append((status, headers, await reader.readexactly(int(headers["Content-Length"]))))
            if headers.get("Connection") == "close":
                assert await reader.read() == b""
                break
    finally:
        writer.close()
    return answers


@pytest.mark.parametrize(
    ("head", "routed"),
    [
        ([f"POST {PATH} HTTP/1.1"], 0),
        ([f"POST {PATH} HTTP/1.1", "Connection: close"], 0),
        ([f"POST {PATH} HTTP/1.0", "Connection: keep-alive"], 0),
        ([f"POST {PATH} HTTP/1.1", "Expect: 100-continue"], 1),
        ([f"POST {PATH}?key=1 HTTP/1.1"], 1),
        ([f"POST {PATH}/ HTTP/1.1"], 1),
        (["POST /tracking%2Flive HTTP/1.1"], 1),
        ([f"GET {PATH} HTTP/1.1"], 1),
        ([f"PUT {PATH} HTTP/1.1"], 1),
    ],
)
async def test_the_answer_is_the_same_either_way(head: list[str], routed: int) -> None:
    long, short = Site(), Site()
    async with long.serve(short=False) as long_address, short.serve(short=True) as short_address:
        expected = await exchange(long_address, head, times=3)
        assert await exchange(short_address, head, times=3) == expected

    assert long.bodies == short.bodies
    assert long.routed == len(expected)
    assert short.routed == routed * len(expected)


async def test_a_request_in_pieces_takes_the_short_way_too() -> None:
    site = Site()
    async with site.serve(short=True) as address:
        reader, writer = await asyncio.open_connection(*address)
        for piece in (f"POST {PATH} HTTP/1.1\r\nHost: pointq\r\n", f"{LENGTH}\r\n\r\n", BODY.decode()):
            writer.write(piece.encode())
            await writer.drain()
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 202 Accepted\r\n")
        writer.close()

    assert (site.bodies, site.routed) == ([BODY], 0)


async def test_answers_to_requests_that_come_together_come_in_order() -> None:
    site = Site()
    async with site.serve(short=True) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write((f"POST {PATH} HTTP/1.1\r\nHost: pointq\r\n{LENGTH}\r\n\r\n".encode() + BODY) * 5)
        for _ in range(5):
            head = await reader.readuntil(b"\r\n\r\n")
            assert f"Content-Length: {len(DOCUMENT)}".encode() in head
            assert await reader.readexactly(len(DOCUMENT)) == DOCUMENT
        writer.close()

    assert site.routed == 0
