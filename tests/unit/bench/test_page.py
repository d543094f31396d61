from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from pointq.ops.bench.figures import Figure, Target, compared, measured
from pointq.ops.bench.machine import Machine, Versions
from pointq.ops.bench.options import Options
from pointq.ops.bench.page import page
from pointq.ops.bench.run import Report

FIGURES = (
    compared("db", "fresh rows", "bare COPY", [(100.0, 95.0 + i) for i in range(7)], target=Target(0.9)),
    compared("e2e", "drain, against what pointq replaces", "JSON", [(10.0, 65.0)] * 7, target=Target(4)),
    measured("http", "serve, peak memory", "MiB", [91.0], target=Target(120, at_least=False), note="81 <MiB> & less"),
    Figure("db", "by batch size", chart="points/s by batch size", series=((100, 5e4), (1e3, 3e5)), floor_series=((100, 9e4),)),
    Figure(
        "http", "p99", "ms", value=8.0, target="≤ 10 ms", target_value=10, chart="ms by percentile", series=((50, 3), (99, 8))
    ),
    Figure("e2e", "worker", "MiB", value=80.0, chart="MiB by points stored", series=((0, 60), (1e6, 80))),
    Figure("e2e", "drain, one worker", points_per_second=513_271),
    Figure("import", "parsing IGC, against libigc", "fixes/s", target="≥ 12", target_value=12, note="needs libigc"),
)


class Reader(HTMLParser):
    """Checks that what is opened is closed, and collects what would be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.loaded: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.loaded += [str(value) for name, value in attrs if name in {"src", "href", "srcset", "data"}]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def report(*figures: Figure) -> Report:
    machine = Machine("A & B <cpu>", 2, 8 * 2**30, "Linux", "CPython 3.11.7")
    versions = Versions("0.1.0", "valkey 9.1.2", "aof always", "18.4", {"fsync": "on"}, "2.22.1", {"orjson": "3.11.4"})
    return Report(datetime(2026, 11, 24, 5, 1, tzinfo=UTC), 34.2, machine, versions, Options(), "60 made flights", figures)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return reader


def test_the_page_needs_nothing_from_anywhere() -> None:
    text = page(report(*FIGURES))
    reader = read(text)

    assert reader.loaded == []
    assert "script" not in reader.seen
    assert "url(" not in text
    assert "@import" not in text


def test_the_page_has_every_figure_and_three_charts() -> None:
    text = page(report(*FIGURES))
    reader = read(text)

    assert text.count('class="plot"') == 3
    assert all(figure.name in reader.words for figure in FIGURES)
    assert '<p class="big">513 k <small>points/s</small></p>' in text
    assert "81 <MiB> & less" in reader.words
    assert "A & B <cpu>, 2 cores, 8.0 GiB" in reader.words
    assert "TimescaleDB 2.22.1" in reader.words


@pytest.mark.parametrize("figures", [(), FIGURES[:1], FIGURES[-1:]])
def test_one_suite_alone_makes_a_page_too(figures: tuple[Figure, ...]) -> None:
    assert "Measured with" in read(page(report(*figures))).words
