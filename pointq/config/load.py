"""Merges the layers into settings, and says of each value where it came from."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from pointq.config.credentials import credential_layer
from pointq.config.layers import Given, Layer, environment_layer, file_layers, flag_layer
from pointq.config.origin import MASK, Origin, mask_passwords
from pointq.config.paths import default_data_dir
from pointq.config.settings import Settings, attribute, is_secret, walk
from pointq.errors import ConfigError

DEFAULT = Origin("default")

PROD_REDIS_HOST = "redis"
"""What the Redis container is called in every compose file that sets PROD."""

Printable = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class ExplainedSetting:
    """One line of `config show`."""

    key: str
    value: Printable
    """Fit to be seen by anyone: secrets are masked."""
    origin: Origin


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """The settings, where each came from, and which files were read, the least important first."""

    settings: Settings
    origins: Mapping[str, Origin]
    files: tuple[Path, ...]

    def explain(self) -> Iterator[ExplainedSetting]:
        """Yield every setting with its value, masked where it is secret, and its origin."""
        for key, _ in walk():
            yield ExplainedSetting(key, _printable(key, _value(self.settings, key)), self.origins[key])


def load(
    *,
    config_file: Path | None = None,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> LoadedConfig:
    """Read every layer and merge them key by key.

    `flags` are by dotted key (``serve.port``), None where nothing was typed; `environ` and `cwd` are the process's own unless
    given. Raises `ConfigError`, which names the setting, its value, where it came from and what was expected.
    """
    environ = os.environ if environ is None else environ
    files = list(file_layers(config_file, environ, cwd or Path.cwd()))
    layers = [*(layer for _, layer in files), credential_layer(environ), environment_layer(environ), flag_layer(flags or {})]
    given = {"data_dir": Given(default_data_dir(environ), DEFAULT)} | _merge(layers)
    settings = _validate(given)
    if settings.prod and settings.redis.effective_url() is None:
        given["redis.host"] = Given(PROD_REDIS_HOST, replace(DEFAULT, name="with prod"))
        settings = _validate(given)
    origins = {key: given[key].origin if key in given else DEFAULT for key, _ in walk()}
    return LoadedConfig(settings, origins, tuple(path for path, _ in files))


def _merge(layers: Iterable[Layer]) -> Layer:
    """Let later layers win, key by key. A host of Redis also wins over a whole URL of an earlier layer."""
    merged: Layer = {}
    for layer in layers:
        if "redis.host" in layer:
            merged.pop("redis.url", None)
        merged |= layer
    return merged


def _validate(given: Layer) -> Settings:
    try:
        return Settings.model_validate(_nest(given))
    except ValidationError as exc:
        raise _config_error(exc.errors(include_url=False), given) from exc


def _nest(given: Layer) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, item in given.items():
        table, _, name = key.rpartition(".")
        target = nested.setdefault(table, {}) if table else nested
        target[name] = item.value
    return nested


def _config_error(errors: list[ErrorDetails], given: Layer) -> ConfigError:
    """Describe the first wrong setting; the others show when it is mended."""
    # what follows is the place in a list or a table, of which the whole is the setting
    known = dict(walk())
    key = next(key for key in _beginnings(errors[0]["loc"]) if key in known)
    secret = is_secret(known[key])
    found = MASK if secret else _quoted(given[key].value)
    origin = given[key].origin
    return ConfigError(
        f"the setting {key} is {found} (from {origin}); {_expected(errors[0])}",
        hint=f"correct it in {origin.name}" if origin.layer == "file" else f"correct {origin.name}",
    )


def _beginnings(place: tuple[int | str, ...]) -> Iterator[str]:
    """Yield the dotted keys that lead to a place, the longest first."""
    for end in range(len(place), 0, -1):
        yield ".".join(map(str, place[:end]))


def _quoted(value: object) -> str:
    return f'"{mask_passwords(value)}"' if isinstance(value, str) else mask_passwords(str(value))


def _expected(error: ErrorDetails) -> str:
    """Put Pydantic's message into our words: what was expected, without how it was tried."""
    message = error["msg"].removeprefix("Value error, ").replace("Input should be", "expected", 1)
    return message.partition(", unable")[0]


def _value(settings: Settings, key: str) -> object:
    value: object = settings
    for name in key.split("."):
        value = getattr(value, attribute(name))
    return value


def _printable(key: str, value: object) -> Printable:
    """Return what may be printed: of a URL all but its password, of another secret nothing."""
    match value:
        case SecretStr():
            return mask_passwords(value.get_secret_value()) if key.endswith(".url") else MASK
        case None | bool() | int() | float():
            return value
        case tuple():
            return ", ".join(map(str, value))
        case BaseModel():
            return value.model_dump_json(exclude_defaults=True)
        case _:
            return str(value)
