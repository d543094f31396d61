"""Several server processes on one port."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from pointq.ingest.child import job_of
from pointq.ingest.port import reserved
from pointq.ingest.server import Plan
from pointq.metrics.board import Seat
from pointq.supervision.job import LogStyle
from pointq.supervision.supervisor import Supervisor, supervise


async def serve_together(plan: Plan, seats: Sequence[Seat], log: LogStyle, ready: Callable[[str], None]) -> None:
    """Take points until SIGTERM or SIGINT, in as many processes as there are seats, where each tells its metrics.

    `ready` is called with the address once all of them listen.

    Raises what `serve` raises: the address is tried before any process starts, and the first error of a process that does not
    start ends the others.
    """
    with reserved(plan.host, plan.port, plan.scheme) as place:
        shared = replace(plan, port=place.port, shares_port=True)
        jobs = [job_of(replace(shared, seat=seat), log) for seat in seats]
        supervisor = Supervisor(jobs, partial(ready, place.url))
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
