"""The status as a screen of 80 columns."""

from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pointq.cli.numbers import age, count, rate, size
from pointq.ops.notices import IntakeStatus
from pointq.ops.status import Status

_STYLES = {"ok": "green", "degraded": "yellow", "down": "bold red"}


def render(status: Status) -> RenderableType:
    """Backends, lanes by priority, workers, totals, and what is wrong."""
    return Group(*_parts(status))


def _parts(status: Status) -> Iterator[RenderableType]:
    yield Text.assemble(
        "pointq  ", (status.state.upper(), _STYLES[status.state]), f"  {status.time[:19].replace('T', ' ')} UTC"
    )
    yield _backends(status)
    for server in status.servers:
        yield _server(server, status.time)
    yield Text("")
    yield _queues(status)
    if status.workers is not None:
        yield Text("")
        yield _workers(status)
    yield Text("")
    yield _totals(status)
    for reason in status.reasons:
        yield Text(f"! {reason}", style=_STYLES[status.state])


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right", no_wrap=True)
    return table


def _backends(status: Status) -> Text:
    redis, database = status.redis, status.database
    parts = []
    if redis.connected:
        limit = f" of {size(redis.maxmemory_bytes)}" if redis.maxmemory_bytes else ""
        parts.append(f"{redis.engine} {redis.version}, {size(redis.used_memory_bytes)}{limit}, {redis.persistence}")
    else:
        parts.append("Redis: no answer")
    if database.connected:
        timescale = f" with TimescaleDB {database.timescaledb}" if database.timescaledb else ""
        parts.append(f"PostgreSQL {database.version}{timescale}")
    else:
        parts.append("database: no answer")
    return Text("  ·  ".join(parts))


def _server(server: IntakeStatus, now: str) -> Text:
    way = f"points go by the {server.via}" if server.is_open else "points are refused"
    lasts = max(datetime.fromisoformat(now).timestamp() - server.since, 0.0)
    return Text(f"serve {server.pid}: {way} since {age(lasts)}", style="" if server.via == "queue" else "yellow")


def _queues(status: Status) -> Table:
    table = _table("lane", "prio", "ready", "pending", "oldest", "in/s", "out/s", "empty in", "dead")
    for queue in status.queues:
        table.add_row(
            queue.kind,
            str(queue.priority),
            count(queue.ready_points),
            count(queue.pending_points),
            age(queue.oldest_age_seconds),
            rate(queue.in_points_per_second),
            rate(queue.out_points_per_second),
            age(queue.drain_eta_seconds) if queue.total_pending else "-",
            Text(count(queue.dead_points), style="red" if queue.dead_points else ""),
        )
    return table


def _workers(status: Status) -> RenderableType:
    if not status.workers:
        return Text("no worker runs; start one with `pointq work`", style="yellow")
    table = _table("worker", "prio", "state", "points/s", "stored", "seen")
    for worker in status.workers:
        style = "" if worker.state == "running" else "red" if worker.state == "lost" else "yellow"
        table.add_row(
            f"{worker.host} {worker.pid}",
            ",".join(map(str, worker.priorities)),
            Text(worker.state, style=style),
            rate(worker.points_per_second),
            count(worker.stored_points),
            f"{age(worker.last_seen_seconds)} ago",
        )
    return table


def _totals(status: Status) -> Text:
    totals = status.totals
    return Text(
        f"accepted {count(totals.accepted_points)}  stored {count(totals.stored_points)}"
        f"  duplicates {count(totals.duplicate_points)}  rejected {count(totals.rejected_points)}"
        f"  dead {count(totals.dead_points)}" + (f"  lost {count(totals.lost_points)}" if totals.lost_points else "")
    )
