"""Several server processes on one port."""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pointq.ingest.child import job_of
from pointq.ingest.port import reserved
from pointq.ingest.server import Plan
from pointq.supervision.job import LogStyle
from pointq.supervision.supervisor import Supervisor, supervise


async def serve_together(plan: Plan, processes: int, log: LogStyle, ready: Callable[[str], None]) -> None:
    """Take points in so many processes until SIGTERM or SIGINT; `ready` is called with the address once all of them listen.

    Raises what `serve` raises: the address is tried before any process starts, and the first error of a process that does not
    start ends the others.
    """
    with reserved(plan.host, plan.port, plan.scheme) as place:
        job = job_of(replace(plan, port=place.port, shares_port=True), log)
        supervisor = Supervisor([job] * processes, partial(ready, place.url))
        if plan.tls is None:
            await supervise(supervisor)
            return
        loop = asyncio.get_running_loop()
        # the processes have sessions of their own: that the certificate was renewed is for the parent to pass on
        loop.add_signal_handler(signal.SIGHUP, supervisor.pass_on, signal.SIGHUP)
        try:
            await supervise(supervisor)
        finally:
            loop.remove_signal_handler(signal.SIGHUP)
