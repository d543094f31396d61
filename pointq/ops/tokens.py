"""Tokens: what lets a client in at the doors of `pointq serve`.

A token is ``pq_`` and 256 random bits in base64url. The prefix lets people and scanners of source code recognise one. What is
kept is its SHA-256, without salt and without a slow hash: those protect secrets that people chose, by making each guess
expensive, while 2^256 guesses are out of reach at any price.
"""

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Iterable
from typing import NamedTuple

from pointq.errors import UsageError
from pointq.points.kinds import KINDS
from pointq.store.tokens import Token

PREFIX = "pq_"

IMPORT, VIEW = "import", "view"
SCOPES = (*KINDS, IMPORT, VIEW)
"""What a token may allow: points of each kind, files, and to see the status."""

_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@:+-]{0,63}")
_DEVICE_BYTES = 255
"""Of UTF-8, as a device id in a request."""
_SPAN = re.compile(r"(\d{1,5})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}


class Made(NamedTuple):
    """A new token, and the only time that its secret is seen."""

    secret: str
    token: Token

    def __repr__(self) -> str:
        return f"Made({self.token!r})"


def digest(secret: str) -> bytes:
    """What is kept of a token in place of it, 32 bytes; whatever a client sends has one."""
    return hashlib.sha256(secret.encode("utf8", "surrogateescape")).digest()


def make(
    name: str, scopes: Iterable[str], now: dt.datetime, *, device: str | None = None, expires_at: dt.datetime | None = None
) -> Made:
    """Make a token. Raises UsageError where name, scopes, device or time are none."""
    if not _NAME.fullmatch(name):
        hint = "use up to 64 letters, digits and . _ @ : + -, the first a letter or digit"
        raise UsageError(f"a token cannot be named {name!r}", hint=hint)
    if device is not None and (not device or "\0" in device or len(device.encode()) > _DEVICE_BYTES):
        raise UsageError(f"a device id is a text of 1 to {_DEVICE_BYTES} bytes without NUL, found {device!r}")
    if expires_at is not None and expires_at <= now:
        raise UsageError(f"--expires is in the past: {expires_at.isoformat()}")
    secret = PREFIX + secrets.token_urlsafe(_BYTES)
    return Made(secret, Token(digest(secret), name, _checked(scopes), device, now, expires_at, None))


def expiry(text: str, now: dt.datetime) -> dt.datetime:
    """The moment that a text such as ``90d``, ``12h``, ``2026-09-30`` (its end, UTC) or an RFC 3339 time names; in UTC.

    Raises UsageError.
    """
    if span := _SPAN.fullmatch(text):
        return now + dt.timedelta(hours=int(span[1]) * _HOURS[span[2]])
    try:
        if len(text) == len("2026-09-30"):
            day = dt.date.fromisoformat(text)
            return dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(days=1)
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(dt.UTC)  # which may be in the year 10000
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.tzinfo is None:
        hint = "such as 90d, 12h, 2w, 2026-09-30 or 2026-09-30T18:00:00Z"
        raise UsageError(f"--expires is a span, a date or a time with an offset, found {text!r}", hint=hint)
    return moment


def _checked(scopes: Iterable[str]) -> list[str]:
    """The scopes, each once, in the order of the list."""
    asked = set(scopes)
    if unknown := sorted(asked - set(SCOPES)):
        raise UsageError(f"there is no scope {unknown[0]!r}", hint=f"scopes are {', '.join(SCOPES)}")
    if not asked:
        raise UsageError("a token needs a scope", hint=f"scopes are {', '.join(SCOPES)}")
    return [scope for scope in SCOPES if scope in asked]
