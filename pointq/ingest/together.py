"""Several server processes on one port, or on the same sockets."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from pointq.ingest.child import job_of
from pointq.ingest.plan import Plan
from pointq.ingest.port import reserved, url_of
from pointq.metrics.board import Seat
from pointq.supervision.job import Job, LogStyle
from pointq.supervision.superior import Superior
from pointq.supervision.supervisor import Supervisor, supervise
from pointq.systemd.listening import Sockets, shares
from pointq.systemd.notify import NOBODY


async def serve_together(
    plan: Plan,
    seats: Sequence[Seat],
    log: LogStyle,
    ready: Callable[[str], None],
    sockets: Sockets = (),
    superior: Superior = NOBODY,
) -> None:
    """Take points until SIGTERM or SIGINT, in as many processes as there are seats, where each tells its metrics.

    `ready` is called with the address once all of them listen.

    On `sockets`, where there are any, else on the plan's port. Raises what `serve` raises: the address is tried before any
    process starts, and the first error of a process that does not start ends the others.
    """
    with ExitStack() as stack:
        plans, url = _plans(plan, len(seats), sockets, stack)
        jobs = [
            replace(job_of(replace(each, seat=seat), log), watch_seconds=superior.watch_seconds)
            for each, seat in zip(plans, seats, strict=True)
        ]
        await _run(jobs, partial(ready, url), superior, plan)


def _plans(plan: Plan, processes: int, sockets: Sockets, stack: ExitStack) -> tuple[Sequence[Plan], str]:
    """What each process does, and the address of all."""
    if sockets:
        host, port = sockets[0].getsockname()[:2]
        return [replace(plan, descriptors=own) for own in shares(sockets, processes)], url_of(host, port, plan.scheme)
    place = stack.enter_context(reserved(plan.host, plan.port, plan.scheme))
    return [replace(plan, port=place.port, shares_port=True)] * processes, place.url


async def _run(jobs: Sequence[Job], ready: Callable[[], None], superior: Superior, plan: Plan) -> None:
    def begun() -> None:
        ready()
        superior.ready(supervisor.status)

    def reload() -> None:
        superior.reloading("the processes read the certificate again")
        if plan.tls is not None:
            # they have sessions of their own: that it was renewed is for the parent to pass on
            supervisor.pass_on(signal.SIGHUP)
        superior.ready(supervisor.status)

    supervisor = Supervisor(jobs, begun)
    loop = asyncio.get_running_loop()
    if plan.tls is not None or superior.listens:
        loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        await supervise(supervisor, superior, stop_seconds=plan.stop_seconds)
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
