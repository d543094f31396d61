"""PostgreSQL: a database that keeps what it commits and takes what is sent."""

from collections.abc import Iterator

from pointq.ops.doctor.finding import Finding, fail, ok, warn
from pointq.ops.doctor.registry import check
from pointq.ops.doctor.sources.database import DatabaseLink, DatabaseServer

_OLDEST = 150_000
_SHORT_MS = 60_000
"""A statement of pointq's takes a second, and a minute on a database in trouble."""
_SPARE = 5
"""Connections for whoever looks into the database meanwhile."""
_SESSION_MS = "60000"
"""What a session of pointq's asks for itself."""


@check(
    "database.reachable",
    DatabaseLink,
    what="whether the database takes the login",
    why="nothing is stored while it does not; points wait in the queue",
    mend="start PostgreSQL, and check DATABASE_URL",
)
def reachable(link: DatabaseLink) -> Iterator[Finding]:
    """As a worker would connect."""
    if link.trouble is None:
        yield ok(f"{link.where} takes the login")
    else:
        yield fail(link.trouble.message, link.trouble.hint)


@check(
    "database.version",
    DatabaseServer,
    what="whether PostgreSQL is new enough",
    why="older versions are not tested, and get no more security updates soon",
    mend="upgrade to PostgreSQL 15 or newer",
)
def version(server: DatabaseServer) -> Iterator[Finding]:
    """By its own word."""
    said = f"PostgreSQL {server.version}"
    yield ok(said) if server.version_number >= _OLDEST else fail(f"{said} is too old")


@check(
    "database.standby",
    DatabaseServer,
    what="whether the database takes writes",
    why="a standby or a read-only database takes none: workers pause, and points wait in the queue",
    mend="point DATABASE_URL to the primary",
)
def standby(server: DatabaseServer) -> Iterator[Finding]:
    """A primary, and not set to read only."""
    if server.standby:
        yield fail(
            "it is a standby", "point DATABASE_URL to the primary (or give all hosts and target_session_attrs=read-write)"
        )
    elif server.options["default_transaction_read_only"] == "on":
        yield fail(
            "default_transaction_read_only is on",
            f"ALTER ROLE {server.username} SET default_transaction_read_only = off, and look who set it",
        )
    else:
        yield ok("it is a primary and takes writes")


@check(
    "database.commit",
    DatabaseServer,
    what="whether what is committed survives a crash",
    why="a batch leaves the queue when it is committed: a commit that a crash undoes loses its points",
    mend="ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf();",
)
def commit(server: DatabaseServer) -> Iterator[Finding]:
    """By synchronous_commit, fsync and full_page_writes."""
    bad = [name for name in ("fsync", "full_page_writes", "synchronous_commit") if server.options[name] == "off"]
    for name in bad:
        told = "the last commits" if name == "synchronous_commit" else "commits, or the whole database"
        yield fail(f"{name} is off: a crash loses {told}", f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();")
    if not bad:
        yield ok("what is committed survives a crash")


@check(
    "database.connections",
    DatabaseServer,
    what="whether the database takes more connections",
    why="each worker and server process needs one; one that gets none cannot store",
    mend="ALTER SYSTEM SET max_connections = 200, and restart PostgreSQL",
)
def connections(server: DatabaseServer) -> Iterator[Finding]:
    """Against the processes that are configured, which may run already."""
    needed = server.settings.work.processes + server.settings.serve.processes
    said = f"{server.connections} in use, {server.free} free, {needed} for the processes configured here"
    yield ok(said) if server.free >= needed + _SPARE else warn(said)


@check(
    "database.timeouts",
    DatabaseServer,
    what="whether time limits break work that is merely slow",
    why="a statement that is cut off is tried again with half of the batch, and again: slow work gets slower",
    mend="ALTER ROLE of pointq's user SET statement_timeout = 0",
)
def timeouts(server: DatabaseServer) -> Iterator[Finding]:
    """Those that would hit the writer."""
    options = server.options
    short = [
        name
        for name in ("statement_timeout", "transaction_timeout", "idle_session_timeout")
        if 0 < int(options.get(name, 0)) < _SHORT_MS
    ]
    for name in short:
        yield warn(f"{name} is {int(options[name]) / 1000:g} s", f"ALTER ROLE {server.username} SET {name} = 0")
    if not short:
        yield ok("no time limit is short enough to break work that is merely slow")


@check(
    "database.pooler",
    DatabaseServer,
    what="whether a pooler stands before the database",
    why="a frozen worker's session cannot be ended through one, and session settings and prepared statements may be lost",
    mend="point DATABASE_URL to PostgreSQL itself, or set the pooler to session mode",
)
def pooler(server: DatabaseServer) -> Iterator[Finding]:
    """The session must be the one that was logged in to, with the options that it asked for."""
    if server.pooled:
        yield warn("the session belongs to a pooler")
    elif server.options["idle_in_transaction_session_timeout"] != _SESSION_MS:
        yield warn(
            "the session does not have the options that pointq asks for: idle_in_transaction_session_timeout is "
            f"{server.options['idle_in_transaction_session_timeout']} ms, expected {_SESSION_MS}"
        )
    else:
        yield ok("sessions are pointq's own")


@check(
    "database.encoding",
    DatabaseServer,
    what="whether the database holds any text",
    why="a flight id with a letter that the encoding lacks makes its points dead letters",
    mend="make a database with createdb --encoding=UTF8 --template=template0, and move the tables",
)
def encoding(server: DatabaseServer) -> Iterator[Finding]:
    """UTF-8."""
    said = f"the encoding is {server.encoding}"
    yield ok(said) if server.encoding == "UTF8" else warn(said)
