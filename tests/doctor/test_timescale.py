"""What is made of TimescaleDB's answers. No wheel has it, so they are made up here."""

from collections.abc import Callable, Iterator

import pytest

from pointq.config import Settings
from pointq.ops.doctor.checks import timescale as checks
from pointq.ops.doctor.finding import Finding
from pointq.ops.doctor.sources.database import Hypertable, Timescale

LIMIT = "timescaledb.max_tuples_decompressed_per_dml_transaction"
DIRECT = "timescaledb.enable_direct_compress_copy"
DAY = 86_400.0

Look = Callable[[Timescale], Iterator[Finding]]


def found(
    version: str | None = "2.20.0",
    options: dict[str, str] | None = None,
    *,
    compressed: bool = False,
    chunk: float = DAY,
    embedded: bool = False,
) -> Timescale:
    tables = ("live_track_points",)
    hypertables = (Hypertable(tables[0], compressed, chunk),)
    if version is None:
        return Timescale(Settings(), embedded, None)
    return Timescale(Settings(), embedded, version, tables, hypertables, options)


@pytest.mark.parametrize(
    ("check", "facts", "severities"),
    [
        (checks.version, found(None), ["warn"]),
        (checks.version, found(None, embedded=True), ["ok"]),
        (checks.version, found("2.18.0"), ["warn"]),
        (checks.version, found("2.18.0", compressed=True), ["fail"]),
        (checks.version, found("2.18.1", compressed=True), ["ok"]),
        (checks.version, found("2.21.0-dev", compressed=True), ["ok"]),
        (checks.version, found("2.9.3", compressed=True), ["fail"]),
        (checks.hypertables, found(None), []),
        (checks.hypertables, found(), ["ok"]),
        (checks.hypertables, Timescale(Settings(), False, "2.20.0", ("a", "b"), (Hypertable("a", False, DAY),)), ["warn"]),
        (checks.chunks, found(), ["ok"]),
        (checks.chunks, found(chunk=60.0), ["warn"]),
        (checks.chunks, found(chunk=400 * DAY), ["warn"]),
        (checks.chunks, found(None), []),
        (checks.decompression, found(), []),
        (checks.decompression, found(options={LIMIT: "100000"}, compressed=True), ["ok"]),
        (checks.decompression, found(options={LIMIT: "0"}, compressed=True), ["ok"]),
        (checks.decompression, found(options={LIMIT: "1000"}, compressed=True), ["warn"]),
        (checks.direct_compress, found(), []),
        (checks.direct_compress, found(options={DIRECT: "off"}), ["ok"]),
        (checks.direct_compress, found(options={DIRECT: "on"}), ["warn"]),
        (checks.jobs, found(), ["ok"]),
        (checks.jobs, Timescale(Settings(), False, "2.20.0", failed_jobs=(1000, 1001)), ["warn", "warn"]),
        (checks.jobs, found(None), []),
    ],
)
def test_judged(check: Look, facts: Timescale, severities: list[str]) -> None:
    assert [finding.severity for finding in check(facts)] == severities
