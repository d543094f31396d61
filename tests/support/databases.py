"""Databases and keys that belong to one test."""

import itertools
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql

_numbers = itertools.count(1)


def database_name(url: str) -> str:
    """Return the name of the database that a URL points to."""
    return urlsplit(url).path.removeprefix("/")


def _named(url: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    return url.replace(f"/{database_name(url)}?", f"/{name}?", 1)


@contextmanager
def database(url: str, *, template: str = "template1", options: LiteralString = "") -> Iterator[str]:
    """Make a database on the server of that URL, hand out its own URL, and drop it."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(url, autocommit=True) as connection:
        # copied as files: by way of the log, which is the default, it takes eight times as long
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY {}")
        connection.execute(make.format(sql.Identifier(name), sql.Identifier(template), sql.SQL(options)))
        try:
            yield _named(url, name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def key_prefix(url: str) -> Iterator[str]:
    """Hand out a prefix that nobody else has, and delete the keys that begin with it, and no others."""
    prefix = f"test-{os.getpid()}-{next(_numbers)}"
    yield prefix
    with closing(redis.Redis.from_url(url)) as client:
        for key in client.scan_iter(match=f"{prefix}:*"):
            client.delete(key)


def keys(url: str) -> set[str]:
    """Return every key there is."""
    with closing(redis.Redis.from_url(url, decode_responses=True)) as client:
        return {str(key) for key in client.scan_iter()}
