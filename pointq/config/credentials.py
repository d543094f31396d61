"""Secrets from files that a service manager hands over: LoadCredential= of systemd, in $CREDENTIALS_DIRECTORY.

A credential is named `pointq.` and the setting's key, or, in small letters, like one of the variables that many machines have:
`pointq.database.url` or `database_url`. Where the setting is a file, such as `serve.tls_key`, the credential is that file.
Others are none of ours. An empty one is refused, unlike an empty variable, which compose files and units pass on for nothing:
who hands over a file means a secret, and one that went missing must not open a door.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path

from pointq.config.layers import PLAIN_VARIABLES, Given, Layer
from pointq.config.origin import Origin
from pointq.config.settings import is_secret, walk
from pointq.errors import ConfigError

_PREFIX = "pointq."
_FILES = ("serve.tls_certificate", "serve.tls_key", "auth.jwt_keys")


def credential_layer(environ: Mapping[str, str]) -> Layer:
    """Read the credentials that there are.

    Raises `ConfigError` for one that begins like ours and is not, that is empty, or that cannot be read.
    """
    if not (directory := environ.get("CREDENTIALS_DIRECTORY")):
        return {}
    keys = _keys()
    try:
        found = sorted(path for path in Path(directory).iterdir() if path.is_file())
    except OSError as exc:
        hint = "check CREDENTIALS_DIRECTORY, and who may read it"
        raise ConfigError(f"the credentials in {directory} cannot be read: {exc.strerror}", hint=hint) from exc
    for path in found:
        if path.name.startswith(_PREFIX) and path.name not in keys:
            raise ConfigError(f"no secret setting belongs to the credential {path.name}", hint=_suggestion(path.name, keys))
    return {keys[path.name]: _given(path, keys[path.name]) for path in found if path.name in keys}


def _keys() -> dict[str, str]:
    """The settings by the names that credentials may have."""
    settings = [key for key, field in walk() if is_secret(field) or key in _FILES]
    plain = {name.lower(): key for name, key in PLAIN_VARIABLES.items() if key in settings}
    return plain | {_PREFIX + key: key for key in settings}


def _given(path: Path, key: str) -> Given:
    origin = Origin("credential", path.name)
    if key in _FILES:
        return Given(str(path), origin)
    try:
        secret = path.read_text("utf8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as exc:
        hint = "expected a text file with the secret alone, which the user that runs pointq may read"
        raise ConfigError(f"the credential {path.name} cannot be read: {exc.__class__.__name__}", hint=hint) from exc
    if not secret:
        hint = f"write the secret of {key} into it, or hand over no such credential"
        raise ConfigError(f"the credential {path.name} is empty", hint=hint)
    return Given(secret, origin)


def _suggestion(name: str, known: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return f"did you mean {near[0]}?" if near else f"the credentials are {', '.join(known)}"
