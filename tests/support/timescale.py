"""A TimescaleDB: the full one that POINTQ_TEST_TIMESCALE_URL names, or one in WebAssembly under Node."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import conninfo, sql

from tests.support.needs import missing

FOLDER = Path(__file__).parents[2] / "build" / "timescale"
"""Where `make test` installs it."""

_OURS = """
    SELECT c.relname, c.relkind FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'm')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""


@dataclass(frozen=True, slots=True)
class Timescale:
    """One server with the extension in its database."""

    url: str
    full: bool
    """Whether it is a server of its own: it takes COPY and more clients than one, and has background workers."""


@contextmanager
def timescale() -> Iterator[Timescale]:
    """Start one, or use the full one."""
    if url := os.environ.get("POINTQ_TEST_TIMESCALE_URL"):
        yield Timescale(url, full=True)
        return
    command = (_node(), str(FOLDER / "server.mjs"))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            port = int(process.stdout.readline())
            yield Timescale(f"postgresql://postgres:postgres@127.0.0.1:{port}/postgres?sslmode=disable", full=False)
        finally:
            process.stdin.close()


@contextmanager
def clean_database(server: Timescale) -> Iterator[str]:
    """A database without tables of ours; on WebAssembly the only one there is, emptied behind the test."""
    if not server.full:
        yield server.url
        _empty(server.url)
        return
    name = f"test_timescale_{os.getpid()}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            url = conninfo.make_conninfo(server.url, dbname=name)
            with psycopg.connect(url, autocommit=True) as inside:
                inside.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
            yield url
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _empty(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for name, kind in connection.execute(_OURS).fetchall():
            word = sql.SQL({"r": "TABLE", "v": "VIEW", "m": "MATERIALIZED VIEW"}[kind])
            if (
                kind == "v"
                and connection.execute(
                    "SELECT FROM timescaledb_information.continuous_aggregates WHERE view_name = %s", (name,)
                ).fetchone()
            ):
                word = sql.SQL("MATERIALIZED VIEW")
            connection.execute(sql.SQL("DROP {} IF EXISTS {} CASCADE").format(word, sql.Identifier(name)))


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        missing("TimescaleDB runs in WebAssembly under Node 18 or newer, or where POINTQ_TEST_TIMESCALE_URL says")
    found = subprocess.run((node, "--version"), capture_output=True, text=True, check=True).stdout
    version = re.match(r"v(\d+)", found)
    if version is None or int(version[1]) < 18:
        missing(f"TimescaleDB in WebAssembly needs Node 18 or newer, this one is {found.strip()}")
    if not (FOLDER / "node_modules").is_dir():
        missing("`make test` installs TimescaleDB in WebAssembly with npm, and has not done it here")
    return node
