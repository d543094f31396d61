"""`pointq bench`, small, on real servers: what it prints, and that it leaves nothing and touches nothing."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from tests.support.databases import keys
from tests.support.needs import missing
from tests.support.sites import Site
from tests.support.until import until

SMALL = ("--points", "20000", "--duration", "0.2", "--pairs", "1")

KEYS = {
    "bytes_per_point",
    "chart",
    "floor",
    "floor_points_per_second",
    "floor_series",
    "name",
    "note",
    "p50_ms",
    "p99_ms",
    "pairs",
    "points_per_second",
    "ratio",
    "ratio_high",
    "ratio_low",
    "series",
    "suite",
    "target",
    "target_value",
    "unit",
    "value",
    "verdict",
}
"""Of a figure: scripts rely on them."""

TARGETS = {
    "redis": {"≤ 12 B/point", "≤ 16 B/point"},
    "db": {"≥ 0.9", "≥ 0.65"},
    "http": {"≥ 0.32", "≥ 0.75", "≥ 0.9", "≤ 10 ms", "≤ 48 B/point", "≤ 120 MiB"},
    "import": {"≥ 30", "≥ 12", "≥ 0.5", "≤ 16 MiB"},
    "e2e": {"≥ 0.85", "≥ 4", "≥ 0.55", "≤ 1 s", "≤ 250 MiB"},
}


@pytest.fixture
def foreign(site: Site) -> dict[str, str]:
    """Rows and keys that are none of a benchmark's business, under names like its own."""
    with psycopg.connect(site.database_url) as connection:
        connection.execute("CREATE TABLE bare_points (note text)")
        connection.execute("INSERT INTO bare_points VALUES ('mine')")
        connection.execute("INSERT INTO flights (kind, flight_uuid) VALUES ('upload', gen_random_uuid())")
        connection.execute("CREATE SCHEMA pointq_bench_mine")
    names = {f"{site.prefix}:{{upload.0}}:stream": "a", f"{site.prefix}:pointq-bench-mine": "b"}
    with redis.Redis.from_url(site.redis_url) as client:
        client.mset(names)
    return names


def facts(site: Site) -> tuple[Any, ...]:
    """Everything in the database and in Redis that a benchmark could have left or changed."""
    schemas = site.rows("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp' ORDER BY 1")
    relations = site.rows("SELECT relname, relfilenode FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1")
    rows = site.rows("SELECT note FROM bare_points"), site.value("SELECT count(*) FROM flights")
    return schemas, relations, rows, keys(site.redis_url)


@pytest.fixture
def report(site: Site, foreign: dict[str, str]) -> Any:
    if not Path("/proc/self/status").exists():
        missing("memory of processes is read from /proc")
    before = facts(site)
    found = site.report("bench", "all", *SMALL, "--html", "report.html")
    assert facts(site) == before
    with redis.Redis.from_url(site.redis_url, decode_responses=True) as client:
        assert client.mget(list(foreign)) == list(foreign.values())
    return found


def test_all_suites_measure_and_leave_nothing(site: Site, report: Any) -> None:
    assert set(report) == {"time", "seconds", "machine", "versions", "settings", "data", "figures"}
    assert all(set(figure) == KEYS for figure in report["figures"])
    for suite, targets in TARGETS.items():
        assert {figure["target"] for figure in report["figures"] if figure["suite"] == suite} - {None} == targets
    for figure in report["figures"]:
        assert figure["points_per_second"] or figure["value"] is not None, figure  # memory may grow by nothing
        assert (figure["ratio"] is None) == (figure["pairs"] is None)
        if figure["ratio"] is not None and figure["target"]:
            assert figure["verdict"] == "not proven"  # one pair proves nothing
    assert report["machine"]["cores"] >= 1
    assert report["versions"]["redis_persistence"] == "aof always"
    assert report["settings"]["points"] == 20_000
    assert (site.home / "report.html").read_text("utf8").startswith("<!doctype html>")


def test_off_a_terminal_the_table_is_the_output_and_progress_is_on_stderr(site: Site) -> None:
    done = site.run("bench", "redis", *SMALL)

    assert "durable enqueue" in done.stdout
    assert "bare XADD" in done.stdout
    assert "redis: durable enqueue" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_a_suite_that_is_not_there_is_named(site: Site) -> None:
    done = site.run("bench", "reddis", expect=2)

    assert done.stderr.splitlines() == [
        "pointq: error: there is no suite 'reddis'",
        "hint: the suites are redis, db, http, import, e2e, and all",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing_either(site: Site, number: signal.Signals) -> None:
    before = keys(site.redis_url)
    process = subprocess.Popen(
        (sys.executable, "-m", "pointq", "bench", "e2e", "--points", "100000", "--pairs", "50"),
        env=site.environ,
        cwd=site.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_hearing,  # noqa: PLW1509 - there are no threads here that could hold a lock
    )
    try:
        until(lambda: _waiting_batches(site, before), "the benchmark has filled a lane")
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()

    assert (process.returncode, out) == (130, b""), err.decode()
    assert b"Traceback" not in err
    assert keys(site.redis_url) == before
    assert not site.rows("SELECT FROM pg_namespace WHERE nspname LIKE 'pointq_bench_%%'")


def test_a_user_who_may_make_no_schema_is_told_so(site: Site) -> None:
    with psycopg.connect(site.database_url) as connection:
        connection.execute("DROP ROLE IF EXISTS bench_reader")
        connection.execute("CREATE ROLE bench_reader LOGIN")
    try:
        url = f"{site.database_url}&options=-c%20role%3Dbench_reader"
        reader = Site(site.redis_url, url, site.prefix, site.home)
        done = reader.run("bench", "db", *SMALL, expect=3)
    finally:
        with psycopg.connect(site.database_url) as connection:
            connection.execute("DROP ROLE bench_reader")

    assert "makes a schema of its own, and may not: permission denied" in done.stderr
    assert "hint: GRANT CREATE ON DATABASE" in done.stderr


def _hearing() -> None:
    """Undo what a shell does to its background jobs: they start deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _waiting_batches(site: Site, before: set[str]) -> bool:
    return any(name.endswith("{upload.0}:stream") for name in keys(site.redis_url) - before)


def test_json_is_one_line(site: Site) -> None:
    done = site.run("bench", "db", *SMALL, "--json")

    assert done.stdout.count("\n") == 1
    assert [figure["suite"] for figure in json.loads(done.stdout)["figures"]] == ["db"] * 5
