"""Every setting of pointq: its name, type, default and meaning.

`config show`, `config init`, the names of the environment variables and the documentation are derived from what stands here.
Names carry their unit unless they have none.
"""

import keyword
import os
from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo

from pointq.config.addresses import DatabaseUrl, RedisUrl
from pointq.config.doors import AuthSettings
from pointq.config.forms import (
    LISTED,
    LOWER,
    AbsolutePath,
    Count,
    LimitText,
    LimitTexts,
    Networks,
    Prefix,
    Seconds,
    Secret,
    Section,
    TimeZone,
)
from pointq.config.keeping import ChunkSettings, ColumnstoreSettings, RetentionSettings, TablesSettings
from pointq.config.limiting import LimitsSettings
from pointq.config.metrics import MetricsSettings
from pointq.config.paths import default_data_dir

MEBIBYTE = 1024 * 1024


class RedisSettings(Section):
    """Redis or Valkey. Neither url nor host: an embedded server."""

    url: RedisUrl | None = Field(
        default=None,
        description="Where Redis is, whole, with user and password; stands above the parts below",
        examples=["redis://localhost:6379/0"],
    )
    host: str | None = Field(default=None, description="Host of Redis, where no url is given", examples=["localhost"])
    port: int = Field(default=6379, ge=1, le=65535, description="Port of Redis")
    db: int = Field(default=0, ge=0, description="Number of the Redis database")
    username: str | None = Field(
        default=None, description="User of Redis, where its access list has users", examples=["pointq"]
    )
    password: SecretStr | None = Field(default=None, description="Password of Redis", examples=["secret"])
    max_connections: Count = Field(default=50, description="Most connections to Redis that one process holds")

    def effective_url(self) -> SecretStr | None:
        """Return the URL to connect to, made from the parts where none is given; None: not configured, so embedded."""
        if self.url is not None or self.host is None:
            return self.url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return SecretStr(f"redis://{self._login()}{host}:{self.port}/{self.db}")

    def _login(self) -> str:
        if self.password is None and self.username is None:
            return ""
        password = self.password.get_secret_value() if self.password else ""
        return f"{quote(self.username or '', safe='')}:{quote(password, safe='')}@"


class DatabaseSettings(Section):
    """PostgreSQL with TimescaleDB. No url: an embedded server."""

    url: DatabaseUrl | None = Field(
        default=None,
        description="Where the database is",
        examples=["postgresql://pointq:secret@localhost:5432/points"],
    )
    connect_timeout_seconds: Seconds = Field(
        default=5.0, description="Longest wait for a connection to the database, in seconds"
    )
    postgis: bool = Field(
        default=False, description="Whether new tables get a column geom, a point of PostGIS that the database fills"
    )


class QueueSettings(Section):
    """How the queue lies in Redis."""

    prefix: Prefix = Field(default="pointq", description="What every key begins with; nothing outside it is touched")
    shards: Count = Field(default=1, description="Streams for each kind of point, for Redis Cluster to spread")
    import_max_points: Count = Field(
        default=2_000_000, description="Points that wait in the queue at most while an import adds more; then it waits, too"
    )
    retain_seconds: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="How long stored batches are kept in Redis for pointq replay --since, in seconds; 0: not at all",
    )
    retain_bytes: Count = Field(default=256 * MEBIBYTE, description="Most that each kind and shard keeps of them, in bytes")


class ServeSettings(Section):
    """The ingest server, `pointq serve`."""

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on; 0.0.0.0 is every one")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one")
    processes: Count = Field(default=1, description="Server processes on that port; each has its own connections and spool")
    worker: bool = Field(default=True, description="On embedded servers, also store what is accepted, as pointq work does")
    max_body_bytes: Count = Field(default=16 * MEBIBYTE, description="Largest body of a request, decompressed, in bytes")
    max_points_per_request: Count = Field(default=100_000, description="Most points in one request")
    shutdown_seconds: Seconds = Field(default=10.0, description="Longest wait for open requests when stopping, in seconds")
    fallback: Annotated[tuple[Literal["database", "spool"], ...], LISTED] = Field(
        default=("database", "spool"),
        description="Where points go while Redis is away, in this order; in the environment with commas between",
    )
    budget_seconds: Seconds = Field(default=2.0, description="Longest that a request waits for a way to go, in seconds")
    insecure: bool = Field(default=False, description="Listen beyond this machine though doors stand open to everybody")
    tls_certificate: AbsolutePath | None = Field(
        default=None,
        description="File with the certificate and its chain, PEM: then HTTPS is served; SIGHUP reads it again",
        examples=["/etc/pointq/fullchain.pem"],
    )
    tls_key: AbsolutePath | None = Field(
        default=None,
        description="File with the private key, PEM, where it is not in the certificate's",
        examples=["/etc/pointq/privkey.pem"],
    )
    trusted_proxies: Networks = Field(
        default=(),
        examples=[("127.0.0.1", "10.1.0.0/16")],
        description="Addresses and networks of proxies whose X-Forwarded-For is believed; in a variable with commas between",
    )


class SpoolSettings(Section):
    """What waits on this machine's disk while neither Redis nor the database takes it."""

    max_bytes: Count = Field(default=1024 * MEBIBYTE, description="Most that one server spools, in bytes; full, it answers 503")
    drain_points_per_second: Seconds = Field(
        default=100_000.0, description="How fast the spool drains back into the queue, in points a second"
    )


class FlymasterSettings(Section):
    """Uploads of Flymaster instruments."""

    secret: Secret | None = Field(
        default=None, description="What an upload is signed with; none: uploads are taken unverified", examples=["secret"]
    )


class WorkSettings(Section):
    """The workers, `pointq work`."""

    processes: Count = Field(default=1, description="Worker processes")
    batch_points: Count = Field(default=20_000, description="Most points written in one transaction")
    block_seconds: Seconds = Field(default=1.0, description="Wait for new points when every queue is empty, in seconds")
    heartbeat_seconds: Seconds = Field(default=1.0, description="Time between two signs of life of a worker, in seconds")
    reclaim_idle_seconds: Seconds = Field(
        default=10.0, description="Age at which a batch that nobody finishes is taken over by another worker, in seconds"
    )


class CheckSettings(Section):
    """What `pointq check` reports, as warning:critical; off is never, 1=30:120 is for one priority alone."""

    max_age_seconds: LimitTexts = Field(
        default="1=30:120, 2=600:3600, 3=600:3600",
        description="Longest that the oldest point of a lane may wait, in seconds",
    )
    max_depth_points: LimitTexts = Field(
        default="off", description="Most points that may wait in a lane; one long flight is tens of thousands"
    )
    max_dead_points: LimitTexts = Field(default="0:", description="Most dead letters of a lane, in points")
    min_workers: LimitTexts = Field(default=":1", description="Fewest live workers that take a priority")
    max_spool_percent: LimitText = Field(
        default="0:80", description="How full the spool of this machine may be, in percent of spool.max_bytes"
    )
    max_redis_memory_percent: LimitText = Field(
        default="75:90", description="How full the memory of Redis may be, in percent of its maxmemory"
    )


class LogSettings(Section):
    """What pointq writes to stderr."""

    level: Annotated[Literal["debug", "info", "warning", "error"], LOWER] = Field(
        default="info", description="Least important messages to write: debug, info, warning or error"
    )
    format: Annotated[Literal["auto", "human", "json"], LOWER] = Field(
        default="auto", description="human, json (one object a line), or auto: human on a terminal, else json"
    )


class Settings(Section):
    """All settings."""

    data_dir: AbsolutePath = Field(
        default_factory=lambda: default_data_dir(os.environ),
        description="Folder of the spool and of the embedded servers",
    )
    prod: bool = Field(default=False, description="In production: nothing is embedded, and Redis is on host redis")
    durability: Literal["fsync", "memory"] = Field(
        default="fsync",
        description="When a point counts as accepted: fsync (on Redis's disk) or memory (a crash of Redis may lose it)",
    )
    min_replicas: int = Field(
        default=0, ge=0, description="Replicas of Redis that must also have a point before it counts as accepted"
    )
    flight_day_timezone: TimeZone = Field(
        default="UTC", description="Time zone in which the day of a flight begins, where a device sends no flight id"
    )
    patience_seconds: Seconds = Field(
        default=0.4,
        description="How long status, check and all that only looks wait for servers, in seconds; more where the line is slow",
    )
    redis: RedisSettings = RedisSettings()
    database: DatabaseSettings = DatabaseSettings()
    chunks: ChunkSettings = ChunkSettings()
    columnstore: ColumnstoreSettings = ColumnstoreSettings()
    retention: RetentionSettings = RetentionSettings()
    queue: QueueSettings = QueueSettings()
    serve: ServeSettings = ServeSettings()
    auth: AuthSettings = AuthSettings()
    limits: LimitsSettings = LimitsSettings()
    spool: SpoolSettings = SpoolSettings()
    flymaster: FlymasterSettings = FlymasterSettings()
    work: WorkSettings = WorkSettings()
    metrics: MetricsSettings = MetricsSettings()
    check: CheckSettings = CheckSettings()
    tables: TablesSettings = TablesSettings()
    log: LogSettings = LogSettings()


def sections() -> dict[str, type[Section]]:
    """Return the tables of the settings file by name; ``""`` is what stands before the first."""
    named = {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
    }
    return {"": Settings, **named}


def walk() -> Iterator[tuple[str, FieldInfo]]:
    """Yield every setting by its dotted key, such as ``serve.port``, in the order of the settings file."""
    tables = sections()
    for table, section in tables.items():
        for name, field in section.model_fields.items():
            if table or name not in tables:
                yield f"{table}.{spelled(name)}".lstrip("."), field


def spelled(attribute: str) -> str:
    """The name of a setting: an attribute that would be a keyword of Python has an underscore behind it."""
    name = attribute.removesuffix("_")
    return name if keyword.iskeyword(name) else attribute


def attribute(name: str) -> str:
    """The other way round."""
    return f"{name}_" if keyword.iskeyword(name) else name


def is_secret(field: FieldInfo) -> bool:
    """Tell whether a setting must never be printed."""
    return "SecretStr" in str(field.annotation)
