"""What a benchmark ran on: figures mean nothing without it."""

import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import AsyncConnection

from pointq.queue.connection import translated
from pointq.queue.durability import persistence

if TYPE_CHECKING:
    from pointq.ops.bench.scratch import Scratch

_LIBRARIES = ("aiohttp", "hiredis", "numpy", "orjson", "psycopg", "redis", "uvloop", "zstandard", "aerofiles", "libigc")
_SETTINGS = ("fsync", "synchronous_commit", "shared_buffers", "max_wal_size", "wal_level")
"""Of PostgreSQL, those that decide how fast it writes."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The computer."""

    cpu: str
    cores: int
    """Those that this process may use."""
    memory_bytes: int | None
    os: str
    python: str


@dataclass(frozen=True, slots=True)
class Versions:
    """pointq, the servers and the libraries."""

    pointq: str
    redis: str
    redis_persistence: str
    postgresql: str
    postgresql_settings: dict[str, str]
    timescaledb: str | None
    libraries: dict[str, str]


def machine() -> Machine:
    """This computer."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
    return Machine(
        cpu=_cpu(),
        cores=len(affinity(0)) if affinity else os.cpu_count() or 1,
        memory_bytes=_memory(),
        os=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
    )


async def versions(scratch: "Scratch") -> Versions:
    """What both servers say of themselves, and what is installed here."""
    with translated(scratch.redis_url):
        server = await persistence(scratch.redis)
    connection = scratch.connection
    number = connection.info.server_version
    return Versions(
        pointq=version("pointq"),
        redis=f"{server.engine} {server.version}",
        redis_persistence=server.summary,
        postgresql=f"{number // 10_000}.{number % 10_000}",
        postgresql_settings=await _settings(connection),
        timescaledb=scratch.timescaledb,
        libraries={name: found for name in _LIBRARIES if (found := _installed(name))},
    )


async def _settings(connection: AsyncConnection) -> dict[str, str]:
    cursor = await connection.execute(
        "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s) ORDER BY name", (list(_SETTINGS),)
    )
    return {str(name): str(value) for name, value in await cursor.fetchall()}


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
