"""``pointq status``: what waits, how old it is, who works on it."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from pointq.cli.context import JsonOption, app_context, print_json
from pointq.cli.help import help_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from pointq.config import Settings
    from pointq.ops.status import Status

HELP = help_text(
    "Show what waits, how old it is, how fast it moves, and who works on it.",
    ("pointq status", "once"),
    ("pointq status --watch", "again and again, until Ctrl-C"),
    ("pointq status --json | jq .state", "for a script"),
)


def status(
    ctx: typer.Context,
    *,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it again every second, until Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Print the status."""
    import asyncio

    app = app_context(ctx)
    settings = app.load_config().settings
    show: Callable[[Status], object]
    if as_json:
        show = print_json
    else:
        from pointq.cli.status_screen import render

        show = lambda status: app.out.print(render(status))  # noqa: E731 - shorter than a function of its own
    if not watch:
        show(asyncio.run(look(settings)))
        return
    if not as_json and app.out.is_terminal:
        _watch_screen(settings, app.out, interval)
    else:
        while True:
            show(asyncio.run(look(settings)))
            time.sleep(interval)


def _watch_screen(settings: "Settings", console: "Console", interval: float) -> None:
    import asyncio

    from rich.live import Live

    from pointq.cli.status_screen import render

    with Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            live.update(render(asyncio.run(look(settings))), refresh=True)
            time.sleep(interval)


async def look(settings: "Settings") -> "Status":
    """The status now; embedded servers that do not run are not started for it."""
    from pointq.cli.backends import running_servers
    from pointq.ops.collect import collect, nothing_runs
    from pointq.queue.connection import connect
    from pointq.queue.lanes import lanes_of

    lanes = lanes_of(shards=settings.queue.shards, prefix=settings.queue.prefix)
    found = running_servers(settings)
    if found is None:
        return nothing_runs(lanes)
    redis = connect(found.redis_url)
    try:
        spool = settings.data_dir / "spool"
        return await collect(redis, found.redis_url, found.database_url, lanes, prefix=settings.queue.prefix, spool=spool)
    finally:
        await redis.aclose()
