"""``pointq simulate``: a competition that never was."""

import datetime as dt
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from pointq.cli.context import JsonOption, app_context, print_json
from pointq.cli.help import help_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointq.config import Settings
    from pointq.points.kinds import Kind

_MIX = "mix"

HELP = help_text(
    "Simulate a competition: pilots whose devices send points over HTTP as real ones do, and what became of each point.",
    ("pointq simulate", "fifty pilots for ten minutes, to the local server"),
    ("pointq simulate --pilots 150 --duration 4h --verify", "a rehearsal; at the end the tables are looked at"),
    ("pointq simulate --pilots 20 --duration 1h --speed 60", "an hour in a minute"),
    ("pointq simulate --kind live --kind flymaster --invalid 0.01", "these devices only, one point in a hundred wrong"),
    ("pointq simulate --seed 7 --start 2026-06-21T10:00Z --name demo", "the same points each time"),
)


def simulate(  # noqa: PLR0913 - one parameter an option
    ctx: typer.Context,
    *,
    url: Annotated[str | None, typer.Option(help="The ingest server; by default the one that the settings describe.")] = None,
    pilots: Annotated[int, typer.Option(min=1, max=100_000, help="How many fly.")] = 50,
    duration: Annotated[str, typer.Option(metavar="TIME", help="How long it lasts: seconds, 10min, 4h.")] = "10min",
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between two fixes.")] = 1.0,
    speed: Annotated[float, typer.Option(min=0.01, help="Seconds of the competition in one of the clock.")] = 1.0,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="Devices of this kind: live, upload, scoring, flymaster, mix; may be repeated. By default mix."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="What everything is made from; the same seed flies the same tracks.")] = 1,
    start: Annotated[
        str | None, typer.Option(metavar="TIME", help="Time of the first second; by default so that it ends at its real end.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What flight ids begin with; by default sim, seed and start.")] = None,
    duplicates: Annotated[float, typer.Option(min=0, max=1, help="Share of requests that are sent twice.")] = 0.02,
    invalid: Annotated[float, typer.Option(min=0, max=1, help="Share of points that are wrong on purpose.")] = 0.0,
    dropouts: Annotated[bool, typer.Option("--dropouts/--no-dropouts", help="Devices lose their network now and then.")] = True,
    token: Annotated[
        str | None,
        typer.Option(envvar="POINTQ_TOKEN", show_envvar=True, help="Sent as Authorization: Bearer TOKEN."),
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Look for each accepted point in the tables at the end.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Simulate a competition."""
    from pointq import aio
    from pointq.cli.backends import servers
    from pointq.cli.bearer import parse_token
    from pointq.cli.durations import parse_duration
    from pointq.cli.moments import parse_moment
    from pointq.cli.simulate_run import Run
    from pointq.cli.simulate_screen import exit_code, render
    from pointq.ops.simulate.plan import Plan

    app = app_context(ctx)
    settings = app.load_config().settings
    length, now = parse_duration(duration), dt.datetime.now(dt.UTC)
    begin = parse_moment(start, now) if start else now - dt.timedelta(seconds=max(length - length / speed, 0))
    secret = settings.flymaster.secret
    plan = Plan(
        url=url or _own_url(settings),
        start=begin.replace(microsecond=0),
        name=name or f"sim-{seed}-{begin:%Y%m%dT%H%M%SZ}",
        pilots=pilots,
        duration=length,
        interval=interval,
        speed=speed,
        kinds=_kinds(kind or [_MIX]),
        seed=seed,
        duplicates=duplicates,
        invalid=invalid,
        offline=dropouts,
        secret=secret.get_secret_value() if secret is not None else None,
        token=parse_token(token),
    )
    with servers(settings) if verify else nullcontext() as backends:
        report = aio.run(Run(app, settings, plan).all(backends.database_url if backends else None))
    if as_json:
        print_json(report)
    else:
        app.out.print(render(report))
    return exit_code(report)


def _own_url(settings: "Settings") -> str:
    """Where `pointq serve` listens with these settings."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.serve.host, settings.serve.host)  # noqa: S104 - replaced
    return f"http://{host}:{settings.serve.port}"


def _kinds(names: "Sequence[str]") -> "Sequence[Kind]":
    from pointq.errors import UsageError
    from pointq.ops.simulate.plan import MIX
    from pointq.points.kinds import KINDS

    found: list[Kind] = []
    for name in names:
        if name != _MIX and name not in KINDS:
            raise UsageError(f"there is no kind {name!r}", hint=f"the kinds are {', '.join(KINDS)}, and {_MIX}")
        found += MIX if name == _MIX else [KINDS[name]]
    return found
