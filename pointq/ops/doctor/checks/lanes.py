"""The queue: what waits, and whether somebody works on it."""

from collections import Counter
from collections.abc import Iterator

from pointq.ops.asking import LOST_SECONDS
from pointq.ops.doctor.finding import Finding, fail, ok, warn
from pointq.ops.doctor.registry import check
from pointq.ops.doctor.sources.queue import Lanes
from pointq.queue.heartbeats import Heartbeat


@check(
    "workers.alive",
    Lanes,
    what="whether every kind of points that waits has a worker",
    why="points of a kind that no worker takes wait for ever",
    mend="pointq work",
)
def alive(lanes: Lanes) -> Iterator[Finding]:
    """By the workers' signs of life."""
    served = {kind for worker in _living(lanes) for kind in worker.kinds}
    waiting: Counter[str] = Counter()
    for lane, measure in lanes.measures.items():
        waiting[lane.kind.name] += measure.ready_points + measure.pending_points
    orphaned = [(kind, points) for kind, points in waiting.items() if points and kind not in served]
    for kind, points in orphaned:
        yield fail(f"{points} {kind} points wait and no worker takes them", f"pointq work --kind {kind}")
    if not orphaned:
        count = len(_living(lanes))
        yield ok(f"{count} workers, {waiting.total()} points wait" if count else "no worker runs, and nothing waits")


@check(
    "workers.state",
    Lanes,
    what="whether the workers work",
    why="a paused worker waits for the database; a silent one is frozen, cut off or was killed, and others do its work",
    mend="look into the worker's log; start one in its place: pointq work",
)
def state(lanes: Lanes) -> Iterator[Finding]:
    """Every worker that is listed."""
    bad = list(_troubled(lanes))
    yield from bad
    if lanes.workers and not bad:
        yield ok(f"all of {len(lanes.workers)} workers work")


@check(
    "queue.stale",
    Lanes,
    what="whether batches are stuck with workers that are gone",
    why="a dead worker's batches are stored when a living worker of their kind takes them over, and not before",
    mend="pointq work --drain",
)
def stale(lanes: Lanes) -> Iterator[Finding]:
    """Consumers that hold batches beyond the time after which they are taken over."""
    living = {worker.id for worker in _living(lanes)}
    bound = 3 * lanes.settings.work.reclaim_idle_seconds
    stuck = [holder for holder in lanes.holders if holder.name not in living and holder.idle_seconds > bound]
    for holder in stuck:
        yield warn(
            f"{holder.batches} {holder.lane.kind.name} batches have been with {holder.name} for {holder.idle_seconds:.0f} s, "
            "and it is gone",
            f"pointq work --kind {holder.lane.kind.name} --drain",
        )
    if not stuck:
        yield ok("no batch is stuck with a worker that is gone")


@check(
    "queue.dead",
    Lanes,
    what="whether there are dead letters",
    why="these points were accepted and are not stored: the database refused them for what they are",
    mend="pointq inspect KIND --dead, then pointq replay or pointq purge KIND --dead",
)
def dead(lanes: Lanes) -> Iterator[Finding]:
    """By kind."""
    counts: dict[str, int] = {}
    for lane, measure in lanes.measures.items():
        counts[lane.kind.name] = counts.get(lane.kind.name, 0) + measure.dead_points
    for kind, points in counts.items():
        if points:
            yield warn(f"{points} {kind} points are dead letters", f"pointq inspect {kind} --dead, then pointq replay {kind}")
    if not any(counts.values()):
        yield ok("no dead letters")


@check(
    "queue.lost",
    Lanes,
    what="whether Redis ever came back without its data",
    why="accepted points that waited in it are gone, unless whoever sent them sends them again",
    mend="see that redis.persistence is OK; send the points of that time again (those that are stored stay as they are)",
)
def lost(lanes: Lanes) -> Iterator[Finding]:
    """As the processes noticed that had a memory of what was there."""
    for lane, measure in lanes.measures.items():
        if measure.lost_points:
            when = f" {(lanes.now - measure.lost_at) / 3600:.1f} h ago" if measure.lost_at else ""
            yield warn(f"{measure.lost_points} {lane.kind.name} points were lost when Redis came back without its data{when}")
    if not any(measure.lost_points for measure in lanes.measures.values()):
        yield ok("Redis never came back without its data, as far as anybody noticed")


@check(
    "queue.shards",
    Lanes,
    what="whether points wait in shards that nobody reads",
    why="workers read as many shards as queue.shards says; what an earlier, higher number left beyond is never stored",
    mend="set queue.shards to the earlier number, pointq work --drain, then lower it",
)
def shards(lanes: Lanes) -> Iterator[Finding]:
    """The next sixteen shards of each kind."""
    for lane, batches in lanes.beyond.items():
        yield fail(
            f"{batches} {lane.kind.name} batches are in shard {lane.shard}, and queue.shards is {lanes.settings.queue.shards}",
            f"POINTQ_QUEUE__SHARDS={lane.shard + 1} pointq work --drain",
        )
    if not lanes.beyond:
        yield ok(f"nothing waits beyond the {lanes.settings.queue.shards} shards of each kind")


def _living(lanes: Lanes) -> list[Heartbeat]:
    return [worker for worker in lanes.workers if lanes.now - worker.at <= LOST_SECONDS]


def _troubled(lanes: Lanes) -> Iterator[Finding]:
    for worker in lanes.workers:
        silent = lanes.now - worker.at
        where = f"the worker {worker.pid} on {worker.host}"
        if silent > LOST_SECONDS:
            yield warn(f"{where} has been silent for {silent:.0f} s")
        elif worker.state == "paused":
            waits = worker.trouble or "the database does not take its points"
            yield warn(f"{where} is paused: {waits}", "mend what the lines of database and tables say; it goes on by itself")
