"""Nothing became much slower: `pytest tests/bench`, on a machine that does nothing else, in two minutes.

Only what is stable is asserted, with margins for shared cores: ratios to floors of the same run, and memory. What the targets
are, and how near pointq comes, docs/performance.md says.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.support.sites import Site

AT_LEAST = {
    "redis": {"durable enqueue, 1,000-point frames": 0.3},
    "db": {"fresh rows": 0.6, "all duplicates": 0.6, "1 % duplicates in every batch": 0.45},
    "http": {"1,000-point uploads accepted": 0.15, "one-point posts": 0.35},
    "import": {"parsing IGC, against aerofiles": 15, "parsing IGC, against libigc": 6, "files to committed rows": 0.25},
    "e2e": {
        "drain, one worker": 0.5,
        "drain, against what pointq replaces": 2,
        "1,000-point uploads over HTTP to committed rows": 0.25,
    },
}
"""Ratios, by suite and name."""

AT_MOST = {
    "redis": {"memory, IGC files as imported": 12, "memory, phone uploads of 1,000 points": 16},
    "http": {"memory, one-point posts": 48, "serve, peak memory": 150},
    "import": {"memory, growth over 10,000 files": 32},
    "e2e": {"worker, peak memory": 250, "live point behind a backlog, POST to committed row": 2},
}
"""Values, the same way: bytes a point, MiB, seconds."""

OPTIONS = ("--points", "200000", "--duration", "0.5")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("suite", AT_LEAST)
def test_ratios_and_memory_are_in_their_bounds(site: Site, samples: Path, suite: str) -> None:
    report: Any = site.report("bench", suite, *OPTIONS, "--samples", str(samples))
    figures = {figure["name"]: figure for figure in report["figures"]}

    for name, bound in AT_LEAST[suite].items():
        figure = figures[name]
        assert figure["ratio"] >= bound, figure
    for name, bound in AT_MOST.get(suite, {}).items():
        figure = figures[name]
        assert figure["value"] <= bound, figure
