"""What one ingest server is to do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pointq.ingest.doors.plan import DoorPlan
from pointq.ingest.limits.plan import LimitsPlan
from pointq.ingest.tls import TlsFiles
from pointq.metrics.board import Seat
from pointq.store.mapping import PLAIN, Tables

_REST_SECONDS = 10.0
"""For a spool that syncs its last segment to a slow disk, and connections that are closed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one server is to do, and with which backends."""

    redis_url: str = field(repr=False)
    database_url: str = field(repr=False)
    tables: Tables = PLAIN
    host: str = "127.0.0.1"
    port: int = 8000
    shares_port: bool = False
    """Other processes listen on it too; see `port`."""
    descriptors: Sequence[int] = ()
    """Sockets to listen on in place of host and port."""
    prefix: str = "pointq"
    shards: int = 1
    durability: Literal["fsync", "memory"] = "fsync"
    min_replicas: int = 0
    flight_day_timezone: str = "UTC"
    max_connections: int = 50
    max_body_bytes: int = 16 * 1024 * 1024
    max_points: int = 100_000
    shutdown_seconds: float = 10.0
    connect_timeout_seconds: float = 5.0
    fallback: Sequence[Literal["database", "spool"]] = ("database", "spool")
    budget_seconds: float = 2.0
    patience_seconds: float = 0.4
    """For servers that are asked for the status."""
    spool_dir: Path | None = None
    spool_bytes: int = 1024 * 1024 * 1024
    spool_points_per_second: float = 100_000.0
    flymaster_secret: str | None = field(default=None, repr=False)
    doors: DoorPlan = field(default_factory=DoorPlan)
    tls: TlsFiles | None = None
    limits: LimitsPlan = field(default_factory=LimitsPlan)
    seat: Seat | None = None
    """Where it tells its metrics, with others; None: alone."""

    @property
    def stop_seconds(self) -> float:
        """Longest that it takes to end: open requests, what they left to be committed, and the rest."""
        return self.shutdown_seconds + self.budget_seconds + _REST_SECONDS

    @property
    def scheme(self) -> str:
        """Of the address that clients use."""
        return "https" if self.tls else "http"
