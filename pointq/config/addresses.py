"""Addresses of servers, whole, with user and password: which can be read in one way alone.

A password with a sign that means something in a URL cuts it in another place than its writer meant. What then counts as host,
port or name is a piece of the password, and every message that says which server is meant would tell it.
"""

import re
from typing import Annotated
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator, SecretStr

_REDIS_SCHEMES = ("redis", "rediss", "unix")
_MAY_HAVE_AT = ("username=", "password=", "client_name=")

_QUOTING = "in a password write % / # ? @ and spaces as %25 %2F %23 %3F %40 %20"
_REDIS = f"expected a URL such as redis://host:6379/0, rediss://… or unix://…; {_QUOTING}"
_DATABASE = f"expected a URL such as postgresql://user@host:5432/name; {_QUOTING}"
_DATABASE_PAIRS = f"{_DATABASE}. Or pairs such as host=… dbname=… password='…', in quotes where there are spaces"

_DATABASE_SCHEME = re.compile(r"postgres(?:ql)?://")
_HOST = r"(?:\[[^\]]*\]|[^:/?,@\[\]]*)(?::\d*)?"
_PARAMETER = r"[^=&]+=[^=&]*"
_PARAMETERS = rf"(?:{_PARAMETER}(?:&{_PARAMETER})*&?)?"
_DATABASE_URL = re.compile(
    rf"{_DATABASE_SCHEME.pattern}(?:[^@/]*@|(?![^@/]*@)){_HOST}(?:,{_HOST})*(?:/[^@?]*)?(?:\?{_PARAMETERS})? *"
)
"""As libpq splits it: user and password end at the first @ before any slash. Of a name, an @ must be written as %40."""
_UNREADABLE = re.compile(r"\s(?! *\Z)|%(?![0-9A-Fa-f]{2})")
"""What libpq takes in no part of a URL: spaces, but at its end, and a % that encodes nothing."""
_PAIRS = re.compile(r"\s*(?:\w+\s*=\s*(?:'(?:[^'\\]|\\.)*'\s*|(?!')(?:[^\s\\]|\\.)*(?:\s+|\Z)))+", re.DOTALL)
"""libpq's ``key = value``, which is in quotes or without spaces; a backslash takes the next sign for itself."""


def _redis_url(url: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(url.get_secret_value())
        _ = parts.port  # which is read, and may be none, only now
    except ValueError:  # the text of which has a piece of the URL
        raise ValueError(_REDIS) from None
    if parts.scheme not in _REDIS_SCHEMES or _is_cut(parts):
        raise ValueError(_REDIS)
    return url


def _is_cut(parts: SplitResult) -> bool:
    """Whether the @ that ends a password stands behind the place where the client takes host and port to end."""
    parameters = [each for each in parts.query.split("&") if not each.startswith(_MAY_HAVE_AT)]
    return bool(parts.netloc) and any("@" in each for each in (parts.path, *parameters, parts.fragment))


def _database_url(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    if not _DATABASE_SCHEME.match(text):
        if not _PAIRS.fullmatch(text):
            raise ValueError(_DATABASE_PAIRS)
    elif not _DATABASE_URL.fullmatch(text) or not _is_encoded(text):
        raise ValueError(_DATABASE)
    return url


def _is_encoded(text: str) -> bool:
    """Whether what is written with % is UTF-8, as psycopg takes it, and nothing is left that has to be."""
    try:
        unquote(text, errors="strict")
    except UnicodeDecodeError:
        return False
    return not _UNREADABLE.search(text)


RedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
"""A URL, or pairs; psycopg takes both."""
