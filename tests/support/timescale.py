"""A TimescaleDB: the full one that POINTQ_TEST_TIMESCALE_URL names, or one in WebAssembly under Node."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import conninfo, sql

from tests.support import wasm


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
    with wasm.running("timescale") as url:
        yield Timescale(url, full=False)


@contextmanager
def clean_database(server: Timescale) -> Iterator[str]:
    """A database without tables of ours; on WebAssembly the only one there is, emptied behind the test."""
    if not server.full:
        yield server.url
        wasm.empty(server.url)
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
