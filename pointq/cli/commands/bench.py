"""``pointq bench``: how fast this installation is, and how near to its floors."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pointq.cli.context import AppContext, JsonOption, app_context, print_json
from pointq.cli.help import help_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pointq.cli.backends import Servers
    from pointq.cli.bench_screen import Progress
    from pointq.config import Settings
    from pointq.ops.bench.options import Backends, Options
    from pointq.ops.bench.run import Report

_ALL = "all"

HELP = help_text(
    "Measure this installation against what its database, its Redis and its web server can do at all.",
    ("pointq bench all", "everything, in about four minutes"),
    ("pointq bench db --batch 5000", "the writer, in smaller batches"),
    ("pointq bench http --duration 10", "the ingest server, in longer rounds"),
    ("pointq bench e2e --points 200000", "from the queue to committed rows, a smaller backlog"),
    ("pointq bench all --html report.html", "a page with charts"),
    ("pointq bench e2e --faults", "whether a point is lost when everything breaks"),
    ("pointq bench redis db --json | jq .figures", "for a script"),
)


def bench(  # noqa: PLR0913 - one parameter an option
    ctx: typer.Context,
    suites: Annotated[list[str], typer.Argument(metavar="SUITE…", help="redis, db, http, import, e2e, or all.")],
    *,
    points: Annotated[int, typer.Option(min=1_000, help="Points of the backlog; the other suites take a fifth.")] = 1_000_000,
    batch: Annotated[int, typer.Option(min=1_000, help="Points of one transaction.")] = 20_000,
    duration: Annotated[
        float | None, typer.Option(min=0.05, help="Seconds of one round of requests (1.5), or of the faults (40).")
    ] = None,
    connections: Annotated[int, typer.Option(min=1, help="Connections that post single points.")] = 64,
    rate: Annotated[
        float | None, typer.Option(min=1, help="Requests a second for the latencies; by default half of the most.")
    ] = None,
    pairs: Annotated[int, typer.Option(min=1, help="Rounds of floor and figure; under 7 nothing is proven.")] = 7,
    seed: Annotated[
        int | None, typer.Option(min=0, help="What made tracks and noise are made from (1), or the faults (by chance).")
    ] = None,
    faults: Annotated[
        bool, typer.Option("--faults", help="With e2e: break everything on purpose instead, and see whether any point is lost.")
    ] = False,
    samples: Annotated[
        Path | None,
        typer.Option(envvar="POINTQ_SAMPLES", file_okay=False, exists=True, help="Folder of IGC files to replay."),
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Also write a page with charts.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the suites and print what they found."""
    from pointq.cli.backends import servers
    from pointq.cli.bench_screen import Progress, render
    from pointq.ops.bench.options import Options

    app = app_context(ctx)
    settings = app.load_config().settings
    chosen = _chosen(suites)
    if faults:
        _check_faults(ctx, chosen)
        _break(app, settings, seed, duration, as_json=as_json)
        return
    options = Options(points, batch, duration or 1.5, connections, rate, pairs, 1 if seed is None else seed, samples)
    with servers(settings) as backends, Progress(app) as progress:
        report = _run(chosen, options, settings, backends, progress)
    if html is not None:
        _write(app, html, report)
    if as_json:
        print_json(report)
    else:
        app.out.print(render(report))


def _run(
    suites: "Sequence[str]", options: "Options", settings: "Settings", backends: "Servers", progress: "Progress"
) -> "Report":
    from pointq import aio
    from pointq.ops.bench.run import run

    return aio.run(run(suites, options, _measured(settings, backends), progress.tell, progress.found))


def _check_faults(ctx: typer.Context, suites: "Sequence[str]") -> None:
    """Refuse what would be passed over in silence. Raises UsageError."""
    from pointq.errors import UsageError

    if list(suites) != ["e2e"]:
        raise UsageError("--faults belongs to the suite e2e alone", hint="pointq bench e2e --faults")
    for name in ("points", "batch", "connections", "rate", "pairs", "html"):
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"--{name} has no meaning with --faults", hint="it takes --seed, --duration and --json")


def _break(app: AppContext, settings: "Settings", seed: int | None, duration: float | None, *, as_json: bool) -> None:
    """Make faults and report; the exit code is 1 where a promise was broken."""
    import secrets

    from pointq import aio
    from pointq.cli.backends import servers
    from pointq.cli.bench_screen import Progress
    from pointq.cli.faults_screen import render
    from pointq.errors import ExitCode
    from pointq.ops.bench.suite_faults import run

    chosen = secrets.randbelow(2**32) if seed is None else seed
    app.err.print(f"seed {chosen}", style="dim")
    with servers(settings) as backends, Progress(app) as progress:
        report = aio.run(run(_measured(settings, backends), chosen, duration or 40.0, progress.tell))
    if as_json:
        print_json(report)
    else:
        app.out.print(render(report))
    if not report.verdict.is_good:
        raise typer.Exit(ExitCode.FAILED)


def _measured(settings: "Settings", backends: "Servers") -> "Backends":
    from pointq.ops.bench.options import Backends

    return Backends(backends.redis_url, backends.database_url, settings.durability, settings.min_replicas)


def _chosen(suites: "Sequence[str]") -> "Sequence[str]":
    """The suites that are meant, each once. Raises UsageError."""
    from pointq.errors import UsageError
    from pointq.ops.bench.run import SUITES

    for name in suites:
        if name not in SUITES and name != _ALL:
            raise UsageError(f"there is no suite {name!r}", hint=f"the suites are {', '.join(SUITES)}, and {_ALL}")
    return [name for name in SUITES if _ALL in suites or name in suites]


def _write(app: AppContext, path: Path, report: "Report") -> None:
    from pointq.errors import PointqError
    from pointq.ops.bench.page import page

    try:
        path.write_text(page(report), "utf8")
    except OSError as exc:
        raise PointqError(f"{path} cannot be written: {exc.strerror}") from exc
    app.err.print(f"charts in {path}", markup=False, soft_wrap=True)
