"""A request that was refused is gone with its answer: the collector, which seldom looks, has nothing to find."""

import asyncio
import gc
import gzip
from collections.abc import AsyncIterator, Iterator
from datetime import UTC

import orjson
import pytest
from aiohttp import ClientSession, web

from pointq.errors import RedisError
from pointq.ingest import flymaster, tracking
from pointq.ingest.group_commit import GroupCommit
from pointq.ingest.guard import guarded
from pointq.ingest.intake import Parcel, Via
from pointq.ingest.limits.arrivals import Arrivals
from pointq.ingest.services import Services
from pointq.points.kinds import FLYMASTER, KINDS, UPLOAD
from pointq.queue.lanes import lanes_of

POINTS = 2000
KEY = b"7," + b"0" * 64 + b"\n"
GOOD = {"lat": 45.0, "lon": 6.0, "datetime": "2026-06-21T11:59:00Z"}


class Closed:
    """An intake that takes nothing."""

    async def accept(self, _: list[Parcel], __: int = 0) -> Via:
        raise RedisError("Redis at x cannot be reached")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A server that refuses everything, one way or the other."""
    commits = {kind: GroupCommit(kind, lanes_of([kind]), Closed()) for kind in KINDS.values()}  # type: ignore[arg-type]
    arrivals = {kind.endpoint: Arrivals(2**20) for kind in commits}
    services = Services(commits, None, UTC, None, None, arrivals, flymaster_secret="s")  # type: ignore[arg-type]
    app = web.Application(client_max_size=2**20)
    for path, handler in {**tracking.handlers(services), **flymaster.handlers(services)}.items():
        app.router.add_post(path, guarded(handler))
    runner = web.AppRunner(app, access_log=None, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    for commit in commits.values():
        commit.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    for commit in commits.values():
        await commit.stop()
    await runner.cleanup()


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Without the collector."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def body(*points: object) -> bytes:
    return orjson.dumps({"flight_id": "x", "track_points": points})


REFUSED = {
    "points that are no objects": (UPLOAD.endpoint, body(*[[[], [], {}]] * POINTS), 422),
    "points that are nowhere": (UPLOAD.endpoint, body(*[{"lat": 91.5, "lon": 6.0, "datetime": 1, "a": [{}]}] * POINTS), 422),
    "a flight id that is none": (UPLOAD.endpoint, orjson.dumps({"flight_id": 7, "track_points": [[{}]] * POINTS}), 422),
    "no list of points": (UPLOAD.endpoint, orjson.dumps({"flight_id": "x", "track_points": {"a": [[{}]] * POINTS}}), 422),
    "a scoring flight that is none": (
        KINDS["scoring"].endpoint,
        orjson.dumps({"flight_uuid": "nobody", "tracks": [[{}]] * POINTS}),
        422,
    ),
    "bad JSON": (UPLOAD.endpoint, b"[" * POINTS, 400),
    "a bad packing": (UPLOAD.endpoint, gzip.compress(bytes(2**19), 1)[:-20], 400),
    "points that cannot be stored": (UPLOAD.endpoint, body(*[{**GOOD, "a": [{}]}] * POINTS), 503),
    "a wrong key": (FLYMASTER.endpoint, KEY + b"1,1,1,1,1,1,1\n" * POINTS, 401),
    "no upload": (FLYMASTER.endpoint, b"hello\n" * POINTS, 400),
}


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("what", REFUSED)
async def test_what_was_refused_leaves_nothing_behind(url: str, what: str) -> None:
    path, sent, status = REFUSED[what]
    headers = {"Content-Encoding": "gzip"} if "packing" in what else {}
    async with ClientSession(headers=headers) as client:
        for _ in range(20):
            async with client.post(url + path, data=sent) as answer:
                assert answer.status == status, await answer.text()
                await answer.read()
            await asyncio.sleep(0)
        assert gc.collect() < 100


@pytest.mark.usefixtures("uncollected")
async def test_who_goes_away_leaves_nothing_behind() -> None:
    commit = GroupCommit(UPLOAD, lanes_of([UPLOAD]), Closed())  # type: ignore[arg-type]
    for _ in range(20):
        request = asyncio.create_task(commit.submit(body(*[[[], {}]] * POINTS)))
        await asyncio.sleep(0)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
    commit.start()
    await commit.stop()
    assert gc.collect() < 100
