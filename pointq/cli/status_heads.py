"""The head of the status: state and time, backends, ways, spool, totals."""

from collections.abc import Iterator
from datetime import datetime

from rich.text import Text

from pointq.cli.numbers import age, counted, short, size
from pointq.ops.notices import IntakeStatus
from pointq.ops.status import DatabaseStatus, RedisStatus, SpoolStatus, Totals
from pointq.ops.watch import View

_STATES = {"ok": "green", "degraded": "yellow", "down": "bold red"}
_NAME = 10


def heads(view: View, width: int, footer: str = "") -> list[Text]:
    """A line for each."""
    return [_title(view, width, footer), *_facts(view)]


def _facts(view: View) -> Iterator[Text]:
    last = view.last
    yield _fact("redis", _redis(last.redis), view.redis_silent_seconds, is_up=view.status.redis.connected)
    yield _fact("database", _database(last.database), view.database_silent_seconds, is_up=view.status.database.connected)
    if last.servers:
        yield _servers(last.servers, last.time)
    if (spool := last.spool).points != 0 or spool.quarantined:
        yield _named("spool", Text(_spool(spool), style="yellow"))
    yield _named("accepted", Text(_totals(last.totals), style="dim" if view.redis_silent_seconds is not None else ""))


def _title(view: View, width: int, footer: str) -> Text:
    status = view.status
    left = Text.assemble(
        "pointq  ", (status.state.upper(), _STATES[status.state]), f"  {status.time[:19].replace('T', ' ')} UTC"
    )
    space = width - left.cell_len - len(footer)
    return Text.assemble(left, " " * space, (footer, "dim")) if footer and space > 1 else left


def _named(name: str, what: Text) -> Text:
    return Text.assemble((f"{name:<{_NAME}}", "dim"), what)


def _fact(name: str, known: str | None, silent: float | None, *, is_up: bool) -> Text:
    if is_up:
        return _named(name, Text(known or ""))
    if known is None:
        return _named(name, Text("no answer", style="red"))
    for_how_long = f" for {age(silent)}" if silent is not None else ""
    return _named(name, Text.assemble((f"no answer{for_how_long}", "red"), (f"  · {known}", "dim")))


def _redis(redis: RedisStatus) -> str | None:
    if not redis.connected:
        return None
    return f"{redis.engine} {redis.version}  · {_memory(redis)}  · {redis.persistence}"


def _memory(redis: RedisStatus) -> str:
    used, limit = redis.used_memory_bytes, redis.maxmemory_bytes
    if not limit or used is None:
        return f"{size(used)}, no limit"
    return f"{size(used)} of {size(limit)} ({used / limit:.0%})"


def _database(database: DatabaseStatus) -> str | None:
    if not database.connected:
        return None
    timescale = f"  · TimescaleDB {database.timescaledb}" if database.timescaledb else ""
    return f"PostgreSQL {database.version}{timescale}"


def _servers(servers: tuple[IntakeStatus, ...], now: str) -> Text:
    """One way for all, or how many go each; since when the last of them does."""
    groups: dict[str, list[str]] = {}
    for server in servers:
        way = f"by the {server.via}" if server.is_open else "refused"
        groups.setdefault(way, []).append(server.since)
    at = datetime.fromisoformat(now).timestamp()
    total = counted(len(servers), "server")
    counts = [f"{len(each)} " if len(groups) > 1 else "points " for each in groups.values()]
    ways = [f"{count}{way} for {_since(at, each)}" for count, (way, each) in zip(counts, groups.items(), strict=True)]
    is_normal = set(groups) == {"by the queue"}
    return _named("intake", Text(f"{total}: {', '.join(ways)}", style="" if is_normal else "yellow"))


def _since(now: float, moments: list[str]) -> str:
    return age(max(now - max(datetime.fromisoformat(moment).timestamp() for moment in moments), 0.0))


def _spool(spool: SpoolStatus) -> str:
    parts = [f"{short(spool.points)} points wait, {size(spool.bytes)} in {short(spool.segments)} segments"]
    if spool.quarantined:
        parts.append(f"{short(spool.quarantined)} damaged records set aside")
    return "  · ".join(parts)


def _totals(totals: Totals) -> str:
    named = [
        ("stored", totals.stored_points),
        ("duplicates", totals.duplicate_points),
        ("rejected", totals.rejected_points),
        ("dead", totals.dead_points),
    ]
    named += [(name, value) for name, value in (("purged", totals.purged_points), ("lost", totals.lost_points)) if value]
    return "  ".join([short(totals.accepted_points), *(f"{name} {short(value)}" for name, value in named)])
