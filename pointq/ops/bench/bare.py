"""The floor of the HTTP suites: ``python -m pointq.ops.bench.bare PORT``.

The same web framework, event loop and settings as `pointq serve`, with a handler that reads and parses the body, answers, and
does nothing else.
"""

import asyncio
import signal
import sys

import orjson
from aiohttp import web

from pointq import aio

_ANSWER = orjson.dumps({"success": True, "queued": True, "via": "queue", "points": 1, "rejected": []})


async def _handle(request: web.Request) -> web.Response:
    orjson.loads(await request.read())
    return web.Response(status=202, body=_ANSWER, content_type="application/json")


async def serve(port: int) -> None:
    """Answer until SIGTERM; says on stderr where it listens."""
    app = web.Application()
    app.router.add_post("/tracking/live", _handle)
    runner = web.AppRunner(app, access_log=None, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    host, bound = runner.addresses[0][:2]
    sys.stderr.write(f"listens on http://{host}:{bound}\n")
    sys.stderr.flush()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    await runner.cleanup()


if __name__ == "__main__":
    aio.run(serve(int(sys.argv[1])))
