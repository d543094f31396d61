"""``pointq serve``: take points over HTTP."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from pointq.cli.context import AppContext, app_context
from pointq.cli.help import help_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pointq.cli.backends import Servers
    from pointq.config import Settings
    from pointq.ingest.plan import Plan
    from pointq.metrics.board import Seat
    from pointq.supervision.job import Job
    from pointq.systemd.listening import Sockets
    from pointq.systemd.notify import Manager

    Listen = Callable[[Callable[[str], None]], Awaitable[None]]

HELP = help_text(
    "Take points over HTTP until Ctrl-C. Without configured servers it starts embedded ones, and a worker.",
    ("pointq serve", "on 127.0.0.1:8000"),
    ("pointq serve --port 9000", "on another port"),
    ("pointq serve --processes 4", "four processes on one port"),
    ("pointq serve --host 0.0.0.0 --tls-certificate site.pem", "to the world, by HTTPS; see docs/security.md"),
    ("pointq serve --no-worker", "store nothing; `pointq work` does, elsewhere"),
    ("REDIS_URL=… DATABASE_URL=… pointq serve", "with your own servers"),
)


def serve(  # noqa: PLR0913 - one parameter an option
    ctx: typer.Context,
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Server processes, all on that port.")] = None,
    worker: Annotated[
        bool | None, typer.Option("--worker/--no-worker", help="On embedded servers: also store what is accepted.")
    ] = None,
    tls_certificate: Annotated[
        str | None, typer.Option(metavar="FILE", help="Serve HTTPS with this certificate and its chain, PEM.")
    ] = None,
    tls_key: Annotated[
        str | None, typer.Option(metavar="FILE", help="Private key, PEM, where it is not in the certificate's file.")
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen beyond this machine though doors stand open to everybody.")
    ] = False,
) -> None:
    """Run the ingest server."""
    from pointq import aio
    from pointq.cli.backends import servers
    from pointq.cli.serve_plan import check_exposure, plan_of
    from pointq.metrics.board import board
    from pointq.systemd.listening import inherited
    from pointq.systemd.notify import Manager

    app, manager, sockets = app_context(ctx), Manager.take(os.environ), inherited(os.environ)
    flags: dict[str, object] = {"serve.host": host, "serve.port": port, "serve.processes": processes, "serve.worker": worker}
    flags |= {"serve.tls_certificate": tls_certificate, "serve.tls_key": tls_key, "serve.insecure": insecure or None}
    settings = app.load_config(flags).settings
    for address in [each.getsockname()[0] for each in sockets] or [settings.serve.host]:
        check_exposure(settings, address)
    *seats, workers_seat = board(settings.serve.processes + 1)
    with servers(settings) as backends:
        staff = _staff(app, settings, backends, workers_seat)
        listen = _listen(app, settings, plan_of(settings, backends), seats, sockets, manager)
        aio.run(_serve(listen, staff, lambda url: _greet(app, settings, backends, url, bool(staff))))


def _listen(
    app: AppContext, settings: "Settings", plan: "Plan", seats: "Sequence[Seat]", sockets: "Sockets", manager: "Manager"
) -> "Listen":
    """The server in this process, or several in processes of their own; on the sockets of a service manager, if it has any."""
    from dataclasses import replace

    from pointq.cli.commands.work import log_style
    from pointq.ingest.server import serve as serve_alone
    from pointq.ingest.together import serve_together

    if settings.serve.processes == 1:
        own = replace(plan, seat=seats[0], descriptors=[each.detach() for each in sockets])
        return lambda ready: serve_alone(own, ready, superior=manager)
    style = log_style(app, settings)
    return lambda ready: serve_together(plan, seats, style, ready, sockets, manager)


async def _serve(listen: "Listen", staff: "list[Job]", ready: "Callable[[str], None]") -> None:
    from pointq.supervision.supervisor import Supervisor

    workers = Supervisor(staff)

    def started(url: str) -> None:
        workers.start()
        ready(url)

    try:
        await listen(started)
    finally:
        # after the last request: what it left in the queue is stored before the embedded servers stop, or at the next start
        await workers.stop()


def _staff(app: AppContext, settings: "Settings", backends: "Servers", seat: "Seat") -> "list[Job]":
    """The workers beside the server, which tells their metrics: only embedded servers have nobody else to store what waits."""
    from dataclasses import replace

    from pointq.cli.commands.work import chosen_lanes, work_job, work_plan

    if not (backends.embedded and settings.serve.worker):
        return []
    return [work_job(app, settings, replace(work_plan(settings, backends, chosen_lanes(settings, None, None)), seat=seat))]


def _in_processes(count: int) -> str:
    return f" in {count} processes" if count > 1 else ""


def _greet(app: AppContext, settings: "Settings", backends: "Servers", url: str, worker: bool) -> None:  # noqa: FBT001
    from pointq.queue.connection import describe as describe_redis
    from pointq.store.connection import describe as describe_database

    embedded = " (embedded)" if backends.embedded else ""
    rows = [
        ("pointq", f"listens on {url}{_in_processes(settings.serve.processes)}"),
        ("queue", f"{describe_redis(backends.redis_url)}{embedded}"),
        ("database", f"{describe_database(backends.database_url)}{embedded}"),
        ("worker", "one, in a process of its own" if worker else "none here; run `pointq work`"),
    ]
    if backends.embedded:
        rows.append(("data", str(settings.data_dir)))
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        app.err.print(f"  [bold]{name:<{width}}[/]  {value}", soft_wrap=True)
    app.err.print("\n  try next, in a second terminal:", soft_wrap=True)
    for command in ("pointq import track.igc", "pointq status"):
        app.err.print(f"    {command}", markup=False, soft_wrap=True)
    app.err.print("  Ctrl-C stops everything that was started here; the data stays.\n", soft_wrap=True)
