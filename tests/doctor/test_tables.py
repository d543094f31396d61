"""Each check of the tables, provoked on real ones."""

import json
from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest
from psycopg import conninfo, sql

from pointq.store.layout import Layout
from tests.doctor.doctor import Patient, lines_of
from tests.support.sites import Site

CHECKS = (
    "tables.present",
    "tables.kind",
    "tables.columns",
    "tables.key",
    "tables.indexes",
    "tables.triggers",
    "tables.constraints",
    "tables.rights",
)

DEFERRABLE = """
    DROP INDEX live_track_points_flight_uuid_time_lat_lon_idx;
    ALTER TABLE live_track_points ADD CONSTRAINT late UNIQUE (flight_uuid, time, lat, lon) DEFERRABLE
"""
KEY = "DROP INDEX live_track_points_flight_uuid_time_lat_lon_idx; CREATE {} live_track_points {}"
TRIGGER = """
    CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER dropper BEFORE INSERT ON live_track_points FOR EACH ROW EXECUTE FUNCTION nothing()
"""


async def test_nothing_is_wrong_with_the_tables_of_db_init(healthy: Patient) -> None:
    report = await healthy.examine()

    assert {line.check: line.severity for line in report.findings if line.check in CHECKS} == dict.fromkeys(CHECKS, "ok")


@pytest.mark.parametrize(
    ("statement", "check", "severity", "said", "mend"),
    [
        ("DROP TABLE scoring_track_points", "tables.present", "fail", "scoring_track_points", "pointq db init"),
        ("ALTER TABLE flights SET UNLOGGED", "tables.kind", "fail", "flights is unlogged", "SET LOGGED"),
        (
            "ALTER TABLE live_track_points RENAME TO t; CREATE VIEW live_track_points AS SELECT * FROM t",
            "tables.kind",
            "warn",
            "is no table (relkind v)",
            "make live_track_points a table",
        ),
        (
            "ALTER TABLE live_track_points DROP speed",
            "tables.columns",
            "fail",
            "no column speed",
            "ADD COLUMN speed double precision",
        ),
        ("ALTER TABLE live_track_points RENAME speed TO v", "tables.columns", "fail", "no column speed", "ADD COLUMN speed"),
        (
            "ALTER TABLE live_track_points ALTER speed TYPE real",
            "tables.columns",
            "fail",
            "is real, expected",
            "TYPE double precision",
        ),
        ("ALTER TABLE live_track_points ALTER lat DROP NOT NULL", "tables.columns", "warn", "lat may be NULL", "SET NOT NULL"),
        (
            "ALTER TABLE live_track_points ALTER speed SET NOT NULL",
            "tables.columns",
            "fail",
            "speed is NOT NULL",
            "DROP NOT NULL",
        ),
        (
            "ALTER TABLE live_track_points ADD pilot text NOT NULL",
            "tables.columns",
            "fail",
            "pointq does not know it",
            'ALTER COLUMN "pilot" DROP NOT NULL',
        ),
        (
            "ALTER TABLE live_track_points DROP speed, ADD speed float8 GENERATED ALWAYS AS (lat) STORED",
            "tables.columns",
            "fail",
            "speed is generated",
            "DROP EXPRESSION",
        ),
        (
            "DROP INDEX live_track_points_flight_uuid_time_lat_lon_idx",
            "tables.key",
            "fail",
            "no unique index on",
            "CREATE UNIQUE INDEX ON live_track_points",
        ),
        (
            KEY.format("INDEX plain ON", "(flight_uuid, time, lat, lon)"),
            "tables.key",
            "fail",
            "plain is not unique",
            "CREATE UNIQUE INDEX",
        ),
        (
            KEY.format("UNIQUE INDEX part ON", "(flight_uuid, time, lat, lon) WHERE lat > 0"),
            "tables.key",
            "fail",
            "part covers a part of the rows",
            "CREATE UNIQUE INDEX",
        ),
        (
            DEFERRABLE,
            "tables.key",
            "fail",
            "late is deferrable",
            "CREATE UNIQUE INDEX",
        ),
        (
            "CREATE UNIQUE INDEX narrow ON live_track_points (flight_uuid, time)",
            "tables.key",
            "fail",
            "narrower than the key",
            "DROP INDEX narrow",
        ),
        (
            "ALTER TABLE flights DROP CONSTRAINT flights_pkey",
            "tables.key",
            "fail",
            "flights has no unique index on (kind, flight_uuid)",
            "CREATE UNIQUE INDEX ON flights",
        ),
        ("CREATE INDEX by_time ON live_track_points (time)", "tables.indexes", "warn", "by_time", "DROP INDEX by_time"),
        (TRIGGER, "tables.triggers", "warn", "the trigger dropper", 'DROP TRIGGER "dropper" ON live_track_points'),
        (
            "CREATE RULE nothing AS ON INSERT TO live_track_points DO INSTEAD NOTHING",
            "tables.triggers",
            "warn",
            "the rule nothing",
            'DROP RULE "nothing"',
        ),
        (
            "ALTER TABLE live_track_points ADD CONSTRAINT north CHECK (lat > 0)",
            "tables.constraints",
            "warn",
            "north: CHECK",
            'DROP CONSTRAINT "north"',
        ),
    ],
)
async def test_one_thing_wrong(
    healthy: Patient, site: Site, statement: LiteralString, check: str, severity: str, said: str, mend: str
) -> None:
    change(site, statement)

    found = [line for line in lines_of(await healthy.examine(), check) if said in line.message]

    assert [line.severity for line in found] == [severity]
    assert mend in str(found[0].mend)


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        # what cannot be equal for two points narrows nothing
        ("ALTER TABLE live_track_points ADD id bigserial PRIMARY KEY", "tables.key"),
        ("ALTER TABLE live_track_points ADD id bigserial PRIMARY KEY", "tables.columns"),
        ("ALTER TABLE live_track_points ADD stored_at timestamptz NOT NULL DEFAULT now()", "tables.columns"),
        ("ALTER TABLE live_track_points ADD pilot text", "tables.columns"),
        ("ALTER TABLE scoring_track_points ALTER validity TYPE varchar", "tables.columns"),
        (KEY.format("UNIQUE INDEX turned ON", "(lon, lat, time, flight_uuid)"), "tables.key"),
        (KEY.format("UNIQUE INDEX turned ON", "(lon, lat, time, flight_uuid)"), "tables.indexes"),
    ],
)
async def test_unusual_and_harmless(healthy: Patient, site: Site, statement: LiteralString, check: str) -> None:
    change(site, statement)

    assert await healthy.severity(check) == "ok"


@pytest.fixture
def weak(site: Site) -> Iterator[str]:
    """A role that may log in, and no more."""
    role = f"weak_{conninfo.conninfo_to_dict(site.database_url)['dbname']}"
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        yield role
        connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


async def test_rights_that_lack(healthy: Patient, site: Site, weak: str) -> None:
    every = sql.SQL(", ").join(map(sql.Identifier, Layout().names))
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("GRANT INSERT, SELECT ON {} TO {}").format(every, sql.Identifier(weak)))
        connection.execute(sql.SQL("GRANT UPDATE ON imports TO {}").format(sql.Identifier(weak)))
    # the server knows root only; the session becomes the role
    asking = healthy.with_(POINTQ_DATABASE__URL=f"{site.database_url}&options=-c%20role%3D{weak}")

    lacking = await asking.line("tables.rights")
    assert (lacking.severity, lacking.message) == ("fail", f"{weak} lacks UPDATE on flights")
    assert lacking.mend == f'GRANT UPDATE ON flights TO "{weak}"'
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("GRANT UPDATE ON flights TO {}").format(sql.Identifier(weak)))
    assert await asking.severity("tables.rights") == "ok"

    change(site, "ALTER TABLE live_track_points ENABLE ROW LEVEL SECURITY")
    line = await asking.line("tables.rights")
    assert (line.severity, line.message) == ("warn", "row security is in force on live_track_points")


async def test_what_mends_mends(healthy: Patient, site: Site) -> None:
    change(
        site,
        "ALTER TABLE live_track_points DROP speed, ALTER accuracy TYPE real; "
        "DROP INDEX live_track_points_flight_uuid_time_lat_lon_idx",
    )
    broken = [line for check in ("tables.columns", "tables.key") for line in lines_of(await healthy.examine(), check)]
    assert len(broken) == 3

    with psycopg.connect(site.database_url, autocommit=True) as connection:
        for line in broken:
            connection.execute(str(line.mend).encode())

    assert [await healthy.severity(check) for check in ("tables.columns", "tables.key")] == ["ok", "ok"]


async def test_tables_of_the_users_own(healthy: Patient, site: Site) -> None:
    mapping = {"table": "gps.fixes", "columns": {name: name for name in ("flight_uuid", "time", "lat", "lon")}}
    patient = healthy.with_(POINTQ_TABLES__LIVE=json.dumps(mapping))
    missing = await patient.line("tables.yours")
    assert (missing.severity, missing.message) == ("fail", "gps.fixes: there is no such table")
    assert missing.mend is not None

    change(site, "CREATE SCHEMA gps")
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute(missing.mend.encode())
        without = await patient.line("tables.yours")
        connection.execute(str(without.mend).encode())
        for line in list(lines_of(await patient.examine(), "tables.yours")):
            assert line.severity == "fail"
            assert "taken for distinct" in line.message or "may be NULL" in line.message
            connection.execute(str(line.mend).encode())

    assert await patient.severity("tables.yours") == "ok"
    # pointq's own table of that kind is not asked about any more
    change(site, "DROP TABLE live_track_points")
    assert await patient.severity("tables.present") == "ok"


def change(site: Site, statement: LiteralString) -> None:
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute(statement)
