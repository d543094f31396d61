"""The settings, and which servers they mean. Nothing is started for it."""

from dataclasses import dataclass, field
from pathlib import Path

from pointq import embedded
from pointq.config import LoadedConfig, Settings
from pointq.config.layers import file_layer
from pointq.config.settings import is_secret, walk
from pointq.embedded import wheels
from pointq.errors import EmbeddedError


@dataclass(frozen=True, slots=True)
class Setup:
    """What was configured."""

    settings: Settings
    secret_files: tuple[Path, ...]
    """Settings files that hold a password."""
    redis_url: str | None = field(repr=False)
    """None: an embedded server is meant, and none runs; so below."""
    database_url: str | None = field(repr=False)
    embedded: bool
    """An embedded server is meant for at least one of them."""
    trouble: EmbeddedError | None = None
    """Why it could not be learned whether embedded servers run."""
    no_wheels: EmbeddedError | None = None
    """Why embedded servers that are meant could not be started."""


def setup(loaded: LoadedConfig) -> Setup:
    """The settings as they are, with the addresses of embedded servers where those are meant and run."""
    settings = loaded.settings
    redis, database = settings.redis.effective_url(), settings.database.url
    redis_url = redis.get_secret_value() if redis else None
    database_url = database.get_secret_value() if database else None
    if (redis_url and database_url) or settings.prod:
        return Setup(settings, _secret_files(loaded), redis_url, database_url, embedded=False)
    try:
        running, trouble = embedded.probe(settings.data_dir), None
    except EmbeddedError as exc:
        running, trouble = None, exc
    if running:
        redis_url, database_url = redis_url or running.redis_url, database_url or running.database_url
    return Setup(
        settings, _secret_files(loaded), redis_url, database_url, embedded=True, trouble=trouble, no_wheels=_no_wheels()
    )


def _secret_files(loaded: LoadedConfig) -> tuple[Path, ...]:
    """Which files hold one, in force or not."""
    secret = {key for key, field in walk() if is_secret(field)}
    return tuple(path for path in loaded.files if secret & set(file_layer(path, str(path))))


def _no_wheels() -> EmbeddedError | None:
    try:
        wheels.find()
    except EmbeddedError as exc:
        return exc
    return None
