"""The record of what operators removed: a bounded stream beside the lanes."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import orjson

from pointq.queue.connection import translated
from pointq.queue.scripts import script

if TYPE_CHECKING:
    from redis.asyncio import Redis

KEPT = 1_000
"""Lines; the oldest go."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One thing that somebody did."""

    at: str
    """RFC 3339, by the clock of the machine where it was done."""
    by: str
    """user@host"""
    action: str
    kind: str
    states: tuple[str, ...]
    filters: str | None
    """What else was asked for, in words."""
    batches: int
    points: int
    export: str | None
    """The file that holds what was removed."""
    outcome: str
    """``begun``: it was interrupted, and the figures are what was meant; ``done``, ``stopped``: they are what was removed."""


class Audit:
    """The record under one key prefix. Every call raises RedisError."""

    def __init__(self, redis: "Redis", url: str, prefix: str = "pointq") -> None:
        self._redis = redis
        self._url = url
        self._key = f"{prefix}:{{audit}}:log"

    async def write(self, line: AuditLine, replaces: str | None = None) -> str:
        """Add a line, in the place of another where one is named; its id."""
        with translated(self._url):
            entry_id = await script(self._redis, "audit")([self._key], [KEPT, replaces or "", orjson.dumps(asdict(line))])
        return str(entry_id.decode())

    async def read(self, most: int | None = None) -> list[AuditLine]:
        """The latest lines, the newest first."""
        with translated(self._url):
            entries: Any = await self._redis.xrevrange(self._key, count=most)
        return [_line(fields[b"line"]) for _, fields in entries]


def _line(raw: bytes) -> AuditLine:
    fields: dict[str, Any] = orjson.loads(raw)
    fields["states"] = tuple(fields["states"])
    return AuditLine(**{name: fields[name] for name in AuditLine.__slots__})
