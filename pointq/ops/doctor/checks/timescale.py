"""TimescaleDB: versions and settings that lose points or slow them down."""

from collections.abc import Iterator

from pointq.ops.doctor.finding import Finding, fail, ok, warn
from pointq.ops.doctor.registry import check
from pointq.ops.doctor.sources.database import Timescale
from pointq.store.facts import SAFE, version_number

_SHORTEST, _LONGEST = 3600.0, 90 * 86400.0
"""Seconds: shorter chunks cost planning, longer ones do not fit into memory."""


@check(
    "timescale.version",
    Timescale,
    what="whether TimescaleDB keeps late points",
    why="before 2.18.1 ON CONFLICT DO NOTHING into compressed chunks loses rows and says nothing",
    mend="ALTER EXTENSION timescaledb UPDATE, in a new session, after the package was upgraded to 2.18.1 or newer",
)
def version(found: Timescale) -> Iterator[Finding]:
    """Where it is installed."""
    if found.version is None:
        said = "TimescaleDB is not in this database, so the tables are plain ones"
        # there is none in any wheel
        yield (
            ok(said) if found.embedded else warn(said, "install TimescaleDB, then CREATE EXTENSION timescaledb; pointq db init")
        )
        return
    said, compressed = f"TimescaleDB {found.version}", _compressed(found)
    if version_number(found.version) >= SAFE:
        yield ok(said)
    elif compressed:
        yield fail(f"{said} loses late points of compressed chunks silently, and {', '.join(compressed)} may be compressed")
    else:
        yield warn(f"{said} would lose late points silently if a table were compressed")


@check(
    "timescale.hypertables",
    Timescale,
    what="whether the tables are hypertables",
    why="a plain table has one index for all years, and can be neither compressed nor cut by time",
    mend="SELECT create_hypertable('TABLE', by_range('time'), create_default_indexes => false, migrate_data => true)",
)
def hypertables(found: Timescale) -> Iterator[Finding]:
    """Every table of points that there is."""
    known = {hypertable.name for hypertable in found.hypertables}
    for table in found.tables if found.version else ():
        if table not in known:
            yield warn(
                f"{table} is a plain table",
                f"SELECT create_hypertable('{table}', by_range('time'), create_default_indexes => false, migrate_data => true)",
            )
    if found.version and known >= set(found.tables):
        yield ok(f"{len(known)} hypertables")


@check(
    "timescale.chunks",
    Timescale,
    what="how much time a chunk spans",
    why="thousands of small chunks slow every query down; the index of a huge one does not fit into memory",
    mend="SELECT set_chunk_time_interval('TABLE', INTERVAL '1 day'), which counts for new chunks",
)
def chunks(found: Timescale) -> Iterator[Finding]:
    """Between an hour and three months."""
    odd = [h for h in found.hypertables if h.chunk_seconds and not _SHORTEST <= h.chunk_seconds <= _LONGEST]
    for hypertable in odd:
        yield warn(
            f"chunks of {hypertable.name} span {(hypertable.chunk_seconds or 0) / 3600:g} h",
            f"SELECT set_chunk_time_interval('{hypertable.name}', INTERVAL '1 day')",
        )
    if found.hypertables and not odd:
        yield ok("chunks span between an hour and three months")


@check(
    "timescale.decompression",
    Timescale,
    what="whether late points fit through the limit on decompression",
    why="a batch of late points that decompresses more rows than the limit is refused, and stored in pieces, which takes long",
    mend="ALTER DATABASE of yours SET timescaledb.max_tuples_decompressed_per_dml_transaction = 100000",
)
def decompression(found: Timescale) -> Iterator[Finding]:
    """Only where a table may be compressed; 0 is no limit."""
    if not _compressed(found):
        return
    most = int((found.options or {}).get("timescaledb.max_tuples_decompressed_per_dml_transaction", 0))
    said = f"a transaction may decompress {most or 'any number of'} rows; a batch has {found.settings.work.batch_points} points"
    yield warn(said) if 0 < most < found.settings.work.batch_points else ok(said)


@check(
    "timescale.direct_compress",
    Timescale,
    what="whether COPY compresses by itself",
    why="direct compress on COPY does not work with a unique index, which is what makes a resent point one point",
    mend="ALTER DATABASE of yours SET timescaledb.enable_direct_compress_copy = off",
)
def direct_compress(found: Timescale) -> Iterator[Finding]:
    """Where the version has it."""
    match (found.options or {}).get("timescaledb.enable_direct_compress_copy"):
        case "on":
            yield warn("timescaledb.enable_direct_compress_copy is on")
        case "off":
            yield ok("COPY does not compress by itself")


@check(
    "timescale.jobs",
    Timescale,
    what="whether TimescaleDB's jobs work",
    why="a compression or retention policy that fails lets the disk fill",
    mend="SELECT * FROM timescaledb_information.job_errors ORDER BY finish_time DESC",
)
def jobs(found: Timescale) -> Iterator[Finding]:
    """The last run of each."""
    yield from (warn(f"the last run of job {job} failed") for job in found.failed_jobs)
    if found.version and not found.failed_jobs:
        yield ok("no job failed when it last ran")


def _compressed(found: Timescale) -> list[str]:
    return [hypertable.name for hypertable in found.hypertables if hypertable.compressed]
