"""Connections to real and to missing servers."""

import socket
import time
import traceback

import pytest
from psycopg import AsyncConnection, sql

from pointq.errors import DatabaseError
from pointq.store.connection import connect, describe


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("postgresql://user:secret@example.org:5433/points", "example.org:5433/points"),
        ("host=example.org dbname=points password=secret", "example.org:5432/points"),
        ("postgresql:///points?host=/run/pg", "/run/pg/points"),
        ("postgresql://user:secret@example.org/points?nonsense=1", "?"),
        ("no url and no pairs", "?"),
    ],
)
def test_a_description_has_no_password(url: str, where: str) -> None:
    assert describe(url) == where


async def test_a_session_is_in_utc_and_holds_nothing_for_ever(database_url: str) -> None:
    joint = "&" if "?" in database_url else "?"
    connection = await connect(f"{database_url}{joint}options=-c%20work_mem%3D7MB%20-c%20TimeZone%3DAsia/Tokyo")

    found = [await setting(connection, name) for name in ("TimeZone", "work_mem", "lock_timeout")]

    assert found == ["UTC", "7MB", "10s"]
    assert await setting(connection, "idle_in_transaction_session_timeout") == "1min"
    assert connection.autocommit
    await connection.close()


async def test_a_database_that_does_not_exist(database_url: str) -> None:
    with pytest.raises(DatabaseError, match="does not exist") as caught:
        await connect(database_url.replace("/test_", "/none_"))

    assert "createdb" in str(caught.value.hint)


@pytest.mark.parametrize("url", ["postgresql://u:secret@localhost:1/x", "postgresql://u:secret@localhost/x?nonsense=1"])
async def test_a_connection_that_fails_tells_no_password(url: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        await connect(url)

    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:top secret@h/x",
        "postgresql://u:p%zzsecret@h/x",
        "password=my secret host=h",
        "postgresql://u:1/secret%zz@h",
    ],
)
async def test_a_url_that_cannot_be_read_tells_no_piece_of_itself(url: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        await connect(url)

    assert caught.value.message == "the database's URL cannot be read"
    assert "secret" not in "".join(traceback.format_exception(caught.value)).partition("await connect")[2] + describe(url)


async def test_a_server_that_says_nothing() -> None:
    began = time.monotonic()

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(DatabaseError, match="cannot be reached"):
            await connect(f"postgresql://u@127.0.0.1:{port}/x", within=1)

    assert time.monotonic() - began < 10


async def setting(connection: AsyncConnection, name: str) -> str:
    cursor = await connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(name)))
    row = await cursor.fetchone()
    assert row is not None
    return str(row[0])
