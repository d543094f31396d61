"""Every metric: its name, its type, its labels, what it means and who tells it. docs/metrics.md is compared with this table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Type = Literal["counter", "gauge", "histogram"]
Teller = Literal["serve", "work"]

_BOTH: tuple[Teller, ...] = ("serve", "work")


@dataclass(frozen=True, slots=True)
class Family:
    """One metric."""

    name: str
    type: Type
    help: str
    labels: tuple[str, ...] = ()
    tellers: tuple[Teller, ...] = ("serve",)
    together: Literal["sum", "min", "max"] = "sum"
    """What several processes' gauges are together."""
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram, without the last one, which is infinite."""

    @property
    def stem(self) -> str:
        """Its name as prometheus-client's families want it: counters without ``_total``."""
        return self.name.removesuffix("_total")


REQUEST_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
STORE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BATCH_POINTS = (1.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 20_000.0, 50_000.0, 100_000.0)

ACCEPTED = Family("pointq_points_accepted_total", "counter", "Points that are durable, by the way they went", ("kind", "via"))
REJECTED = Family(
    "pointq_points_rejected_total",
    "counter",
    "Points that were refused, by the field that is wrong; shape: no object; record: a record of a file",
    ("kind", "reason"),
)
STORED = Family("pointq_points_stored_total", "counter", "Points that are new in the tables", ("kind",), _BOTH)
DUPLICATE = Family("pointq_points_duplicate_total", "counter", "Points that were in the tables already", ("kind",), _BOTH)
DEAD = Family(
    "pointq_points_dead_total",
    "counter",
    "Points that became dead letters, by SQLSTATE; frame: the batch could not be decoded",
    ("kind", "reason"),
    ("work",),
)
REQUEST = Family(
    "pointq_request_duration_seconds",
    "histogram",
    "From the head of a request to its answer, its body and the wait for durability included",
    ("endpoint", "status"),
    buckets=REQUEST_SECONDS,
)
ENQUEUE = Family(
    "pointq_enqueue_duration_seconds",
    "histogram",
    "Appending one group of points to Redis, until they are durable",
    buckets=REQUEST_SECONDS,
)
STORE = Family(
    "pointq_store_duration_seconds",
    "histogram",
    "One transaction that stores points; method: copy, insert",
    ("kind", "method"),
    _BOTH,
    buckets=STORE_SECONDS,
)
STORE_BATCH = Family(
    "pointq_store_batch_points", "histogram", "Points of one transaction", ("kind",), _BOTH, buckets=BATCH_POINTS
)

QUEUE = Family("pointq_queue_points", "gauge", "Points that wait in Redis and that no worker has taken", ("kind",))
PENDING = Family("pointq_queue_pending_points", "gauge", "Points that workers have taken and not stored yet", ("kind",))
OLDEST = Family("pointq_queue_oldest_age_seconds", "gauge", "Age of the oldest point that is not stored; 0: none", ("kind",))
DEAD_BATCHES = Family("pointq_dead_batches", "gauge", "Dead letters that wait for somebody to look at them", ("kind",))
OUT = Family("pointq_queue_out_points_per_second", "gauge", "Points that leave the queue, mean of the last 10 s", ("kind",))
LANE_WORKERS = Family("pointq_queue_workers", "gauge", "Live workers that take points of the kind", ("kind",))
PAUSED_WORKERS = Family("pointq_workers_paused", "gauge", "Live workers that wait for Redis, the database or a table")
SPOOL_BYTES = Family("pointq_spool_bytes", "gauge", "Bytes on this machine's disk that wait for Redis")
SPOOL_POINTS = Family("pointq_spool_points", "gauge", "Points on this machine's disk that wait for Redis")
REDIS_MEMORY = Family("pointq_redis_memory_bytes", "gauge", "Memory that Redis uses")
REDIS_MEMORY_MAX = Family("pointq_redis_memory_max_bytes", "gauge", "Memory that Redis may use; absent: without a limit")

REDIS_UP = Family("pointq_redis_up", "gauge", "1 while Redis answers", (), _BOTH, "min")
DATABASE_UP = Family("pointq_database_up", "gauge", "1 while the database answers", (), _BOTH, "min")
WORKER_UP = Family("pointq_worker_up", "gauge", "Worker processes that live", (), ("work",))
BUILD = Family("pointq_build_info", "gauge", "1; the label is the version of pointq", ("version",), _BOTH, "max")

FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        *(ACCEPTED, REJECTED, STORED, DUPLICATE, DEAD, REQUEST, ENQUEUE, STORE, STORE_BATCH),
        *(QUEUE, PENDING, OLDEST, DEAD_BATCHES, OUT, LANE_WORKERS, PAUSED_WORKERS, SPOOL_BYTES, SPOOL_POINTS),
        *(REDIS_MEMORY, REDIS_MEMORY_MAX, REDIS_UP, DATABASE_UP, WORKER_UP, BUILD),
    )
}
"""By name, in the order in which they are told."""
