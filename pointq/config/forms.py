"""Forms that settings may have: what each takes for a value, and what it says of any other."""

import zoneinfo
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from pointq.config.limits import checked_limit, checked_limits

_HS256_BYTES = 32


def _absolute(path: Path) -> Path:
    """One folder, one set of embedded servers, wherever a command is started."""
    return path.expanduser().absolute()


def _known_timezone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError("expected an IANA time zone such as Europe/Paris") from exc
    return name


def _without_braces(prefix: str) -> str:
    if not prefix or set("{}") & set(prefix):
        raise ValueError("expected a text without braces, since they mark the part of a key that Redis Cluster hashes")
    return prefix


def _networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    for network in networks:
        try:
            ip_network(network)
        except ValueError as exc:
            raise ValueError("expected addresses or networks such as 127.0.0.1 or 10.1.0.0/16") from exc
    return networks


def _long_enough(secret: SecretStr) -> SecretStr:
    """Refuse what can be guessed from one token that was signed with it (RFC 7518, 3.2)."""
    if len(secret.get_secret_value().encode()) < _HS256_BYTES:
        raise ValueError(f"expected at least {_HS256_BYTES} bytes, as random as can be")
    return secret


def _not_empty(secret: SecretStr) -> SecretStr:
    """Refuse what everybody knows: a secret that went missing must open no door."""
    if not secret.get_secret_value():
        raise ValueError("expected a secret that is not empty; where there is none, leave the setting out")
    return secret


def _listed(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
TimeZone = Annotated[str, AfterValidator(_known_timezone)]
Prefix = Annotated[str, AfterValidator(_without_braces)]
LISTED = BeforeValidator(_listed)
"""Takes a text with commas for a list, as the environment has it."""
LOWER = BeforeValidator(_lower)
"""Takes capitals for small letters."""
Words = Annotated[tuple[str, ...], LISTED]
Networks = Annotated[Words, AfterValidator(_networks)]
Secret = Annotated[SecretStr, AfterValidator(_not_empty)]
SigningKey = Annotated[SecretStr, AfterValidator(_long_enough)]
Count = Annotated[int, Field(ge=1)]
LimitText = Annotated[str, AfterValidator(checked_limit)]
LimitTexts = Annotated[str, AfterValidator(checked_limits)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    """A table of the settings file."""

    # An input in the text of an exception could be a password.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
