"""The report as one page that needs nothing else: no script, no font, no picture from anywhere. Pure."""

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files

from pointq.ops.bench.charts import Line, line_chart, linear, logarithmic, nines, ratio_bar, short
from pointq.ops.bench.figures import Figure
from pointq.ops.bench.run import Report

_TIMES = 2.0
"""Ratios above are read as "times as fast", below as a share of the floor."""
_HEADLINES = (
    ("e2e", "drain, one worker"),
    ("e2e", "1,000-point uploads over HTTP to committed rows"),
    ("http", "one-point posts"),
    ("e2e", "live point behind a backlog, POST to committed row"),
)
"""What a user asks first."""
_CLASSES = {"met": "met", "missed": "missed", "not proven": "open"}


def page(report: Report) -> str:
    """The whole page."""
    style = (files("pointq.ops.bench") / "page.css").read_text("utf8")
    body = "\n".join(_body(report))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>pointq bench, {report.time:%Y-%m-%d %H:%M}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _body(report: Report) -> Iterator[str]:
    yield _head(report)
    yield _tiles(report.figures)
    shares = [figure for figure in report.figures if figure.ratio is not None and not _is_times(figure)]
    times = [figure for figure in report.figures if _is_times(figure)]
    limits = [figure for figure in report.figures if figure.value is not None and figure.target_value is not None]
    if shares:
        yield _ratios("Share of the floor", "The floor does the least that the job can cost, on the same rows.", shares)
    if times:
        yield _ratios("Times as fast", "As what else there is for the same job.", times)
    if limits:
        yield _limits(limits)
    yield _charts(report.figures)
    yield _table(report.figures)
    yield _fine_print(report)


def _head(report: Report) -> str:
    machine, versions = report.machine, report.versions
    timescale = f" with TimescaleDB {versions.timescaledb}" if versions.timescaledb else ""
    servers = f"{versions.redis} ({versions.redis_persistence}), PostgreSQL {versions.postgresql}{timescale}"
    return (
        f"<header><h1>pointq {escape(versions.pointq)}, measured</h1>"
        f'<p class="soft">{report.time:%d %B %Y, %H:%M} UTC, in {report.seconds:.0f} s &middot; {escape(machine.cpu)}, '
        f"{machine.cores} cores &middot; {escape(servers)}</p></header>"
    )


def _tiles(figures: Sequence[Figure]) -> str:
    found = {(figure.suite, figure.name): figure for figure in figures}
    tiles = [_tile(found[headline]) for headline in _HEADLINES if headline in found]
    counts = [f"{count} {verdict}" for verdict in _CLASSES if (count := sum(f.verdict == verdict for f in figures))]
    if counts:
        tiles.append(
            f'<div class="card"><p class="big">{counts[0]}</p><p class="soft">{", ".join(counts[1:]) or "targets"}</p></div>'
        )
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _tile(figure: Figure) -> str:
    value = figure.points_per_second if figure.value is None else figure.value
    big = "-" if value is None else escape(short(value))
    return (
        f'<div class="card"><p class="big">{big} <small>{escape(figure.unit)}</small></p>'
        f'<p class="soft">{escape(figure.name)}</p></div>'
    )


def _is_times(figure: Figure) -> bool:
    return figure.ratio is not None and (figure.target_value or figure.ratio) >= _TIMES


def _ratios(title: str, meaning: str, figures: Sequence[Figure]) -> str:
    most = max(max(figure.ratio_high or 0, figure.target_value or 0, 1.0) for figure in figures) * 1.04
    # each its own scale where they are orders of magnitude apart
    rows = [_ratio_row(figure, _own_scale(figure) if most > _TIMES else most) for figure in figures]
    return (
        f'<section class="card"><h2>{escape(title)}</h2><p class="soft">{escape(meaning)}</p>'
        '<p class="legend"><span><i></i>median of the rounds</span><span><i class="whisker"></i>quartiles</span>'
        '<span><i class="goal"></i>target</span><span><i class="floor"></i>the floor itself</span></p>'
        f"{''.join(rows)}</section>"
    )


def _own_scale(figure: Figure) -> float:
    return max(figure.ratio_high or 0, figure.target_value or 0, 1.0) * 1.04


def _ratio_row(figure: Figure, most: float) -> str:
    ratio, low, high = figure.ratio or 0.0, figure.ratio_low or 0.0, figure.ratio_high or 0.0
    bar = ratio_bar(ratio, low, high, figure.target_value, most)
    said = f"<b>{short(ratio)}</b><i>{short(low)} to {short(high)}</i>"
    return _row(figure, f"{figure.suite} · floor: {figure.floor}", bar, said)


def _limits(figures: Sequence[Figure]) -> str:
    rows = []
    for figure in figures:
        value, bound = figure.value or 0.0, figure.target_value or 1.0
        share = value / bound
        bar = ratio_bar(share, share, share, 1.0, max(share, 1.0) * 1.04)
        below = " · ".join(filter(None, (figure.suite, figure.note)))
        rows.append(_row(figure, below, bar, f"<b>{short(value)}</b> {escape(figure.unit)}"))
    meaning = "Memory and latency, as shares of what they may be."
    return f'<section class="card"><h2>Under their limits</h2><p class="soft">{meaning}</p>{"".join(rows)}</section>'


def _row(figure: Figure, below: str, bar: str, said: str) -> str:
    verdict = figure.verdict or ""
    target = (
        f'<span class="{_CLASSES.get(verdict, "soft")}">{escape(f"{figure.target}: {verdict}")}</span>' if figure.target else ""
    )
    return (
        f'<div class="row"><p class="name">{escape(figure.name)}<span>{escape(below)}</span></p>{bar}'
        f'<p class="said">{said}{target}</p></div>'
    )


def _charts(figures: Sequence[Figure]) -> str:
    cards = [_chart(figure) for figure in figures if figure.series]
    return f'<div class="charts">{"".join(cards)}</div>' if cards else ""


def _chart(figure: Figure) -> str:
    most = max(y for _, y in (*figure.series, *figure.floor_series))
    own = Line("pointq", "own", figure.series)
    if figure.chart == "points/s by batch size":
        lines = [own, Line("the floor", "floor", figure.floor_series)] if figure.floor_series else [own]
        sizes = logarithmic("points in a batch", [x for x, _ in figure.series])
        drawn = line_chart(sizes, linear("points/s", most), lines)
        legend = '<p class="legend"><span><i></i>pointq</span><span><i class="floor"></i>the floor: bare COPY</span></p>'
        return _card("Throughput by batch size", "Points a second, one connection.", legend + drawn)
    if figure.chart == "ms by percentile":
        bound = figure.target_value
        limit = None if bound is None else (bound, f"target for the 99th: {bound:g} ms")
        most = max(most, bound or 0.0)
        drawn = line_chart(nines("percentile"), linear("ms", most), [own], limit)
        return _card("Latency of one-point posts", f"Milliseconds to the durable 202; {figure.note}.", drawn)
    stored = linear("points stored", max(x for x, _ in figure.series))
    drawn = line_chart(stored, linear("MiB", most), [own])
    return _card("Memory of the worker", f"MiB resident while it drains{f': {figure.note}' if figure.note else ''}.", drawn)


def _card(title: str, meaning: str, drawn: str) -> str:
    return f'<section class="card"><h2>{escape(title)}</h2><p class="soft">{escape(meaning)}</p>{drawn}</section>'


def _table(figures: Sequence[Figure]) -> str:
    rows = "".join(_line_of_table(figure) for figure in figures)
    heads = (
        '<th>suite</th><th>figure</th><th class="number">value</th><th class="number">floor</th><th class="number">ratio</th>'
    )
    return (
        '<section class="card"><h2>All figures</h2><div class="scroll"><table>'
        f"<thead><tr>{heads}<th>target</th><th></th></tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _line_of_table(figure: Figure) -> str:
    value = figure.points_per_second if figure.value is None else figure.value
    note = f'<span class="soft">{escape(figure.note)}</span>' if figure.note else ""
    verdict = figure.verdict or ""
    cells = [
        f"<td>{escape(figure.suite)}</td><td>{escape(figure.name)}{note}</td>",
        f'<td class="number">{_plain(value)} {escape(figure.unit)}</td>',
        f'<td class="number">{_plain(figure.floor_points_per_second)}</td>',
        f'<td class="number">{"" if figure.ratio is None else short(figure.ratio)}</td>',
        f'<td>{escape(figure.target or "")}</td><td class="{_CLASSES.get(verdict, "")}">{verdict}</td>',
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _plain(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"  # noqa: PLR2004


def _fine_print(report: Report) -> str:
    machine, versions, options = report.machine, report.versions, report.settings
    memory = f", {machine.memory_bytes / 2**30:.1f} GiB" if machine.memory_bytes else ""
    rows = {
        "Machine": f"{machine.cpu}, {machine.cores} cores{memory}",
        "System": f"{machine.os}, {machine.python}",
        "PostgreSQL": ", ".join(f"{name} {value}" for name, value in versions.postgresql_settings.items()),
        "Libraries": ", ".join(f"{name} {number}" for name, number in versions.libraries.items()),
        "Points": f"{report.data}; backlog of {options.points:,}, batches of {options.batch:,}, seed {options.seed}",
        "Rounds": f"{options.pairs} of floor and figure in turn, after one to warm up; {options.duration:g} s of requests each",
    }
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows.items() if text)
    return f'<section class="card"><h2>Measured with</h2><dl>{listed}</dl></section>'
