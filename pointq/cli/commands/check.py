"""``pointq check``: an exit code and a line, for monitoring."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from pointq.cli.context import AppContext, app_context, print_json
from pointq.cli.help import help_text

if TYPE_CHECKING:
    from pointq.cli.check_output import Outcome
    from pointq.config import Settings
    from pointq.ops.check import Limits

UNKNOWN = 3
"""The exit code of Nagios that is no verdict."""

HELP = help_text(
    "Say whether all is well, as an exit code: 0 ok, 1 warning, 2 critical, 3 unknown.",
    ("pointq check", "with the limits of the settings file"),
    ("pointq check --max-age 30:120", "warning over 30 s, critical over 120 s, for every lane"),
    ("pointq check --max-age 1=5:30 --max-depth 10000:", "priority 1 by age, all lanes by depth"),
    ("pointq check --only redis,database", "for the health check of a container"),
    ("pointq check --format nagios", "one line with performance data"),
    ("pointq check --format prometheus > /var/lib/node_exporter/pointq.prom.new", "for the textfile collector"),
)


class Checking(TyperCommand):
    """A monitor takes every exit code but 3 for a verdict: a mistyped option is none."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - Typer's own copies of click's classes
        """Understand the arguments."""
        try:
            return super().make_context(*arguments, **options)
        except typer.TyperException as exc:
            exc.exit_code = UNKNOWN
            raise


class Format(StrEnum):
    """What is printed."""

    TEXT = "text"
    NAGIOS = "nagios"
    JSON = "json"
    PROMETHEUS = "prometheus"


def _option(what: str, name: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(name, metavar="WARNING:CRITICAL", help=what)
    return option


def check(  # noqa: PLR0913 - one parameter is one option
    ctx: typer.Context,
    *,
    max_age: Annotated[str | None, _option("Longest wait of a lane's oldest point, in seconds.", "--max-age")] = None,
    max_depth: Annotated[str | None, _option("Most points that may wait in a lane.", "--max-depth")] = None,
    max_dead: Annotated[str | None, _option("Most points among a lane's dead letters.", "--max-dead")] = None,
    min_workers: Annotated[str | None, _option("Fewest live workers of a priority.", "--min-workers")] = None,
    max_spool: Annotated[str | None, _option("How full the spool may be, in percent.", "--max-spool")] = None,
    max_redis_memory: Annotated[
        str | None, _option("How full the memory of Redis may be, in percent.", "--max-redis-memory")
    ] = None,
    only: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Only these checks, with commas between; nothing else is asked.")
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="What to print.")] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="Like --format json.")] = False,
) -> int:
    """Check and print; never an error, but unknown."""
    from pointq.cli.check_output import FORMATS, document
    from pointq.errors import PointqError

    app = app_context(ctx)
    flags = {
        "check.max_age_seconds": max_age,
        "check.max_depth_points": max_depth,
        "check.max_dead_points": max_dead,
        "check.min_workers": min_workers,
        "check.max_spool_percent": max_spool,
        "check.max_redis_memory_percent": max_redis_memory,
    }
    try:
        outcome = _outcome(app, flags, only)
    except PointqError as exc:
        outcome = _unknown(f"{exc}; {exc.hint}" if exc.hint else str(exc))
    except Exception as exc:
        # a defect is no verdict on the installation either
        if app.debug:
            raise
        outcome = _unknown(f"unexpected {type(exc).__name__}: {exc}; put --debug before the command to see where it happened")
    if as_json or output is Format.JSON:
        print_json(document(outcome))
    else:
        typer.echo(FORMATS[output](outcome))
    return int(outcome.verdict)


def _unknown(why: str) -> "Outcome":
    import time

    from pointq.cli.check_output import Outcome
    from pointq.clock import rfc3339

    now = time.time()
    return Outcome(rfc3339(now), now, (), why)


def _outcome(app: AppContext, flags: dict[str, str | None], only: str | None) -> "Outcome":
    from datetime import datetime

    from pointq import aio
    from pointq.cli.backends import running_servers
    from pointq.cli.check_output import Outcome
    from pointq.errors import BackendError, UsageError
    from pointq.ops.check import CHECKS, checked
    from pointq.ops.check_facts import facts
    from pointq.ops.collect import NOTHING_RUNS
    from pointq.queue.lanes import lanes_of

    settings = app.load_config(flags).settings
    names = {name.strip() for name in only.split(",")} if only else set(CHECKS)
    if unknown := names - set(CHECKS):
        raise UsageError(f"there is no check {', '.join(sorted(unknown))}", hint=f"there are {', '.join(CHECKS)}")
    found = running_servers(settings)
    if found is None:
        raise BackendError(NOTHING_RUNS)
    lanes = lanes_of(shards=settings.queue.shards, prefix=settings.queue.prefix)
    asking = facts(
        names,
        found.redis_url,
        found.database_url,
        lanes,
        prefix=settings.queue.prefix,
        spool=settings.data_dir / "spool",
        patience=settings.patience_seconds,
    )
    status = aio.run_impatiently(asking)
    findings = checked(status, _limits(settings), names)
    return Outcome(status.time, datetime.fromisoformat(status.time).timestamp(), findings)


def _limits(settings: "Settings") -> "Limits":
    from pointq.config.limits import limit, limits
    from pointq.ops.check import Limits

    own = settings.check
    return Limits(
        age_seconds=limits(own.max_age_seconds),
        depth_points=limits(own.max_depth_points),
        dead_points=limits(own.max_dead_points),
        workers=limits(own.min_workers),
        spool_percent=limit(own.max_spool_percent),
        redis_memory_percent=limit(own.max_redis_memory_percent),
        spool_bytes=settings.spool.max_bytes,
    )
