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
    from pointq.ingest.doors.plan import DoorPlan
    from pointq.ingest.limits.plan import LimitsPlan
    from pointq.ingest.server import Plan
    from pointq.ingest.tls import TlsFiles
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
    from pointq.metrics.board import board
    from pointq.systemd.listening import inherited
    from pointq.systemd.notify import Manager

    app, manager, sockets = app_context(ctx), Manager.take(os.environ), inherited(os.environ)
    flags: dict[str, object] = {"serve.host": host, "serve.port": port, "serve.processes": processes, "serve.worker": worker}
    flags |= {"serve.tls_certificate": tls_certificate, "serve.tls_key": tls_key, "serve.insecure": insecure or None}
    settings = app.load_config(flags).settings
    for address in [each.getsockname()[0] for each in sockets] or [settings.serve.host]:
        _check_exposure(settings, address)
    *seats, workers_seat = board(settings.serve.processes + 1)
    with servers(settings) as backends:
        staff = _staff(app, settings, backends, workers_seat)
        listen = _listen(app, settings, _plan(settings, backends), seats, sockets, manager)
        aio.run(_serve(listen, staff, lambda url: _greet(app, settings, backends, url, bool(staff))))


def _check_exposure(settings: "Settings", host: str) -> None:
    """Raises ConfigError where everybody beyond this machine would be let in, and nobody said that this is meant."""
    import logging

    from pointq.errors import ConfigError
    from pointq.ingest.doors.exposure import beyond_loopback, open_doors

    log, plan = logging.getLogger("pointq.ingest"), _doors(settings)
    groups = open_doors(plan)
    if groups and settings.serve.trusted_proxies:
        log.warning("a proxy is expected, and %s stand open to whoever it lets through", ", ".join(groups))
    if not beyond_loopback(host):
        return
    if groups and not settings.serve.insecure:
        doors = "; ".join(f'auth.{group} = "token"' for group in groups)
        hint = f"set {doors} and hand out `pointq token create`, or say --insecure where only friends reach this address"
        raise ConfigError(f"listening on {host} would let everybody in, without a token: {', '.join(groups)}", hint=hint)
    if groups:
        log.warning("everybody who reaches %s is let in, without a token: %s", host, ", ".join(groups))
    if plan.asks and settings.serve.tls_certificate is None and not settings.serve.trusted_proxies:
        log.warning(
            "tokens come to %s in the clear: serve.tls_certificate, or a proxy in serve.trusted_proxies, hides them", host
        )


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


def _doors(settings: "Settings") -> "DoorPlan":
    from pointq.ingest.doors.plan import DoorPlan, JwtPlan

    auth = settings.auth
    signed = JwtPlan(
        secret=auth.jwt_secret.get_secret_value() if auth.jwt_secret else None,
        keys_file=str(auth.jwt_keys) if auth.jwt_keys else None,
        audience=auth.jwt_audience,
        claims=auth.jwt_claims,
        scopes=auth.jwt_scopes,
    )
    return DoorPlan(
        tracking=auth.tracking,
        scoring=auth.scoring,
        files=auth.import_,
        status=auth.status,
        has_flymaster_secret=settings.flymaster.secret is not None,
        jwt=signed,
        trusted_proxies=settings.serve.trusted_proxies,
        book_file=str(settings.data_dir / "tokens.json"),
    )


def _tls(settings: "Settings") -> "TlsFiles | None":
    from pointq.errors import ConfigError
    from pointq.ingest.tls import TlsFiles

    certificate, key = settings.serve.tls_certificate, settings.serve.tls_key
    if certificate is None:
        if key is not None:
            raise ConfigError("serve.tls_key is set and serve.tls_certificate is not", hint="set both, or neither")
        return None
    return TlsFiles(str(certificate), str(key) if key else None)


def _limits(settings: "Settings") -> "LimitsPlan":
    from pointq.config.limits import limit
    from pointq.ingest.limits.plan import LimitsPlan, Marks, Rates, Times

    own = settings.limits
    queue, memory = limit(own.max_queue_points), limit(own.max_redis_memory_percent)
    return LimitsPlan(
        times=Times(own.header_seconds, own.body_seconds, own.answer_seconds, own.idle_seconds),
        connections=own.max_connections,
        connections_per_address=own.max_connections_per_address,
        token=Rates(own.token_requests_per_second, own.token_points_per_second),
        address=Rates(own.address_requests_per_second, own.address_points_per_second),
        burst_seconds=own.burst_seconds,
        failed_tokens_per_minute=own.failed_tokens_per_minute,
        queue_points=Marks(queue.warning, queue.critical),
        redis_memory_percent=Marks(memory.warning, memory.critical),
    )


def _plan(settings: "Settings", backends: "Servers") -> "Plan":
    from pointq.ingest.server import Plan
    from pointq.store.mapping import tables_of

    secret = settings.flymaster.secret
    return Plan(
        redis_url=backends.redis_url,
        database_url=backends.database_url,
        tables=tables_of(settings.tables),
        host=settings.serve.host,
        port=settings.serve.port,
        prefix=settings.queue.prefix,
        shards=settings.queue.shards,
        durability=settings.durability,
        min_replicas=settings.min_replicas,
        flight_day_timezone=settings.flight_day_timezone,
        max_connections=settings.redis.max_connections,
        max_body_bytes=settings.serve.max_body_bytes,
        max_points=settings.serve.max_points_per_request,
        shutdown_seconds=settings.serve.shutdown_seconds,
        connect_timeout_seconds=settings.database.connect_timeout_seconds,
        fallback=settings.serve.fallback,
        budget_seconds=settings.serve.budget_seconds,
        spool_dir=settings.data_dir / "spool",
        spool_bytes=settings.spool.max_bytes,
        spool_points_per_second=settings.spool.drain_points_per_second,
        flymaster_secret=secret.get_secret_value() if secret else None,
        doors=_doors(settings),
        tls=_tls(settings),
        limits=_limits(settings),
    )


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
