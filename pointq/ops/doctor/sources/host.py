"""This machine's Python, and what it allows a process."""

import resource
import sys
import zoneinfo
from dataclasses import dataclass
from importlib.util import find_spec

from psycopg import pq
from redis.utils import HIREDIS_AVAILABLE

from pointq.config import Settings


@dataclass(frozen=True, slots=True)
class Host:
    """What this process sees; a service may be allowed more or less."""

    settings: Settings
    python: tuple[int, int, int]
    open_files: int
    """The soft limit; -1: none."""
    time_zones: bool
    """Time zones other than UTC are known."""
    uvloop: bool
    hiredis: bool
    libpq: str
    """How psycopg talks to PostgreSQL: ``c`` or ``binary``, or ``python``, which is slow."""
    fit: bool
    """The reader of FIT files is installed."""


def host(settings: Settings) -> Host:
    """Look at it."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Host(
        settings=settings,
        python=sys.version_info[:3],
        open_files=-1 if soft == resource.RLIM_INFINITY else soft,
        time_zones=_time_zones(),
        uvloop=find_spec("uvloop") is not None,
        hiredis=HIREDIS_AVAILABLE,
        libpq=pq.__impl__,
        fit=find_spec("fitdecode") is not None,
    )


def _time_zones() -> bool:
    try:
        zoneinfo.ZoneInfo("Europe/Paris")
    except zoneinfo.ZoneInfoNotFoundError:
        return False
    return True
