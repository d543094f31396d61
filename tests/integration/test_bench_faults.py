"""`pointq bench e2e --faults`, short, on real servers: it loses nothing, leaves nothing, and touches nothing of the user's."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pointq.cli.main import run
from pointq.ops.bench.verdict import judge
from tests.support.databases import keys
from tests.support.sites import Site
from tests.support.until import until

KEYS = {"time", "seconds", "seed", "verdict", "duplicate_points", "requests", "faults", "logs"}
VERDICT = {
    "accepted_points",
    "stored_points",
    "dead_points",
    "poison_points",
    "lost_points",
    "repeated_points",
    "strange_points",
    "wrongly_dead_points",
    "miscounted_flights",
}
REQUESTS = {"queue", "database", "spool", "refused", "unanswered", "slowest_seconds"}


@pytest.fixture
def site(site: Site) -> Iterator[Site]:
    """The site, with a folder of its own for temporary files: a short one, for Unix sockets."""
    folder = Path(tempfile.mkdtemp(prefix="pq-"))
    yield replace(site, extra={"TMPDIR": str(folder)})
    shutil.rmtree(folder)


def facts(site: Site) -> tuple[Any, ...]:
    """Everything that it could have left or changed."""
    schemas = site.rows("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp' ORDER BY 1")
    rows = site.rows("SELECT kind, flight_uuid, points FROM flights")
    return schemas, rows, keys(site.redis_url), list(Path(site.extra["TMPDIR"]).iterdir())


def test_nothing_is_lost_and_nothing_is_left(site: Site) -> None:
    with psycopg.connect(site.database_url) as connection:
        connection.execute("INSERT INTO flights (kind, flight_uuid) VALUES ('upload', gen_random_uuid())")
    before = facts(site)

    found = site.report("bench", "e2e", "--faults", "--duration", "6", "--seed", "7")

    assert facts(site) == before
    assert (set(found), set(found["verdict"]), set(found["requests"])) == (KEYS, VERDICT, REQUESTS)
    assert found["verdict"]["lost_points"] == 0
    assert found["verdict"]["stored_points"] >= found["verdict"]["accepted_points"] - found["verdict"]["poison_points"] > 0
    assert found["seed"] == 7
    assert all(set(fault) == {"at_seconds", "what", "seconds"} for fault in found["faults"])
    assert len(found["faults"]) >= 2


def test_other_suites_have_no_faults(site: Site) -> None:
    done = site.run("bench", "e2e", "db", "--faults", expect=2)

    assert done.stderr.splitlines() == [
        "pointq: error: --faults belongs to the suite e2e alone",
        "hint: pointq bench e2e --faults",
    ]


def test_what_would_be_passed_over_is_refused(site: Site) -> None:
    done = site.run("bench", "e2e", "--faults", "--batch", "5000", expect=2)

    assert done.stderr.splitlines() == [
        "pointq: error: --batch has no meaning with --faults",
        "hint: it takes --seed, --duration and --json",
    ]


def test_interrupted_it_leaves_nothing_either(site: Site) -> None:
    before = facts(site)
    process = subprocess.Popen(
        (sys.executable, "-m", "pointq", "bench", "e2e", "--faults", "--duration", "60"),
        env=site.environ,
        cwd=site.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - there are no threads here
    )
    try:
        until(lambda: any(name.endswith("{live.0}:stream") for name in keys(site.redis_url) - before[2]), "points are queued")
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=90)
    finally:
        process.kill()

    assert (process.returncode, out) == (130, b""), err.decode()
    assert b"seed " in err
    assert b"Traceback" not in err
    assert facts(site) == before


def test_a_lost_point_is_exit_code_1_and_says_how_to_repeat_it(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verdict alone is made up: nothing that pointq does would give it."""

    async def loses_one(*arguments: Any) -> Any:
        found = await judge(*arguments)
        return type(found)(**{**{name: getattr(found, name) for name in VERDICT}, "lost_points": 1})

    monkeypatch.setattr("pointq.ops.bench.suite_faults.judge", loses_one)
    for name, value in site.environ.items():
        monkeypatch.setenv(name, value)
    code = run(["bench", "e2e", "--faults", "--duration", "1", "--seed", "9"])

    shown = capsys.readouterr().out
    assert code == 1
    assert "1 lost" in shown
    said = re.search(r"pointq bench e2e --faults --seed 9; what the processes said is in (\S+)", " ".join(shown.split()))
    assert said is not None
    assert list(Path(said[1]).glob("*-serve.log"))
    shutil.rmtree(said[1], ignore_errors=True)
