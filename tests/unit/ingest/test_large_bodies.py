"""What is large once it is unpacked holds nobody up, and takes room until it is stored."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any

import pytest
from aiohttp import ClientSession, web

from pointq.ingest import flymaster
from pointq.ingest.group_commit import GroupCommit
from pointq.ingest.intake import Parcel, Via
from pointq.ingest.limits.arrivals import Arrivals
from pointq.ingest.packing import read_body
from pointq.ingest.services import Services
from pointq.points.kinds import FLYMASTER
from pointq.queue.lanes import lanes_of
from tests.support.points import flymaster_row, flymaster_text

MIB = 2**20
UPLOAD = gzip.compress(flymaster_text("7", (flymaster_row(0),)).ljust(22 * MIB), 1)


class Held:
    """An intake that keeps points until it is let go."""

    def __init__(self) -> None:
        self.came = asyncio.Semaphore(0)
        self.let_go = asyncio.Event()

    async def accept(self, _: list[Parcel], __: int = 0) -> Via:
        self.came.release()
        await self.let_go.wait()
        return Via.QUEUE


@asynccontextmanager
async def serving(handler: Any) -> AsyncIterator[tuple[ClientSession, str]]:
    """A server of that handler alone, and a client."""
    app = web.Application(client_max_size=256 * MIB)
    app.router.add_post(FLYMASTER.endpoint, handler)
    runner = web.AppRunner(app, access_log=None, auto_decompress=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        async with ClientSession(headers={"Content-Encoding": "gzip"}) as client:
            yield client, f"http://{host}:{port}{FLYMASTER.endpoint}"
    finally:
        await runner.cleanup()


@pytest.fixture
def arrivals() -> Arrivals:
    return Arrivals(16 * MIB)


async def status_of(client: ClientSession, url: str, body: bytes) -> int:
    async with client.post(url, data=body) as answer:
        return answer.status


async def test_uploads_take_room_until_they_are_stored(arrivals: Arrivals) -> None:
    """22 MiB each, of the 64 that there are, from a few kilobytes that were sent."""
    held = Held()
    commit = GroupCommit(FLYMASTER, lanes_of([FLYMASTER]), held)  # type: ignore[arg-type]
    services = Services({FLYMASTER: commit}, None, UTC, None, None, {FLYMASTER.endpoint: arrivals})  # type: ignore[arg-type]
    async with serving(flymaster.handlers(services)[FLYMASTER.endpoint]) as (client, url):
        waiting = [asyncio.create_task(status_of(client, url, UPLOAD)) for _ in range(2)]
        for _ in waiting:
            await asyncio.wait_for(held.came.acquire(), 10)

        assert await status_of(client, url, UPLOAD) == 429

        held.let_go.set()
        assert await asyncio.gather(*waiting) == [200, 200]
        assert await status_of(client, url, UPLOAD) == 200


async def test_large_bodies_are_unpacked_one_after_the_other_and_short_ones_at_once(arrivals: Arrivals) -> None:
    async def measure(request: web.Request) -> web.Response:
        return web.json_response(len(await read_body(request, arrivals)))

    async with serving(measure) as (client, url):
        while not arrivals.turn.locked():
            await arrivals.turn.acquire()
        large = asyncio.create_task(status_of(client, url, gzip.compress(bytes(MIB))))

        assert await status_of(client, url, gzip.compress(bytes(1000))) == 200
        assert not large.done()

        arrivals.turn.release()
        assert await large == 200


async def test_the_event_loop_goes_on_while_a_large_body_is_unpacked(arrivals: Arrivals) -> None:
    rounds = 0

    async def measure(request: web.Request) -> web.Response:
        nonlocal rounds
        unpacking = asyncio.create_task(read_body(request, arrivals))
        while not unpacking.done():
            rounds += 1
            await asyncio.sleep(0.001)
        return web.json_response(len(await unpacking))

    async with serving(measure) as (client, url):
        assert await status_of(client, url, gzip.compress(bytes(64 * MIB), 1)) == 200
    assert rounds > 3
