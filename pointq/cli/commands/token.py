"""``pointq token``: who may do what at the doors of `pointq serve`."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from pointq.cli.context import JsonOption, app_context, print_json
from pointq.cli.help import help_text

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from pointq.store.tokens import Token

T = TypeVar("T")

app = typer.Typer(
    help=help_text(
        "Make, list and revoke the tokens that let clients in. Which doors ask for one is in [auth] of the settings.",
        ("pointq token create --name anna --scope live", "for an app; the token is shown once"),
        ("pointq token create --name tracker-7 --scope live --device 7 --expires 90d", "one device, one season"),
        ("pointq token create --name grafana --scope view", "for whoever watches"),
        ("pointq token list", "which there are"),
        ("pointq token revoke anna", "within 5 s on every server"),
    )
)


@app.command()
def create(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Option(help="What the token is called in lists and to revoke it.")],
    scope: Annotated[
        list[str],
        typer.Option(help="What it allows: live, upload, scoring, flymaster, import, view; repeatable, or with commas."),
    ],
    device: Annotated[str | None, typer.Option(help="Only points of this device id.")] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Until when: 90d, 12h, 2w, a date, or a time with an offset.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token and print it: it is not kept, and cannot be shown again."""
    from pointq.ops.tokens import expiry, make
    from pointq.store.tokens import enter

    now = datetime.now(UTC)
    scopes = [word.strip() for text in scope for word in text.split(",") if word.strip()]
    made = make(name, scopes, now, device=device, expires_at=expiry(expires, now) if expires else None)
    _with_database(ctx, lambda connection: enter(connection, made.token))
    if as_json:
        print_json({**_facts(made.token, now), "token": made.secret})
        return
    typer.echo(made.secret)
    app_context(ctx).err.print("keep it now: pointq has only a hash of it and cannot show it again", markup=False)


@app.command("list")
def list_(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """List the tokens that there are and were; none of them can be shown."""
    from pointq.store.tokens import every

    now = datetime.now(UTC)
    tokens = _with_database(ctx, every)
    if as_json:
        print_json({"tokens": [_facts(token, now) for token in tokens]})
        return
    if not tokens:
        app_context(ctx).err.print("there is no token yet; `pointq token create` makes one", markup=False)
        return
    rows = [("NAME", "STATE", "SCOPES", "DEVICE", "EXPIRES")]
    rows += [
        (token.name, token.state(now), ",".join(token.scopes), _shown(token.device), _day(token.expires_at)) for token in tokens
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


@app.command()
def revoke(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the token.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Revoke a token, for good. Every server that reaches the database refuses it within 5 s."""
    from pointq.errors import PointqError
    from pointq.store import tokens

    revoked = _with_database(ctx, lambda connection: tokens.revoke(connection, name))
    if revoked is None:
        raise PointqError(f"there is no token named {name} to revoke", hint="`pointq token list` shows those that there are")
    if as_json:
        print_json(_facts(revoked, datetime.now(UTC)))
        return
    app_context(ctx).err.print(f"{name} is revoked; every server refuses it within 5 s", markup=False)


def _facts(token: "Token", now: datetime) -> dict[str, object]:
    """What `--json` says of a token; not even the hash."""
    return {
        "name": token.name,
        "state": token.state(now),
        "scopes": token.scopes,
        "device": token.device,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
    }


def _shown(device: str | None) -> str:
    from pointq.logs import printable

    return printable(device) if device else "any"


def _day(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ") if moment else "never"


def _with_database(ctx: typer.Context, do: "Callable[[AsyncConnection[Any]], Awaitable[T]]") -> "T":
    import asyncio

    from pointq.cli.backends import database_alone
    from pointq.store.connection import connect

    settings = app_context(ctx).load_config().settings

    async def run(url: str) -> T:
        connection = await connect(url, within=settings.database.connect_timeout_seconds)
        try:
            return await do(connection)
        finally:
            await connection.close()

    with database_alone(settings) as backends:
        return asyncio.run(run(backends.database_url))
