"""The queries that docs/database.md shows, and how the server goes about them."""

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from psycopg import AsyncConnection

FOLDER = files("pointq.store") / "sql" / "queries"

Node = dict[str, Any]


def names() -> list[str]:
    return sorted(path.name.removesuffix(".sql") for path in FOLDER.iterdir())


def source(name: str) -> str:
    """A query as psql takes it, its variables as ``:'name'``."""
    return (FOLDER / f"{name}.sql").read_text("utf8")


def query(name: str) -> bytes:
    """The same with psycopg's parameters."""
    return re.sub(r":'(\w+)'", r"%(\1)s", source(name)).encode()


async def rows(connection: AsyncConnection[Any], name: str, **values: Any) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query(name), values)).fetchall()


async def plan(connection: AsyncConnection[Any], name: str, **values: Any) -> list[Node]:
    """The nodes of its plan, run for real."""
    explain = b"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, FORMAT JSON) " + query(name)
    row = await (await connection.execute(explain, values)).fetchone()
    assert row is not None
    return list(_nodes(row[0][0]["Plan"]))


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for each in node.get("Plans", ()):
        yield from _nodes(each)
