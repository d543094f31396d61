"""The tables: made once, whoever makes them."""

import asyncio

import psycopg
import pytest
from psycopg import AsyncConnection, sql

from pointq.errors import DatabaseError
from pointq.points.kinds import KINDS, Kind
from pointq.store import ddl, schema
from pointq.store.connection import connect
from pointq.store.layout import Layout
from pointq.store.plan import VERSION

TABLES = {"flights", "imports", "pointq_tokens", *(kind.table for kind in KINDS.values())}


async def test_made_where_missing_and_left_alone_where_not(database_url: str) -> None:
    connection = await connect(database_url)
    assert set((await schema.look(connection)).missing) == TABLES

    first, second = await schema.init(connection), await schema.init(connection)

    assert (set(first.tables), set(first.made), first.timescaledb) == (TABLES, TABLES, None)
    assert (second.tables, second.made) == (first.tables, ())
    found = await schema.look(connection)
    assert (found.tables, found.missing, found.version) == (first.tables, (), VERSION)
    await connection.close()


async def test_one_that_was_dropped_is_made_again_and_rows_of_others_stay(database_url: str) -> None:
    connection = await connect(database_url)
    await schema.init(connection)
    await connection.execute("DROP TABLE scoring_track_points")
    await connection.execute("INSERT INTO flights (kind, flight_uuid) VALUES ('live', gen_random_uuid())")

    assert (await schema.init(connection)).made == ("scoring_track_points",)

    cursor = await connection.execute("SELECT count(*) FROM flights")
    assert await cursor.fetchone() == (1,)
    await connection.close()


async def test_several_at_once(database_url: str) -> None:
    connections = [await connect(database_url) for _ in range(4)]

    made = await asyncio.gather(*(schema.init(connection) for connection in connections))

    assert sorted(table for each in made for table in each.made) == sorted(TABLES)
    for connection in connections:
        await connection.close()


async def test_columns_and_key_are_the_contracts(database_url: str) -> None:
    connection = await connect(database_url)
    await schema.init(connection)
    for kind in KINDS.values():
        await check_table(connection, kind)
    await connection.close()


async def check_table(connection: AsyncConnection, kind: Kind) -> None:
    cursor = await connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
        (kind.table,),
    )
    columns = await cursor.fetchall()
    keys = [
        ("flight_uuid", "uuid"),
        ("time", "timestamp with time zone"),
        ("lat", "double precision"),
        ("lon", "double precision"),
    ]
    assert columns[:4] == [(*key, True) for key in keys]
    assert [name for name, _, _ in columns[4:]] == [column.name for column in kind.own_columns]
    assert not any(required for _, _, required in columns[4:])
    cursor = await connection.execute("SELECT indexdef FROM pg_indexes WHERE tablename = %s", (kind.table,))
    ((index,),) = await cursor.fetchall()
    assert "UNIQUE" in index
    assert '(flight_uuid, "time", lat, lon)' in index


async def test_without_the_right_to_create(database_url: str) -> None:
    role = sql.Identifier(f"weak_{psycopg.conninfo.conninfo_to_dict(database_url)['dbname']}")
    connection = await connect(database_url)
    await connection.execute(sql.SQL("CREATE ROLE {}").format(role))
    try:
        await connection.execute(sql.SQL("SET ROLE {}").format(role))
        with pytest.raises(DatabaseError, match="the tables cannot be made: permission denied") as caught:
            await schema.init(connection)
        assert "right CREATE" in str(caught.value.hint)
        assert (await schema.look(connection)).tables == ()
    finally:
        await connection.execute("RESET ROLE")
        await connection.execute(sql.SQL("DROP ROLE {}").format(role))
        await connection.close()


async def test_another_failure_does_not_speak_of_rights(database_url: str) -> None:
    connection = await connect(database_url)
    await connection.execute("SET default_transaction_read_only = on")

    with pytest.raises(DatabaseError, match="read-only transaction") as caught:
        await schema.init(connection)

    assert caught.value.hint is None
    await connection.close()


def test_a_hypertable_has_no_index_but_the_key() -> None:
    for kind in KINDS.values():
        statement = ddl.create_hypertable(kind, Layout().chunk(kind)).as_string()
        assert f"create_hypertable('{kind.table}'" in statement
        assert "create_default_indexes => false" in statement
        assert ("'1 days'" in statement) == (kind.name == "live")
