"""Settings that are allowed, but risky together. What is wrong by itself no command accepts."""

import ipaddress
import stat
from collections.abc import Iterator, Sequence

from pointq.config.doors import AuthSettings
from pointq.config.settings import ServeSettings
from pointq.ops.asking import LOST_SECONDS
from pointq.ops.doctor.finding import Finding, fail, ok, warn
from pointq.ops.doctor.registry import check
from pointq.ops.doctor.sources.setup import Setup

_BEATS = 3
"""A worker that is only slow may miss two heartbeats."""


@check(
    "configuration.servers",
    Setup,
    what="which servers are meant",
    why="without a server nothing is kept; doctor starts none",
    mend="set REDIS_URL and DATABASE_URL, or start the embedded servers: pointq serve",
)
def servers(setup: Setup) -> Iterator[Finding]:
    """Both must be configured, or embedded."""
    if setup.trouble:
        yield fail(setup.trouble.message, setup.trouble.hint)
    elif setup.settings.prod and setup.database_url is None:
        yield fail("PROD is set and no database is configured", "set DATABASE_URL=postgresql://user@host/name")
    elif setup.redis_url is None or setup.database_url is None:
        yield ok("embedded servers are meant and do not run, so they were not looked at; `pointq serve` starts them")
    else:
        yield ok("embedded servers, which run" if setup.embedded else "Redis and the database are configured")


@check(
    "configuration.durability",
    Setup,
    what="when a point counts as accepted",
    why='with durability = "memory" a crash of Redis loses points that were answered 202',
    mend='set durability = "fsync"',
)
def durability(setup: Setup) -> Iterator[Finding]:
    """On the disk, unless somebody chose otherwise."""
    chosen = setup.settings.durability
    if chosen == "fsync":
        yield ok("points count as accepted when they are on Redis's disk")
    else:
        yield warn(f'durability is "{chosen}": points count as accepted before they are on a disk')


@check(
    "configuration.fallback",
    Setup,
    what="where points go while Redis is away",
    why="without the spool a server answers 503 as soon as Redis and the database are away together",
    mend='set serve.fallback = ["database", "spool"]',
)
def fallback(setup: Setup) -> Iterator[Finding]:
    """The spool is the last resort."""
    ways = setup.settings.serve.fallback
    if "spool" in ways:
        yield ok(f"while Redis is away points go to: {', '.join(ways)}")
    else:
        yield warn(
            f"serve.fallback is {', '.join(ways) or 'empty'}, so points are refused while Redis and the database are away"
        )


@check(
    "configuration.listen",
    Setup,
    what="who is let in",
    why="whoever reaches an open door can store points, or read what is stored and how it goes",
    mend='set auth.tracking, auth.scoring, auth.import and auth.status = "token", and hand out what pointq token create prints',
)
def listen(setup: Setup) -> Iterator[Finding]:
    """Doors that stand open to others than this machine: on an address of its own, or behind a proxy."""
    serve, doors = setup.settings.serve, _open_doors(setup.settings.auth)
    if not doors:
        yield ok(f"the server listens on {serve.host}, and every door asks for a token")
    elif not _is_reached(serve):
        yield ok(f"the server listens on {serve.host}, for this machine only")
    else:
        way = f"its proxies ({', '.join(serve.trusted_proxies)})" if _is_local(serve.host) else serve.host
        mend = " and ".join(f'auth.{door} = "token"' for door in doors)
        yield warn(
            f"everybody who reaches {way} is let in without a token: {', '.join(doors)}",
            f"set {mend}, and hand out what pointq token create prints",
        )


@check(
    "configuration.flymaster",
    Setup,
    what="whether Flymaster uploads are verified",
    why="an upload that is not signed may come from anybody",
    mend="set flymaster.secret (POINTQ_FLYMASTER__SECRET) to what the instruments sign with",
)
def flymaster(setup: Setup) -> Iterator[Finding]:
    """Matters where others can reach the port, and no token is asked for in place of the signature."""
    settings = setup.settings
    if settings.flymaster.secret is not None:
        yield ok("Flymaster uploads are verified")
    elif settings.auth.tracking == "token":
        yield ok("Flymaster uploads need a token")
    elif _is_reached(settings.serve):
        yield warn("no flymaster.secret is set, so uploads are taken unverified")


@check(
    "configuration.reclaim",
    Setup,
    what="when a worker's batches are taken over",
    why="workers that are only slow lose their batches to others, which do the work twice, or are shown as lost",
    mend="set work.heartbeat_seconds = 1 and work.reclaim_idle_seconds = 10",
)
def reclaim(setup: Setup) -> Iterator[Finding]:
    """Some heartbeats must fit in."""
    work = setup.settings.work
    if work.reclaim_idle_seconds < _BEATS * work.heartbeat_seconds:
        yield warn(
            f"batches are taken over after {work.reclaim_idle_seconds:g} s, and workers give a sign of life every "
            f"{work.heartbeat_seconds:g} s"
        )
    elif work.heartbeat_seconds >= LOST_SECONDS:
        yield warn(
            f"workers give a sign of life every {work.heartbeat_seconds:g} s and are shown as lost after {LOST_SECONDS:g} s"
        )
    else:
        yield ok(f"batches of a dead worker are taken over after {work.reclaim_idle_seconds:g} s")


@check(
    "configuration.secrets",
    Setup,
    what="who may read the passwords",
    why="a settings file with a password that others may read gives the database to every user of the machine",
    mend="chmod 600 the settings file",
)
def secrets(setup: Setup) -> Iterator[Finding]:
    """Files that hold one, and their rights."""
    for path in setup.secret_files:
        if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            yield warn(f"{path} holds a password and may be read by other users", f"chmod 600 {path}")
        else:
            yield ok(f"{path} holds a password and only its owner may read it")


def _open_doors(auth: AuthSettings) -> Sequence[str]:
    doors = {"tracking": auth.tracking, "scoring": auth.scoring, "import": auth.import_, "status": auth.status}
    return [door for door, mode in doors.items() if mode == "none"]


def _is_reached(serve: ServeSettings) -> bool:
    """Whether others than this machine come to the server."""
    return bool(serve.trusted_proxies) or not _is_local(serve.host)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
