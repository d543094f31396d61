"""A server process that another process started: ``python -m pointq.ingest.child``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pointq import aio
from pointq.ingest.doors.plan import DoorPlan
from pointq.ingest.limits.plan import LimitsPlan
from pointq.ingest.plan import Plan
from pointq.ingest.server import serve
from pointq.ingest.tls import TlsFiles
from pointq.metrics.board import Seat
from pointq.store.mapping import Tables
from pointq.supervision import child
from pointq.supervision.job import Job, LogStyle


def job_of(plan: Plan, log: LogStyle) -> Job:
    """The plan for a process of its own."""
    fields = {name: getattr(plan, name) for name in Plan.__dataclass_fields__}
    spool_dir = None if plan.spool_dir is None else str(plan.spool_dir)
    plain = fields | {"spool_dir": spool_dir, "tables": plan.tables.to_json()}
    descriptors = (*plan.descriptors, *((plan.seat.fd,) if plan.seat else ()))
    return Job("pointq.ingest.child", "server", plain, log, descriptors=descriptors)


def plan_of(fields: Mapping[str, Any]) -> Plan:
    """The plan that `job_of` wrote."""
    spool_dir = None if fields["spool_dir"] is None else Path(fields["spool_dir"])
    fallback, tables = tuple(fields["fallback"]), Tables.of_json(fields["tables"])
    doors, tls = DoorPlan.of_json(fields["doors"]), fields["tls"] and TlsFiles(**fields["tls"])
    seat, limits = fields["seat"] and Seat(**fields["seat"]), LimitsPlan.of_json(fields["limits"])
    own = {"fallback": fallback, "spool_dir": spool_dir, "doors": doors, "tls": tls, "tables": tables}
    return Plan(**{**fields, **own, "seat": seat, "limits": limits, "descriptors": tuple(fields["descriptors"])})


def _serve(fields: Mapping[str, Any], parent: child.Parent) -> None:
    aio.run(serve(plan_of(fields), lambda _: None, superior=parent))


if __name__ == "__main__":
    child.main(_serve)
