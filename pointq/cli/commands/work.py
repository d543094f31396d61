"""``pointq work``: workers that store what waits."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from pointq.cli.context import AppContext, app_context
from pointq.cli.help import help_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointq.cli.backends import Servers
    from pointq.config import Settings
    from pointq.queue.lanes import Lane
    from pointq.supervision.job import Job, LogStyle
    from pointq.systemd.notify import Manager
    from pointq.work.process import Plan

HELP = help_text(
    "Store what waits in the queues, until Ctrl-C.",
    ("pointq work", "all kinds, live points first"),
    ("pointq work --priority 1", "live points only"),
    ("pointq work --kind upload --kind scoring", "these kinds only"),
    ("pointq work --processes 4", "four processes"),
    ("pointq work --metrics-port 9464", "and metrics for Prometheus; see docs/metrics.md"),
    ("pointq work --drain", "end when the queues are empty"),
)


def work(  # noqa: PLR0913 - one parameter an option
    ctx: typer.Context,
    *,
    priority: Annotated[list[int] | None, typer.Option(help="Only kinds of this priority: 1, 2 or 3; may be repeated.")] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="Only this kind: live, upload, scoring, flymaster; may be repeated.")
    ] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Worker processes.")] = None,
    drain: Annotated[
        bool, typer.Option("--drain", help="End when nothing waits any more, what dead workers held included.")
    ] = False,
    metrics_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Answer Prometheus here, at /metrics, for all processes.")
    ] = None,
    metrics_host: Annotated[
        str | None, typer.Option(help="Address of that port, 127.0.0.1 by default; there is no door.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Priority 2 only when 1 is empty, 3 only when 2 is.")] = False,
) -> None:
    """Run workers."""
    from dataclasses import replace

    from pointq.cli.backends import servers
    from pointq.systemd.notify import Manager

    app, manager = app_context(ctx), Manager.take(os.environ)
    flags: dict[str, object] = {"work.processes": processes, "metrics.port": metrics_port, "metrics.host": metrics_host}
    settings = app.load_config(flags).settings
    lanes = chosen_lanes(settings, priority, kind)
    with servers(settings) as backends:
        plan = work_plan(settings, backends, lanes, drain=drain, strict=strict)
        if not backends.embedded:
            _check(plan)
        _run(app, settings, manager, replace(plan, metrics_host=settings.metrics.host, metrics_port=settings.metrics.port))


def _check(plan: "Plan") -> None:
    """Say a wrong address or password at once; an outage that comes later is waited for instead."""
    import asyncio

    from pointq.ops.reach import reach

    asyncio.run(reach(plan.redis_url, plan.database_url, plan.connect_timeout_seconds))


def _run(app: AppContext, settings: "Settings", manager: "Manager", plan: "Plan") -> None:
    from pointq.work.process import run

    if settings.work.processes == 1:
        run(plan, manager)
    else:
        from pointq import aio

        aio.run(_together(app, settings, plan, manager))


async def _together(app: AppContext, settings: "Settings", plan: "Plan", manager: "Manager") -> None:
    """Workers in processes of their own; this one answers Prometheus for all of them."""
    from contextlib import AsyncExitStack
    from dataclasses import replace
    from functools import partial

    from pointq.metrics.board import board
    from pointq.metrics.port import listening
    from pointq.supervision.supervisor import Supervisor, supervise
    from pointq.work.told import told_by_workers

    seats = board(settings.work.processes)
    own = replace(plan, metrics_port=None)
    jobs = [replace(work_job(app, settings, replace(own, seat=seat)), watch_seconds=manager.watch_seconds) for seat in seats]
    async with AsyncExitStack() as stack:
        if plan.metrics_port is not None:
            tell = partial(told_by_workers, seats[0])
            await stack.enter_async_context(listening(plan.metrics_host, plan.metrics_port, tell))

        def begun() -> None:
            manager.ready(supervisor.status)

        supervisor = Supervisor(jobs, begun)
        await supervise(supervisor, manager)


def chosen_lanes(settings: "Settings", priorities: "Sequence[int] | None", kinds: "Sequence[str] | None") -> "Sequence[Lane]":
    """The lanes that are meant by those options. Raises UsageError where there are none."""
    from pointq.errors import UsageError
    from pointq.points.kinds import KINDS
    from pointq.queue.lanes import lanes_of

    for name in kinds or ():
        if name not in KINDS:
            raise UsageError(f"there is no kind {name!r}", hint=f"the kinds are {', '.join(KINDS)}")
    known = sorted({kind.priority for kind in KINDS.values()})
    for number in priorities or ():
        if number not in known:
            raise UsageError(f"there is no priority {number}", hint=f"the priorities are {', '.join(map(str, known))}")
    chosen = [k for k in KINDS.values() if (not kinds or k.name in kinds) and (not priorities or k.priority in priorities)]
    if not chosen:
        raise UsageError("no kind has both this name and this priority", hint="give --kind or --priority, not both")
    return lanes_of(chosen, shards=settings.queue.shards, prefix=settings.queue.prefix)


def work_plan(
    settings: "Settings", backends: "Servers", lanes: "Sequence[Lane]", *, drain: bool = False, strict: bool = False
) -> "Plan":
    """What a worker of these settings does."""
    from pointq.store.mapping import tables_of
    from pointq.work.process import Plan

    return Plan(
        redis_url=backends.redis_url,
        database_url=backends.database_url,
        lanes=lanes,
        tables=tables_of(settings.tables),
        prefix=settings.queue.prefix,
        batch_points=settings.work.batch_points,
        reclaim_idle_seconds=settings.work.reclaim_idle_seconds,
        block_seconds=settings.work.block_seconds,
        heartbeat_seconds=settings.work.heartbeat_seconds,
        connect_timeout_seconds=settings.database.connect_timeout_seconds,
        drain=drain,
        strict=strict,
        retain_seconds=settings.queue.retain_seconds,
        retain_bytes=settings.queue.retain_bytes,
    )


def work_job(app: AppContext, settings: "Settings", plan: "Plan") -> "Job":
    """The same for a process of its own."""
    from pointq.work.child import job_of

    return job_of(plan, log_style(app, settings))


def log_style(app: AppContext, settings: "Settings") -> "LogStyle":
    """How a process that this one starts logs: as this one does."""
    from pointq.supervision.job import LogStyle

    return LogStyle(settings.log.level, settings.log.format, app.no_color)
