"""A schema that was there before pointq takes its points by configuration alone, from the request to the row."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from pointq.embedded import Backends
from tests.support.api import LIVE
from tests.support.databases import database
from tests.support.points import flight_uuid, track
from tests.support.sites import Site

SCHEMA: LiteralString = """
    CREATE TABLE flights (id uuid PRIMARY KEY, pilot text);
    CREATE TABLE live_track_points (
        datetime timestamptz NOT NULL,
        id bigserial,
        flight_uuid uuid NOT NULL REFERENCES flights (id),
        flight_id text NOT NULL,
        lat double precision NOT NULL,
        lon double precision NOT NULL,
        elevation double precision,
        barometric_altitude double precision,
        source text,
        PRIMARY KEY (datetime, id),
        UNIQUE (flight_id, lat, lon, datetime)
    );
"""
MAPPED = {
    "table": "public.live_track_points",
    "columns": {
        "time": "datetime",
        **{name: name for name in ("flight_uuid", "flight_id", "lat", "lon", "elevation", "barometric_altitude")},
    },
    "values": {"source": "pointq"},
}


@pytest.fixture
def theirs(backends: Backends, prefix: str, tmp_path: Path) -> Iterator[Site]:
    """A site whose live points go into that schema, the flights 1 and 2 being in it."""
    with database(backends.database_url) as url:
        execute(url, SCHEMA)
        for name in ("1", "2"):
            execute(url, "INSERT INTO flights VALUES (%s)", flight_uuid("live", name))
        extra = {"POINTQ_TABLES__LIVE": json.dumps(MAPPED), "POINTQ_TABLES__FLIGHTS": "false"}
        yield Site(backends.redis_url, url, prefix, tmp_path, extra)


def execute(url: str, statement: LiteralString, *values: Any) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement, values or None)


def send(site: Site, flight: str, count: int) -> None:
    with site.serve() as server, server.client() as client:
        answer = client.post(LIVE, {"flight_id": flight, "track_points": track(count)})
        assert answer.status == 202, answer
    site.drain()


def stored(site: Site) -> dict[str, int]:
    rows = site.rows("SELECT flight_id, count(*) AS points FROM live_track_points GROUP BY 1")
    return {row["flight_id"]: row["points"] for row in rows}


def dead(site: Site) -> int:
    lanes = {queue["kind"]: queue for queue in site.status()["queues"]}
    return int(lanes["live"]["dead_points"])


@pytest.mark.parametrize("count", [3, 700])
def test_points_are_stored_once_and_a_missing_flight_costs_its_own_alone(theirs: Site, count: int) -> None:
    assert theirs.report("db", "init")["findings"] == []
    send(theirs, "1", count)
    send(theirs, "1", count)
    send(theirs, "2", count)
    with theirs.serve() as server, server.client() as client:
        for flight, points in (("1", count + 20), ("missing", 5), ("2", count + 1)):
            answer = client.post(LIVE, {"flight_id": flight, "track_points": track(points)})
            assert answer.status == 202, answer
    theirs.drain()

    assert stored(theirs) == {"1": count + 20, "2": count + 1}
    assert dead(theirs) == 5
    first = theirs.rows("SELECT * FROM live_track_points WHERE flight_id = '1' ORDER BY datetime LIMIT 1")[0]
    assert (first["flight_uuid"], first["source"]) == (flight_uuid("live", "1"), "pointq")


def test_init_leaves_it_alone_and_says_what_differs(theirs: Site) -> None:
    before = theirs.rows("SELECT attname FROM pg_attribute WHERE attrelid = 'live_track_points'::regclass ORDER BY attnum")
    execute(theirs.database_url, "ALTER TABLE live_track_points ALTER flight_id DROP NOT NULL, DROP COLUMN elevation")

    said = theirs.run("db", "init", expect=1).stdout

    assert 'ALTER TABLE "public"."live_track_points" ALTER COLUMN "flight_id" SET NOT NULL;' in said
    assert 'ALTER TABLE "public"."live_track_points" ADD COLUMN "elevation" float8;' in said
    for line in said.splitlines():
        if line.strip().startswith("ALTER"):
            execute(theirs.database_url, line)
    theirs.run("db", "init")
    after = theirs.rows("SELECT attname FROM pg_attribute WHERE attrelid = 'live_track_points'::regclass AND NOT attisdropped")
    assert {row["attname"] for row in after} == {row["attname"] for row in before}


def test_a_name_that_is_wrong_is_said_before_anything_starts(theirs: Site) -> None:
    wrong = {"columns": {**MAPPED["columns"], "elevatio": "x"}}  # type: ignore[dict-item]
    site = replace(theirs, extra={"POINTQ_TABLES__LIVE": json.dumps(wrong)})

    said = site.run("work", "--drain", expect=2).stderr

    assert "the setting tables.live has a column for elevatio, which is no value of pointq's" in said
    assert "did you mean elevation?" in said


def test_flights_of_pointqs_own_are_exported_from_a_table_of_the_users(site: Site) -> None:
    execute(
        site.database_url,
        "DROP TABLE live_track_points; CREATE TABLE fixes (flight text NOT NULL, at timestamp NOT NULL, y numeric NOT NULL, "
        "x numeric NOT NULL, h real, UNIQUE (flight, at, y, x))",
    )
    columns = {"flight_uuid": "flight", "time": "at", "lat": "y", "lon": "x", "elevation": "h"}
    mine = replace(site, extra={"POINTQ_TABLES__LIVE": json.dumps({"table": "fixes", "columns": columns})})
    send(mine, "1", 30)

    rows = mine.run("flights", "export", "1", "--format", "csv").stdout.splitlines()

    assert len(rows) == 31
    assert mine.report("flights")["flights"][0]["points"] == 30
    off = replace(mine, extra={**mine.extra, "POINTQ_TABLES__FLIGHTS": "false"})
    assert "keeps no flights of its own" in off.run("flights", expect=2).stderr
