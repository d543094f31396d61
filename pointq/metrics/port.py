"""A port for Prometheus alone, at a process that has no HTTP of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from pointq.errors import PointqError
from pointq.metrics.board import Told
from pointq.metrics.http_log import http_log
from pointq.metrics.page import page

PATH = "/metrics"


def answer(request: web.BaseRequest, told: Told) -> web.Response:
    """What was told, in the format that the request asks for."""
    text, content_type = page(told, request.headers.get("Accept", ""))
    return web.Response(body=text, headers={"Content-Type": content_type})


@asynccontextmanager
async def listening(host: str, port: int, tell: Callable[[], Told]) -> AsyncIterator[None]:
    """Answer there meanwhile, whoever asks. Raises PointqError where the address is taken or not this machine's."""

    async def handle(request: web.Request) -> web.Response:
        return answer(request, tell())

    app = web.Application()
    app.router.add_get(PATH, handle)
    runner = web.AppRunner(app, access_log=None, logger=http_log("pointq.metrics.http"), shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as exc:
            hint = "choose another with --metrics-port and --metrics-host"
            raise PointqError(f"cannot listen on {host}:{port}: {exc.strerror or exc}", hint=hint) from exc
        yield
    finally:
        await runner.cleanup()
