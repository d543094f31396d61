"""A worker process that another process started: ``python -m pointq.work.child``."""

from collections.abc import Mapping
from typing import Any

from pointq.metrics.board import Seat
from pointq.points.kinds import KINDS
from pointq.queue.lanes import Lane
from pointq.store.mapping import Tables
from pointq.supervision import child
from pointq.supervision.job import Job, LogStyle
from pointq.work.process import Plan, run


def job_of(plan: Plan, log: LogStyle) -> Job:
    """The plan for a process of its own."""
    fields = {name: getattr(plan, name) for name in Plan.__dataclass_fields__}
    lanes = [(lane.kind.name, lane.shard) for lane in plan.lanes]
    plain = fields | {"lanes": lanes, "tables": plan.tables.to_json()}
    return Job("pointq.work.child", "worker", plain, log, ends=plan.drain, descriptors=(plan.seat.fd,) if plan.seat else ())


def plan_of(fields: Mapping[str, Any]) -> Plan:
    """The plan that `job_of` wrote."""
    lanes = [Lane.of(KINDS[kind], shard, fields["prefix"]) for kind, shard in fields["lanes"]]
    seat = fields["seat"] and Seat(**fields["seat"])
    return Plan(**{**fields, "lanes": lanes, "tables": Tables.of_json(fields["tables"]), "seat": seat})


def _work(fields: Mapping[str, Any], parent: child.Parent) -> None:
    run(plan_of(fields), parent)


if __name__ == "__main__":
    child.main(_work)
