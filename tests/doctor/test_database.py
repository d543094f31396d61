"""Each check of the database's server, provoked on a real one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from pointq.ops.doctor.checks import database as checks
from pointq.ops.doctor.finding import Finding
from pointq.ops.doctor.sources.database import DatabaseServer, server
from pointq.store.connection import connect
from tests.doctor.doctor import Patient
from tests.faults.servers import ADMIN, database_server
from tests.support.databases import database_name

Look = Callable[[DatabaseServer], Iterator[Finding]]

ALL = (
    "database.reachable",
    "database.version",
    "database.standby",
    "database.commit",
    "database.connections",
    "database.timeouts",
    "database.pooler",
    "database.encoding",
)


@pytest.fixture
def own(patient: Patient, database_url: str) -> Patient:
    return patient.with_(POINTQ_DATABASE__URL=database_url)


async def test_nothing_is_wrong_with_a_good_one(own: Patient) -> None:
    report = await own.examine()

    assert {line.check: line.severity for line in report.findings if line.check in ALL} == dict.fromkeys(ALL, "ok")


@pytest.mark.parametrize(
    ("statement", "check", "severity"),
    [
        ("ALTER DATABASE {} SET default_transaction_read_only = on", "database.standby", "fail"),
        ("ALTER DATABASE {} SET synchronous_commit = off", "database.commit", "fail"),
        ("ALTER DATABASE {} SET synchronous_commit = local", "database.commit", "ok"),
        ("ALTER DATABASE {} SET statement_timeout = '2s'", "database.timeouts", "warn"),
        ("ALTER DATABASE {} SET idle_session_timeout = '5s'", "database.timeouts", "warn"),
        ("ALTER DATABASE {} SET statement_timeout = '10min'", "database.timeouts", "ok"),
        ("ALTER DATABASE {} CONNECTION LIMIT 4", "database.connections", "warn"),
    ],
)
async def test_one_setting_of_the_database(
    own: Patient, database_url: str, statement: LiteralString, check: str, severity: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(database_name(database_url))))

    assert await own.severity(check) == severity


async def test_a_server_that_does_not_sync(own: Patient, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
        try:
            line = await own.line("database.commit")
        finally:
            connection.execute("ALTER SYSTEM RESET fsync")
            connection.execute("SELECT pg_reload_conf()")

    assert (line.severity, line.mend) == ("fail", "ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf();")


async def test_another_encoding(patient: Patient, database_url: str) -> None:
    name = sql.Identifier(f"{database_name(database_url)}_ascii")
    with psycopg.connect(database_url, autocommit=True) as connection:
        options = sql.SQL("ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'")
        connection.execute(sql.SQL("CREATE DATABASE {} {}").format(name, options))
        try:
            url = database_url.replace(f"/{database_name(database_url)}?", f"/{database_name(database_url)}_ascii?")
            assert await patient.with_(POINTQ_DATABASE__URL=url).severity("database.encoding") == "warn"
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


async def test_a_clock_that_is_wrong(own: Patient, database_url: str) -> None:
    assert await own.severity("clocks.database") == "ok"
    for shift, severity in (("3 seconds", "warn"), ("-1 hour", "fail")):
        with psycopg.connect(database_url, autocommit=True) as connection:
            # found before the real one
            connection.execute(
                sql.SQL(
                    "CREATE OR REPLACE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
                    "$$SELECT pg_catalog.clock_timestamp() + interval {}$$"
                ).format(sql.Literal(shift))
            )
            name = sql.Identifier(database_name(database_url))
            connection.execute(sql.SQL("ALTER DATABASE {} SET search_path = public, pg_catalog").format(name))
        line = await own.line("clocks.database")
        assert line.severity == severity
        assert "±" in line.message


@pytest.mark.parametrize(
    ("change", "check", "severity"),
    [
        ({"version": "14.12", "version_number": 140012}, checks.version, "fail"),
        ({"version": "15.0", "version_number": 150000}, checks.version, "ok"),
        ({"pooled": True}, checks.pooler, "warn"),
        ({"standby": True}, checks.standby, "fail"),
    ],
)
async def test_what_no_server_here_is(
    own: Patient, database_url: str, change: dict[str, object], check: Look, severity: str
) -> None:
    (finding,) = check(replace(await asked(own, database_url), **change))  # type: ignore[arg-type]

    assert finding.severity == severity


async def test_a_standby(patient: Patient) -> None:
    with database_server() as server:
        server.shut_down_at_once()
        (server.folder / "data" / "standby.signal").touch()
        server.start()

        line = await patient.with_(POINTQ_DATABASE__URL=server.url("postgres", ADMIN)).line("database.standby")

    assert (line.severity, line.message) == ("fail", "it is a standby")


async def asked(patient: Patient, url: str) -> DatabaseServer:
    connection = await connect(url)
    try:
        return await server(connection, patient.load().settings)
    finally:
        await connection.close()
