"""``pointq config``: what the settings are, and a file to write them into."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pointq.cli.context import JsonOption, app_context, print_json
from pointq.cli.help import help_text

if TYPE_CHECKING:
    from pointq.config import ExplainedSetting, LoadedConfig

app = typer.Typer(
    help=help_text(
        "See the settings and where they come from.",
        ("pointq config show", "every setting, its value, its origin"),
        ("pointq config init", "write ./pointq.toml to start from"),
        ("pointq config show --json | jq '.settings[\"serve.port\"]'", "one setting, for a script"),
    )
)


@app.command()
def show(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """Print every setting, its value and its origin. Secrets are masked."""
    loaded = app_context(ctx).load_config()
    if as_json:
        print_json(_document(loaded))
    else:
        _print_table(list(loaded.explain()))


@app.command()
def init(
    ctx: typer.Context,
    *,
    path: Annotated[Path, typer.Option(help="File to write.")] = Path("pointq.toml"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write a settings file that describes every setting and changes none."""
    from pointq.config import template
    from pointq.errors import PointqError

    try:
        _write(path, template(), force=force)
    except FileExistsError as exc:
        raise PointqError(f"{path} is there already", hint="--force replaces it, --path writes another") from exc
    except OSError as exc:
        raise PointqError(f"{path} cannot be written: {exc.strerror}", hint="--path writes another file") from exc
    app_context(ctx).err.print(f"wrote {path}; see `pointq config show` after changing it", markup=False)


def _write(path: Path, text: str, *, force: bool) -> None:
    """Write for the owner alone: passwords will be added."""
    replace = os.O_TRUNC if force else os.O_EXCL
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | replace, mode=0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _document(loaded: "LoadedConfig") -> dict[str, object]:
    settings = {row.key: {"value": row.value, "origin": str(row.origin)} for row in loaded.explain()}
    return {"settings": settings, "files": loaded.files}


def _print_table(rows: "list[ExplainedSetting]") -> None:
    values = ["-" if row.value is None else _text(row.value) for row in rows]
    key_width = max(len(row.key) for row in rows)
    value_width = max(map(len, values))
    for row, value in zip(rows, values, strict=True):
        typer.echo(f"{row.key:<{key_width}}  {value:<{value_width}}  {row.origin}")


def _text(value: object) -> str:
    from pointq.logs import printable

    return str(value).lower() if isinstance(value, bool) else printable(str(value))
