"""The table of tokens, and the text that says whether it changed."""

import datetime as dt

import pytest
from psycopg import AsyncConnection

from pointq.errors import DatabaseError, PointqError
from pointq.ops.tokens import make
from pointq.store import schema, tokens
from pointq.store.connection import connect

NOW = dt.datetime.now(dt.UTC)


async def test_made_listed_and_revoked_each_under_another_version(database_url: str) -> None:
    connection = await connect(database_url)
    await schema.init(connection)
    versions = [await tokens.version(connection)]
    anna = make("anna", ["live", "view"], NOW, device="7", expires_at=NOW + dt.timedelta(days=1)).token

    await tokens.enter(connection, anna)
    versions.append(await tokens.version(connection))
    assert await tokens.every(connection) == [anna]
    with pytest.raises(PointqError, match="there is a token named anna already"):
        await tokens.enter(connection, make("anna", ["live"], NOW).token)
    assert await tokens.version(connection) == versions[-1], "nothing changed"

    revoked = await tokens.revoke(connection, "anna")
    assert revoked is not None
    assert revoked.revoked_at is not None
    assert revoked.state(NOW) == "revoked"
    versions.append(await tokens.version(connection))
    assert await tokens.revoke(connection, "anna") is None

    again = make("anna", ["upload"], NOW + dt.timedelta(seconds=1)).token
    await tokens.enter(connection, again)
    versions.append(await tokens.version(connection))
    assert await tokens.every(connection) == [revoked, again]
    assert len(set(versions)) == len(versions)
    await connection.close()


async def test_a_moment_that_no_calendar_here_has_hides_no_other_token(connection: AsyncConnection) -> None:
    moments = {
        "infinity": "active",
        "20000-01-01Z": "active",
        "-infinity": "expired",
        "0044-03-15Z BC": "expired",
    }
    await tokens.enter(connection, make("anna", ["live"], NOW).token)
    for number, moment in enumerate(moments):
        await tokens.enter(connection, make(f"{number}", ["live"], NOW).token)
        by_hand = "UPDATE pointq_tokens SET expires_at = %s, created_at = %s WHERE name = %s"
        await connection.execute(by_hand, (moment, moment, f"{number}"))

    found = {token.name: token.state(NOW) for token in await tokens.every(connection)}
    assert found.pop("anna") == "active"
    assert [found[name] for name in sorted(found)] == list(moments.values())
    for name in found:
        revoked = await tokens.revoke(connection, name)
        assert revoked is not None
        assert revoked.state(NOW) == "revoked"


async def test_what_is_no_list_of_scopes_hides_no_other_token(connection: AsyncConnection) -> None:
    by_hand = {
        "a": ("{live,NULL,view}", ["live", "view"]),
        "b": ("{{live,view},{upload,NULL}}", ["live", "view", "upload"]),
        "c": ("{}", []),
        "d": ("[5:6]={live,NULL}", ["live"]),
    }
    for name, (scopes, _) in by_hand.items():
        await tokens.enter(connection, make(name, ["live"], NOW).token)
        await connection.execute("UPDATE pointq_tokens SET scopes = %s::text[] WHERE name = %s", (scopes, name))

    wanted = {name: told for name, (_, told) in by_hand.items()}
    assert {token.name: token.scopes for token in await tokens.every(connection)} == wanted
    for name, told in wanted.items():
        revoked = await tokens.revoke(connection, name)
        assert revoked is not None
        assert revoked.scopes == told


async def test_without_the_table(database_url: str) -> None:
    connection = await connect(database_url)
    with pytest.raises(DatabaseError, match="the table pointq_tokens is missing") as caught:
        await tokens.every(connection)
    assert caught.value.hint == "`pointq db init` makes it"
    await connection.close()
