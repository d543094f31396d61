"""The checks, one module a subject; the order of the modules is the order in which they are shown."""

from pointq.ops.doctor.checks import configuration, redis, database, tables, timescale, clocks, lanes, disk, host  # noqa: I001
from pointq.ops.doctor.registry import CHECKS

ALL = tuple(CHECKS)

__all__ = ["ALL", "clocks", "configuration", "database", "disk", "host", "lanes", "redis", "tables", "timescale"]
