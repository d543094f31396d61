"""`pointq db`, as a user runs it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.support.points import track
from tests.support.sites import Site


def test_a_dry_run_prints_the_sql_that_a_run_then_executes(site: Site) -> None:
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("DROP TABLE flights, pointq_schema")

    shown = site.run("db", "init", "--dry-run").stdout
    assert shown.startswith("-- make flights\nBEGIN;\n")
    assert site.report("db", "init", "--dry-run")["stages"][0]["what"] == "make flights"
    assert site.value("SELECT to_regclass('flights')") is None

    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute(shown)
    assert site.run("db", "init", "--dry-run").stdout == "-- nothing is to be done\n"


def test_init_says_what_it_did(site: Site) -> None:
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("DROP TABLE flights")

    found = site.report("db", "init")

    assert (found["made"], found["done"], found["version"]) == (["flights"], ["make flights"], 2)
    assert "flights                    there already" in site.run("db", "init").stdout


def test_a_table_that_is_refused_is_an_error_with_a_hint(site: Site) -> None:
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE live_track_points DROP COLUMN heading")

    done = site.run("db", "init", expect=1)

    assert "column heading is missing, expected double precision" in done.stderr
    assert "RENAME TO" in done.stderr


def test_tables_of_a_newer_pointq_are_no_outage(site: Site) -> None:
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO pointq_schema (version) VALUES (99)")

    assert "which a newer pointq made" in site.run("db", "init", expect=1).stderr


def test_status_says_how_large_the_tables_are_and_what_is_missing(site: Site) -> None:
    with site.serve() as server, server.client() as client:
        answer = client.post(
            "/tracking/live", {"flight_id": "a", "track_points": track(50, start=datetime.now(UTC) - timedelta(hours=1))}
        )
        assert answer.status == 202, answer
    site.drain()
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("ANALYZE; DROP TABLE imports")

    found = site.report("db", "status")

    tables = {table["table"]: table for table in found["tables"]}
    live = tables["live_track_points"]
    assert (live["rows"], live["kind"], live["yours"], live["hypertable"]) == (50, "live", False, None)
    assert live["bytes"] > 8_192
    assert (list(live["days"].values()), live["rows_per_day"]) == ([50], pytest.approx(50 / 7))
    assert (tables["uploaded_track_points"]["rows_per_day"], tables["flights"]["rows_per_day"]) == (0, None)
    assert (found["missing"], found["timescaledb"], found["version"]) == (["imports"], None, 2)
    shown = site.run("db", "status").stdout
    assert shown.startswith("PostgreSQL ")
    assert "imports: missing; run `pointq db init`" in shown
    assert any(line.split()[:2] == ["live_track_points", "50"] for line in shown.splitlines())


@pytest.mark.parametrize("command", ["init", "status"])
def test_a_table_that_cannot_be_used_is_an_error_however_it_is_shown(site: Site, command: str) -> None:
    wrong = replace(site, extra={"POINTQ_TABLES__LIVE": '{"table": "nowhere"}'})

    shown = wrong.run("db", command, expect=1)
    found = wrong.report("db", command, expect=1)

    assert "there is no such table" in shown.stdout
    assert "nothing can be stored in nowhere" in shown.stderr
    assert [finding["severity"] for finding in found["findings"]] == ["error"]
