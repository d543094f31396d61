"""A PostgreSQL in WebAssembly under Node, with an extension that no package of this machine may have.

It has one session, lets clients in one after the other, and cannot take a COPY.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.needs import missing

_BUILD = Path(__file__).parents[2] / "build"
"""Where `make test` installs them."""

_OURS = """
    SELECT c.relname, c.relkind FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'm')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""


@contextmanager
def running(name: str) -> Iterator[str]:
    """Start the server that has that extension; its URL."""
    folder = _BUILD / name
    command = (_node(name, folder), str(folder / "pglite.mjs"))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            port = int(process.stdout.readline())
            yield f"postgresql://postgres:postgres@127.0.0.1:{port}/postgres?sslmode=disable"
        finally:
            process.stdin.close()


def empty(url: str) -> None:
    """Drop what a test left: there is but one database."""
    with psycopg.connect(url, autocommit=True) as connection:
        for name, kind in connection.execute(_OURS).fetchall():
            word = sql.SQL({"r": "TABLE", "v": "VIEW", "m": "MATERIALIZED VIEW"}[kind])
            if kind == "v" and _is_aggregate(connection, name):
                word = sql.SQL("MATERIALIZED VIEW")
            connection.execute(sql.SQL("DROP {} IF EXISTS {} CASCADE").format(word, sql.Identifier(name)))


def _is_aggregate(connection: psycopg.Connection, name: str) -> bool:
    """Whether that view is a continuous aggregate of TimescaleDB."""
    if connection.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").fetchone() is None:
        return False
    query = "SELECT FROM timescaledb_information.continuous_aggregates WHERE view_name = %s"
    return connection.execute(query, (name,)).fetchone() is not None


def _node(name: str, folder: Path) -> str:
    node = shutil.which("node")
    if node is None:
        missing(f"{name} runs in WebAssembly under Node 18 or newer")
    found = subprocess.run((node, "--version"), capture_output=True, text=True, check=True).stdout
    version = re.match(r"v(\d+)", found)
    if version is None or int(version[1]) < 18:
        missing(f"{name} in WebAssembly needs Node 18 or newer, this one is {found.strip()}")
    if not (folder / "node_modules").is_dir():
        missing(f"`make test` installs {name} in WebAssembly with npm, and has not done it here")
    return node
