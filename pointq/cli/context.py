"""What every command shares: the settings, the two output streams, and how facts are printed."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from pointq.config import LoadedConfig

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]


@dataclass
class AppContext:
    """The global options, and what is made from them when a command first needs it."""

    config_file: Path | None = None
    debug: bool = False
    log_level: str | None = None
    log_format: str | None = None
    no_color: bool = False

    def load_config(self, flags: Mapping[str, object] | None = None) -> "LoadedConfig":
        """Read the settings and start logging as they say. `flags` are the command's own, by dotted key, None: not given."""
        from pointq import config, logs

        own = {"log.level": self.log_level, "log.format": self.log_format}
        loaded = config.load(config_file=self.config_file, flags={**(flags or {}), **own})
        log = loaded.settings.log
        logs.configure(log.level, log.format, no_color=self.no_color)
        return loaded

    def can_ask(self) -> bool:
        """Tell whether somebody is there to answer a question: standard input and error are a terminal."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    @cached_property
    def out(self) -> "Console":
        """Standard output: the data that was asked for, and nothing else."""
        return self._console(stderr=False)

    @cached_property
    def err(self) -> "Console":
        """Standard error: progress, notes, questions."""
        return self._console(stderr=True)

    def _console(self, *, stderr: bool) -> "Console":
        from rich.console import Console

        from pointq.logs import colour_allowed

        stream = sys.stderr if stderr else sys.stdout
        colour = colour_allowed(stream, os.environ, no_color=self.no_color)
        # Off a terminal Rich would wrap and cut lines at 80 columns, which no script expects.
        width = None if stream.isatty() else 10_000
        return Console(stderr=stderr, no_color=not colour, highlight=False, width=width, emoji=False)


def app_context(ctx: typer.Context) -> AppContext:
    """Return what the global options made."""
    return ctx.ensure_object(AppContext)


def print_json(value: object) -> None:
    """Print one JSON object on one line: RFC 3339 times, dataclasses and NumPy values as they are, paths as text."""
    import orjson

    options = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY
    sys.stdout.buffer.write(orjson.dumps(value, default=_path, option=options))
    sys.stdout.flush()


def _path(value: object) -> str:
    """Everything else, secrets first, has to be made printable by whoever prints it."""
    if isinstance(value, Path):
        return str(value)
    raise TypeError
