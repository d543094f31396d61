"""The layers that settings come from, each read into dotted keys with their origin.

Nothing here knows which value is right; it only knows which names exist.
"""

import difflib
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pointq.config.origin import Origin
from pointq.config.paths import user_config_file
from pointq.config.settings import sections, walk
from pointq.errors import ConfigError

PREFIX = "POINTQ_"

OTHER_VARIABLES = ("POINTQ_CONFIG", "POINTQ_SAMPLES", "POINTQ_TEST_", "POINTQ_TOKEN")
"""Beginnings of variables of ours that are no settings: which file to read, what the tests run against, what lets in."""

PLAIN_VARIABLES = {
    "PROD": "prod",
    "REDIS_URL": "redis.url",
    "REDIS_HOST": "redis.host",
    "REDIS_PORT": "redis.port",
    "REDIS_DB": "redis.db",
    "REDIS_PASSWORD": "redis.password",
    "REDIS_MAX_CONNECTIONS": "redis.max_connections",
    "DATABASE_URL": "database.url",
}
"""Variables that are set on many machines under these names already."""

UNREADABLE_HINT = "check --config or POINTQ_CONFIG, and who may read the file"

COMMANDS_WITH_SETTINGS = ("serve.", "work.", "check.")
"""Tables whose settings are options of the command of that name, which does not repeat it: ``--port``."""


_UNITS_LEFT_OUT = ("_seconds", "_points", "_percent")
"""Limits of `pointq check` are typed without them: ``--max-age``."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value that someone gave, not yet checked."""

    value: object = field(repr=False)  # it may be a password
    origin: Origin


Layer = dict[str, Given]
"""Dotted key → what was given for it."""


def file_layers(named: Path | None, environ: Mapping[str, str], cwd: Path) -> Iterator[tuple[Path, Layer]]:
    """Read the settings files there are, least important first.

    Raises `ConfigError` for a file that was asked for and is not there, is no TOML, or holds a key that does not exist.
    """
    for path, shown in ((user_config_file(environ), None), (cwd / "pointq.toml", "./pointq.toml")):
        if os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises where a folder above may not be entered
            yield path, file_layer(path, shown or str(path))
    if asked := named or environ.get("POINTQ_CONFIG"):
        yield cwd / asked, file_layer(cwd / asked, str(asked))


def file_layer(path: Path, shown: str) -> Layer:
    """Read one settings file; `shown` is what messages call it."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as exc:
        raise ConfigError(f"the settings file {shown} cannot be read: {exc.strerror}", hint=UNREADABLE_HINT) from exc
    except ValueError as exc:  # tomllib.TOMLDecodeError, which names the line, and UnicodeDecodeError
        raise ConfigError(f"{shown} is no valid TOML: {exc}", hint="text values need quotes; https://toml.io") from exc
    origin = Origin("file", shown)
    return {key: Given(value, origin) for key, value in _flatten(content, shown)}


def environment_layer(environ: Mapping[str, str]) -> Layer:
    """Read the environment. An empty variable counts as not set, since compose files and units pass those on.

    Raises `ConfigError` for a variable that begins like ours and is not.
    """
    ours = {variable(key): key for key, _ in walk()}
    for name in environ:
        if name.startswith(PREFIX) and name not in ours and not name.startswith(OTHER_VARIABLES):
            raise ConfigError(f"no setting belongs to the environment variable {name}", hint=_suggestion(name, ours))
    return {
        key: Given(environ[name], Origin("environment", name))
        for name, key in (PLAIN_VARIABLES | ours).items()
        if environ.get(name)
    }


def flag_layer(flags: Mapping[str, object]) -> Layer:
    """Take what was typed; None is what was not."""
    return {key: Given(value, Origin("flag", _flag(key, value))) for key, value in flags.items() if value is not None}


def variable(key: str) -> str:
    """Return the environment variable of a setting: ``POINTQ_SERVE__PORT`` for ``serve.port``."""
    return PREFIX + key.upper().replace(".", "__")


def _flag(key: str, value: object) -> str:
    if key.startswith("check."):
        key = _without_unit(key)
    for command in COMMANDS_WITH_SETTINGS:
        key = key.removeprefix(command)
    return ("--no-" if value is False else "--") + key.replace(".", "-").replace("_", "-")


def _without_unit(key: str) -> str:
    for unit in _UNITS_LEFT_OUT:
        key = key.removesuffix(unit)
    return key


def _flatten(content: Mapping[str, object], shown: str) -> Iterator[tuple[str, object]]:
    keys = [key for key, _ in walk()]
    tables = sections()
    for name, value in content.items():
        if name in tables:
            yield from _flatten_table(name, value, keys, shown)
        else:
            yield _known(name, keys, shown), value


def _flatten_table(name: str, content: object, keys: list[str], shown: str) -> Iterator[tuple[str, object]]:
    if not isinstance(content, dict):
        raise ConfigError(f"{name} in {shown} is a table of settings, not a value", hint=f"write [{name}], its keys below")
    for key, value in content.items():
        yield _known(f"{name}.{key}", keys, shown), value


def _known(key: str, keys: list[str], shown: str) -> str:
    if key in keys:
        return key
    raise ConfigError(f"{shown} has the unknown setting {key}", hint=_suggestion(key, keys))


def _suggestion(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return f"did you mean {near[0]}?" if near else "`pointq config show` lists every setting"
