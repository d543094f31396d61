"""``pointq status``: what waits, how old it is, who works on it."""

from typing import TYPE_CHECKING, Annotated

import typer

from pointq.cli.context import AppContext, JsonOption, app_context, print_json
from pointq.cli.help import help_text
from pointq.errors import ExitCode

if TYPE_CHECKING:
    from pointq.config import Settings
    from pointq.ops.watch import View, Watch

HELP = help_text(
    "Show what waits, how old it is, how fast it moves, and who works on it.",
    ("pointq status", "once"),
    ("pointq status --watch", "a screen with curves and trends; q or Ctrl-C ends it"),
    ("pointq status --watch --interval 60 >> points.log", "a line a minute, for a log"),
    ("pointq status --json | jq .state", "for a script"),
    ("pointq status --watch --json", "one JSON object a line, with the trend of each lane"),
)


def status(
    ctx: typer.Context,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Show it again and again: a screen, or lines off a terminal.")
    ] = False,
    interval: Annotated[float, typer.Option(min=0.2, metavar="SECONDS", help="Time between two looks.")] = 1.0,
    as_json: JsonOption = False,
) -> ExitCode | None:
    """Print the status."""
    from pointq import aio

    app = app_context(ctx)
    watching = _watch(app.load_config().settings)
    if not watch:
        _show(app, aio.run_impatiently(_look_once(watching)), as_json=as_json)
        return None
    from pointq.cli.status_watch import line, watch_lines, watch_screen

    if not as_json and app.out.is_terminal and not app.out.is_dumb_terminal:
        return aio.run_impatiently(watch_screen(watching, app.out, interval))

    def show(view: "View") -> None:
        if as_json:
            print_json(view.status)
        else:
            typer.echo(line(view.status))

    aio.run_impatiently(watch_lines(watching, show, interval))
    return None


async def _look_once(watch: "Watch") -> "View":
    from dataclasses import replace

    try:
        # one look makes no curve
        return replace(await watch.look(), looks={})
    finally:
        await watch.close()


def _show(app: AppContext, view: "View", *, as_json: bool) -> None:
    if as_json:
        print_json(view.status)
        return
    from rich.console import Group

    from pointq.cli.status_screen import Room, screen

    app.out.print(Group(*screen(view, Room(app.out.width))), soft_wrap=True)


def _watch(settings: "Settings") -> "Watch":
    """Embedded servers that do not run are not started for it."""
    from pointq.cli.backends import running_servers
    from pointq.ops.watch import Watch
    from pointq.queue.lanes import lanes_of

    def addresses() -> tuple[str, str] | None:
        found = running_servers(settings)
        return (found.redis_url, found.database_url) if found else None

    lanes = lanes_of(shards=settings.queue.shards, prefix=settings.queue.prefix)
    return Watch(
        addresses,
        lanes,
        prefix=settings.queue.prefix,
        spool=settings.data_dir / "spool",
        patience=settings.patience_seconds,
    )
