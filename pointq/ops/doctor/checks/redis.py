"""Redis or Valkey: a queue that must not forget."""

from collections.abc import Iterator, Mapping
from typing import Any

from pointq.errors import DurabilityError
from pointq.ops.doctor.finding import Finding, fail, ok, warn
from pointq.ops.doctor.registry import check
from pointq.ops.doctor.sources.queue import QueueLink, QueueServer
from pointq.queue.durability import acknowledgement

_OLDEST = {"redis": (7, 0), "valkey": (7, 2)}
_NEARLY_FULL = 0.75
"""Of maxmemory: what is left is an outage of the database long."""
_FULL = 0.95
_MANY = 0.8
"""Of maxclients."""
_STATES = ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status")


@check(
    "redis.reachable",
    QueueLink,
    what="whether Redis takes the login",
    why="without the queue points go to the database directly or to the spool, and no worker stores anything",
    mend="start Redis, and check REDIS_URL (or REDIS_HOST, REDIS_PORT, REDIS_PASSWORD)",
)
def reachable(link: QueueLink) -> Iterator[Finding]:
    """As `pointq work` would connect."""
    if link.trouble is None:
        yield ok(f"{link.where} takes the login")
    else:
        yield fail(link.trouble.message, link.trouble.hint)


@check(
    "redis.version",
    QueueServer,
    what="whether Redis is new enough",
    why="the scripts need Redis 7.0 or Valkey 7.2",
    mend="upgrade to Redis 7.0 or Valkey 7.2, or newer",
)
def version(server: QueueServer) -> Iterator[Finding]:
    """By its own word."""
    kept = server.persistence
    said = f"{kept.engine.capitalize()} {kept.version}"
    numbers = tuple(int(part) for part in kept.version.split(".")[:2])
    yield ok(said) if numbers >= _OLDEST[kept.engine] else fail(f"{said} is too old")


@check(
    "redis.role",
    QueueServer,
    what="whether this Redis takes writes",
    why="a replica takes none, and forgets what it is given when its master comes back",
    mend="point REDIS_URL to the master",
)
def role(server: QueueServer) -> Iterator[Finding]:
    """A replica is the wrong address."""
    if server.info.get("role") == "slave":
        master = f"{server.info.get('master_host')}:{server.info.get('master_port')}"
        yield fail(f"this is a replica of {master}", f"point REDIS_URL to {master}")
    else:
        yield ok("it is a master")


@check(
    "redis.eviction",
    QueueServer,
    what="whether Redis may throw waiting points away",
    why="every maxmemory-policy but noeviction deletes keys of a full server: lanes with all that waits in them",
    mend="redis-cli CONFIG SET maxmemory-policy noeviction, and the same in redis.conf",
)
def eviction(server: QueueServer) -> Iterator[Finding]:
    """It must refuse instead."""
    policy = _told(server.info, "maxmemory_policy")
    if policy == "noeviction":
        yield ok("maxmemory-policy is noeviction")
    elif server.info.get("maxmemory"):
        yield fail(f"maxmemory-policy is {policy}: a full Redis deletes waiting points")
    else:
        yield warn(f"maxmemory-policy is {policy}: with a maxmemory, a full Redis would delete waiting points")


@check(
    "redis.memory",
    QueueServer,
    what="how much Redis may hold",
    why="without maxmemory a long outage of the database ends with the kernel killing Redis; full, it refuses points",
    mend="redis-cli CONFIG SET maxmemory to half of the machine's memory, such as 4gb, and the same in redis.conf",
)
def memory(server: QueueServer) -> Iterator[Finding]:
    """Used of allowed."""
    most, used = _told(server.info, "maxmemory"), _told(server.info, "used_memory")
    share = used / most if most else 0.0
    if not most:
        # nobody can set it there
        quiet = f"{_mebibytes(used)} used, without a limit"
        yield ok(f"{quiet}, as embedded servers are") if server.embedded else warn(f"maxmemory is not set: {quiet}")
    elif share < _NEARLY_FULL:
        yield ok(f"{_mebibytes(used)} of {_mebibytes(most)} used")
    else:
        make = fail if share >= _FULL else warn
        yield make(
            f"{_mebibytes(used)} of {_mebibytes(most)} used, {share:.0%}",
            "store what waits (pointq work --drain), or give Redis more: CONFIG SET maxmemory",
        )


@check(
    "redis.persistence",
    QueueServer,
    what="whether Redis keeps points as long as was promised",
    why="a point that was answered 202 must survive a crash of Redis; snapshots (RDB) lose the minutes since the last one",
    mend="redis-cli CONFIG SET appendonly yes, CONFIG SET appendfsync always, and the same in redis.conf",
)
def persistence(server: QueueServer) -> Iterator[Finding]:
    """Against the chosen durability."""
    kept, settings = server.persistence, server.settings
    try:
        wait = acknowledgement(kept, settings.durability, settings.min_replicas)
    except DurabilityError as exc:
        snapshots = f', only snapshots ("{server.snapshots}")' if not kept.append_only and server.snapshots else ""
        yield fail(f"{exc.message}{snapshots}; `pointq serve` refuses to start")
        return
    if wait.local:
        yield warn(
            f"appendfsync is {kept.fsync or 'unknown'}: points are safe, but each answer waits 0.1 to 1 s for the disk",
            "redis-cli CONFIG SET appendfsync always, and the same in redis.conf",
        )
    elif kept.append_only:
        yield ok(f"append-only file, appendfsync {kept.fsync or 'unknown'}")
    elif server.snapshots:
        yield warn(f'only snapshots ("{server.snapshots}"): a crash loses what came since the last one')
    else:
        yield warn("nothing is written to a disk: a restart of Redis loses everything that waits")


@check(
    "redis.disk",
    QueueServer,
    what="whether Redis's last writes to its disk worked",
    why="after a failed write Redis refuses all writes, or holds what a restart would lose",
    mend="make room on Redis's disk and look into its log",
)
def disk(server: QueueServer) -> Iterator[Finding]:
    """The append-only file, its rewriting, the snapshots."""
    told = {name: server.info[name] for name in _STATES if name in server.info}
    failed = [name for name, state in told.items() if state != "ok"]
    yield from (fail(f"{name} is {told[name]}") for name in failed)
    if told and not failed:
        yield ok("its last writes to its disk worked")


@check(
    "redis.replicas",
    QueueServer,
    what="whether the replicas that points must reach are there",
    why="with fewer replicas than min_replicas every append is refused",
    mend="start the replicas, or lower min_replicas",
)
def replicas(server: QueueServer) -> Iterator[Finding]:
    """Only where some are asked for."""
    wanted, there = server.settings.min_replicas, server.info.get("connected_slaves", 0)
    if wanted:
        said = f"min_replicas is {wanted}, and {there} are connected"
        yield ok(said) if there >= wanted else fail(said)


@check(
    "redis.clients",
    QueueServer,
    what="whether Redis takes more connections",
    why="a server or worker that finds no connection cannot work",
    mend="redis-cli CONFIG SET maxclients 10000, and the same in redis.conf",
)
def clients(server: QueueServer) -> Iterator[Finding]:
    """Used of allowed."""
    used, most = _told(server.info, "connected_clients"), _told(server.info, "maxclients")
    said = f"{used} of {most} connections used"
    yield ok(said) if used < _MANY * most else warn(said)


def _told(info: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - as Redis has it
    if name not in info:
        raise LookupError(f"this server does not tell {name}")
    return info[name]


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB".replace(",", " ")
