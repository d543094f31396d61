"""Log lines on stderr: for people on a terminal, else one JSON object a line.

Whatever a device, a file or a server sends may end up in a message, so control characters never reach a line as they are:
nobody can forge a line or steer a terminal. No line is longer than is read, and what looks like a token is left out: an error's
text may quote a request. Extra fields are given as the standard library has them:
``log.info("stored", extra={"points": 3})``.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Mapping
from typing import Literal, TextIO

import orjson

from pointq.clock import rfc3339

LogFormat = Literal["auto", "human", "json"]

LEVEL_COLOURS = {"WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[1;31m", "DEBUG": "\x1b[2m"}
NO_COLOUR = "\x1b[0m"

# C0, DEL and C1 controls; line and paragraph separators; the marks that turn the direction of text round; surrogates, which
# stand for the bytes of a file's name that are no UTF-8, and which no stream can encode.
_CONTROL_CODES = (
    *range(0x20),
    *range(0x7F, 0xA0),
    0x2028,
    0x2029,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    *range(0xD800, 0xE000),
)
_AS_ESCAPES = {code: chr(code).encode("unicode_escape").decode("ascii") for code in _CONTROL_CODES}
_AS_JSON_ESCAPES = {code: f"\\u{code:04x}" for code in _CONTROL_CODES if code >= 0x7F}  # noqa: PLR2004 - those JSON leaves raw

_MOST_CHARACTERS = 2000
"""Of a message, a value, or a line of a traceback."""
_MOST_LINES = 200
"""Of a traceback: its end says most."""
_TOKENS = re.compile(r"\bpq_[\w-]{20,}|\beyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=\btoken=)[^&\s'\"]+")
"""Tokens of pointq, signed ones, and whatever is called one in an address."""

_STANDARD_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def configure(level: str = "info", form: LogFormat = "auto", *, stream: TextIO | None = None, no_color: bool = False) -> None:
    """Send everything that is logged to `stream` (stderr), from `level` upwards. May be called again."""
    stream = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(stream)
    if form == "json" or (form == "auto" and not stream.isatty()):
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(HumanFormatter(colour=colour_allowed(stream, os.environ, no_color=no_color)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # it warns of connections that died under it; who uses them says so, once
    logging.getLogger("psycopg").setLevel(logging.ERROR)


def colour_allowed(stream: TextIO, environ: Mapping[str, str], *, no_color: bool = False) -> bool:
    """Tell whether to colour: on a terminal, unless --no-color, NO_COLOR (https://no-color.org) or TERM=dumb says no."""
    refused = no_color or environ.get("NO_COLOR") or environ.get("TERM") == "dumb"
    return not refused and stream.isatty()


def printable(text: str) -> str:
    r"""Return `text` on one line, with control characters as escapes (``\n``, ``\x1b``)."""
    return text.translate(_AS_ESCAPES)


def fit(text: str) -> str:
    """Return `text` as a log may have it: without tokens, and not longer than anybody reads."""
    hidden = _TOKENS.sub("***", text[: 2 * _MOST_CHARACTERS])
    if len(hidden) <= _MOST_CHARACTERS and len(text) <= 2 * _MOST_CHARACTERS:
        return hidden
    return f"{hidden[:_MOST_CHARACTERS]}… ({len(text):,} characters in all)"


def json_printable(text: str) -> str:
    """Return JSON that means the same, with the control characters as escapes that JSON would leave as they are."""
    return text.translate(_AS_JSON_ESCAPES)


class HumanFormatter(logging.Formatter):
    """``03:35:02 INFO    stored  kind=live points=3``, and the traceback below it, indented."""

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, in local time."""
        time = self.formatTime(record, "%H:%M:%S")
        extras = "".join(f" {printable(key)}={_word(value)}" for key, value in _extras(record).items())
        line = f"{time} {self._level(record)} {printable(fit(record.getMessage()))}{extras and ' '}{extras}"
        below = "".join(f"\n    {printable(each)}" for each in _traceback(self, record).splitlines())
        return line + below

    def _level(self, record: logging.LogRecord) -> str:
        padded = f"{record.levelname:<7}"
        colour = LEVEL_COLOURS.get(record.levelname) if self._colour else None
        return f"{colour}{padded}{NO_COLOUR}" if colour else padded


class JsonFormatter(logging.Formatter):
    """One JSON object: time (RFC 3339, UTC), level, logger, message, the extra fields, and traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object, without line feed."""
        entry: dict[str, object] = {
            "time": rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": fit(record.getMessage()),
        }
        if traceback := _traceback(self, record):
            entry["traceback"] = traceback
        extras = {key: _fitting(value) for key, value in _extras(record).items() if key not in entry}
        return json_printable(_json(entry | extras))


def _extras(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in record.__dict__.items() if key not in _STANDARD_FIELDS}


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = [formatter.formatException(record.exc_info)] if record.exc_info else []
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join([fit(line) for part in parts for line in part.splitlines()][-_MOST_LINES:])


def _fitting(value: object) -> object:
    return fit(value) if isinstance(value, str) else value


def _word(value: object) -> str:
    """Return a value as one word, quoted where it would fall apart."""
    text = f"{value:.6g}" if isinstance(value, float) else fit(str(value))
    return printable(json.dumps(text, ensure_ascii=False) if not text or set(text) & set(' "=') else text)


def _json(entry: dict[str, object]) -> str:
    try:
        return orjson.dumps(entry, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z).decode()
    except TypeError:  # lone surrogates and integers above 64 bits, which the standard library takes
        return json.dumps(entry, default=str)
