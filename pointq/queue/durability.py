"""What makes an accepted batch durable on this server."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import redis.exceptions as redis_errors

from pointq.errors import DurabilityError

if TYPE_CHECKING:
    from redis.asyncio import Redis

_WAITAOF_SINCE = (7, 2)
_HINT = 'set "appendonly yes" and "appendfsync always" on the server, or, knowingly, durability = "memory"'


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the producer waits for after an append, besides the server's own answer."""

    local: int = 0
    """1: wait until this server's append-only file is on disk. Not needed where it fsyncs before it answers."""
    replicas: int = 0
    """Wait until so many replicas have it on disk."""

    @property
    def waits(self) -> bool:
        """Whether a WAITAOF is needed at all."""
        return bool(self.local or self.replicas)


@dataclass(frozen=True, slots=True)
class Persistence:
    """How a server keeps its data."""

    engine: str
    version: str
    append_only: bool
    fsync: str | None
    """The value of appendfsync; None where the server does not say."""

    @property
    def has_waitaof(self) -> bool:
        """Whether the server knows the command WAITAOF."""
        numbers = tuple(int(part) for part in self.version.split(".")[:2])
        return numbers >= _WAITAOF_SINCE

    @property
    def summary(self) -> str:
        """In a word or two, for `status`."""
        return f"aof {self.fsync or 'unknown'}" if self.append_only else "none"


async def persistence(redis: "Redis") -> Persistence:
    """Ask the server."""
    info, fsync = await asyncio.gather(redis.info("server", "persistence"), setting(redis, "appendfsync"))
    return Persistence(
        "valkey" if "valkey_version" in info else "redis",
        str(info.get("valkey_version", info["redis_version"])),
        bool(info.get("aof_enabled")),
        fsync,
    )


async def setting(redis: "Redis", name: str) -> str | None:
    """The value of a setting of the server; None where it does not say."""
    try:
        return (await redis.config_get(name)).get(name)
    except redis_errors.ResponseError:
        # managed servers refuse CONFIG
        return None


def acknowledgement(server: Persistence, durability: Literal["fsync", "memory"], min_replicas: int = 0) -> Acknowledgement:
    """What must be waited for on that server so that an answer means durable.

    Raises DurabilityError where the server can give no such promise.
    """
    if durability == "memory":
        return Acknowledgement()
    if not server.append_only:
        message = f"{server.engine} {server.version} keeps no append-only file, so nothing would be durable"
        raise DurabilityError(message, hint=_HINT)
    syncs_first = server.fsync == "always"
    if (not syncs_first or min_replicas) and not server.has_waitaof:
        raise DurabilityError(
            f"{server.engine} {server.version} has appendfsync {server.fsync or 'unknown'} and no WAITAOF (7.2), "
            "so nothing says when a batch is durable",
            hint=_HINT,
        )
    return Acknowledgement(local=0 if syncs_first else 1, replicas=min_replicas)
