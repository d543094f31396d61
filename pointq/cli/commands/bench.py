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
    from pointq.ops.bench.options import Options
    from pointq.ops.bench.run import Report

_ALL = "all"

HELP = help_text(
    "Measure this installation against what its database, its Redis and its web server can do at all.",
    ("pointq bench all", "everything, in about four minutes"),
    ("pointq bench db --batch 5000", "the writer, in smaller batches"),
    ("pointq bench http --duration 10", "the ingest server, in longer rounds"),
    ("pointq bench e2e --points 200000", "from the queue to committed rows, a smaller backlog"),
    ("pointq bench all --html report.html", "a page with charts"),
    ("pointq bench redis db --json | jq .figures", "for a script"),
)


def bench(  # noqa: PLR0913 - one parameter an option
    ctx: typer.Context,
    suites: Annotated[list[str], typer.Argument(metavar="SUITE…", help="redis, db, http, import, e2e, or all.")],
    *,
    points: Annotated[int, typer.Option(min=1_000, help="Points of the backlog; the other suites take a fifth.")] = 1_000_000,
    batch: Annotated[int, typer.Option(min=1_000, help="Points of one transaction.")] = 20_000,
    duration: Annotated[float, typer.Option(min=0.05, help="Seconds of one round of requests.")] = 1.5,
    connections: Annotated[int, typer.Option(min=1, help="Connections that post single points.")] = 64,
    rate: Annotated[
        float | None, typer.Option(min=1, help="Requests a second for the latencies; by default half of the most.")
    ] = None,
    pairs: Annotated[int, typer.Option(min=1, help="Rounds of floor and figure; under 7 nothing is proven.")] = 7,
    seed: Annotated[int, typer.Option(min=0, help="What made tracks and noise are made from.")] = 1,
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
    options = Options(points, batch, duration, connections, rate, pairs, seed, samples)
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
    from pointq.ops.bench.options import Backends
    from pointq.ops.bench.run import run

    own = Backends(backends.redis_url, backends.database_url, settings.durability, settings.min_replicas)
    return aio.run(run(suites, options, own, progress.tell, progress.found))


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
