"""The command line: global options, the list of commands, and the one place where errors become messages and exit codes."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.main import get_command

from pointq.cli.commands import (
    bench,
    check,
    config,
    db,
    doctor,
    flights,
    import_,
    inspect,
    purge,
    replay,
    serve,
    simulate,
    status,
    token,
    work,
)
from pointq.cli.context import AppContext, app_context
from pointq.cli.errors import report
from pointq.cli.help import Commands, help_text
from pointq.errors import ExitCode

app = typer.Typer(
    cls=Commands,
    help=help_text(
        "Takes GPS points from wherever they arise, and puts every one of them into TimescaleDB.",
        ("pointq serve", "take points over HTTP on 127.0.0.1:8000"),
        ("pointq import flights/", "store the flights of a folder"),
        ("pointq status --watch", "see queues, workers and backends"),
        ("pointq config show", "see every setting and where it came from"),
    ),
    rich_markup_mode=None,  # plain help loads in a third of the time
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
)

app.command("serve", help=serve.HELP)(serve.serve)
app.command("work", help=work.HELP)(work.work)
app.command("import", help=import_.HELP)(import_.import_)
app.command("status", help=status.HELP)(status.status)
app.command("check", cls=check.Checking, help=check.HELP)(check.check)
app.command("doctor", help=doctor.HELP)(doctor.doctor)
app.command("inspect", help=inspect.HELP)(inspect.inspect)
app.command("replay", help=replay.HELP)(replay.replay)
app.command("purge", help=purge.HELP)(purge.purge)
app.command("simulate", help=simulate.HELP)(simulate.simulate)
app.command("bench", help=bench.HELP)(bench.bench)
app.add_typer(flights.app, name="flights")
app.add_typer(db.app, name="db")
app.add_typer(config.app, name="config")
app.add_typer(token.app, name="token")


def main() -> NoReturn:
    """Run the command line of this process, and end the process with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code: the command's own number, or that of the error, which is reported."""
    context = AppContext()
    try:
        code = get_command(app).main(list(arguments), prog_name="pointq", standalone_mode=False, obj=context)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as exc:  # noqa: BLE001 - the boundary: what is not reported here is a traceback for the user
        return report(exc, debug=context.debug)
    return code if isinstance(code, int) else ExitCode.OK


def _print_version(asked: bool) -> None:  # noqa: FBT001 - Typer calls it with the option's value
    if asked:
        from importlib.metadata import version

        typer.echo(f"pointq {version('pointq')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _global_options(
    ctx: typer.Context,
    *,
    config_file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings file, above ./pointq.toml and the user's own.")
    ] = None,
    log_level: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="Least important messages: debug, info, warning, error.")
    ] = None,
    log_format: Annotated[str | None, typer.Option(metavar="FORMAT", help="Log lines: auto, human, json.")] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour, as NO_COLOR does.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error happened.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    context = app_context(ctx)
    context.config_file = config_file
    context.log_level = log_level
    context.log_format = log_format
    context.no_color = no_color
    context.debug = debug
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
