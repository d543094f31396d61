"""`POST /tracking/import`, where the body does not come."""

import asyncio
from types import SimpleNamespace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from pointq.ingest import files
from pointq.ingest.guard import guarded


async def test_a_form_that_does_not_arrive_gives_its_turn_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_ARRIVAL_SECONDS", 0.05)
    turn = asyncio.Semaphore(1)
    app = web.Application()
    for path, handler in files.handlers(SimpleNamespace(desk=SimpleNamespace(turn=turn))).items():  # type: ignore[arg-type]
        app.router.add_post(path, guarded(handler))

    async with TestServer(app) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        headers = "Host: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 99"
        writer.write(f"POST /tracking/import HTTP/1.1\r\n{headers}\r\n\r\n--b\r\n".encode())
        answer = await reader.readline()
        writer.close()

    assert answer == b"HTTP/1.1 408 Request Timeout\r\n"
    assert not turn.locked()
