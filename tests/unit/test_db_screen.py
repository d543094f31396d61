"""How `pointq db status` looks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from pointq.cli.db_screen import span, state
from pointq.store.figures import HypertableFigures, Policy, TableFigures
from pointq.store.state import State

NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)
COMPRESS = Policy("compress", "live_track_points", 604_800, 43_200, NOW - timedelta(minutes=5), "Success", 0)
HYPERTABLE = HypertableFigures(86_400, 8, 6, 0.75, 1_300, 100, 13.0, (COMPRESS, replace(COMPRESS, what="drop", last_run=None)))
LIVE = TableFigures("live_track_points", "live", False, 3 * 1024**3, 12_345_678, 1_500_000.4, {}, HYPERTABLE)
FOUND = State(NOW, "17.5", "2.23.0", 2, (LIVE,), ("flights",), (), ())


def lines(found: State) -> list[str]:
    console = Console(width=100)
    with console.capture() as said:
        console.print(state(found))
    return [line.rstrip() for line in said.get().splitlines()]


def test_a_table_its_policies_and_what_is_missing() -> None:
    assert lines(FOUND) == [
        "PostgreSQL 17.5  ·  TimescaleDB 2.23.0  ·  tables of version 2",
        "",
        "table                    rows     size   rows/day  chunk  chunks  compressed  ratio",
        "live_track_points  12 345 678  3.0 GiB  1 500 000    1 d       8         75%   13.0",
        "",
        "live_track_points: compress after 7 d, every 12 h: success 5 min ago",
        "live_track_points: drop after 7 d, every 12 h: has not run yet",
        "flights: missing; run `pointq db init`",
    ]


def test_a_policy_that_failed_says_how_often() -> None:
    failed = replace(HYPERTABLE, policies=(replace(COMPRESS, last_status="Failed", failures=3),))

    assert "live_track_points: compress after 7 d, every 12 h: failed 5 min ago, 3 failures" in lines(
        replace(FOUND, tables=(replace(LIVE, hypertable=failed),))
    )


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, "-"), (60, "1 min"), (5_400, "90 min"), (43_200, "12 h"), (604_800, "7 d"), (90, "90 s")]
)
def test_span(seconds: float | None, shown: str) -> None:
    assert span(seconds) == shown
