"""What `pointq doctor` tells."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pointq import clock
from pointq.errors import PointqError
from pointq.ops.doctor.finding import Finding, Severity
from pointq.ops.doctor.registry import Check
from pointq.store.faults import one_line

_BY_HAND = "run pointq doctor again, or look into it by hand"


class LeftOut(Exception):
    """These facts were not asked for, since something that has a finding of its own is in the way."""


Facts = Mapping[type, object]
"""What was learned, by its type; an exception stands for what was not."""


@dataclass(frozen=True, slots=True)
class Line:
    """One finding of one check."""

    check: str
    severity: Severity
    message: str
    mend: str | None
    """The command or setting that mends it; None where nothing is to be mended."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A check that was left out."""

    check: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """The whole answer."""

    time: str
    seconds: float
    """How long it took to find out."""
    state: Severity
    """The worst that was found."""
    ok: int
    warn: int
    fail: int
    findings: tuple[Line, ...]
    skipped: tuple[Skipped, ...]


def judge(checks: Sequence[Check], facts: Facts, started: float) -> Report:
    """Let every check look at the facts; `started` is `time.monotonic()` of the first question."""
    lines: list[Line] = []
    skipped: list[Skipped] = []
    for check in checks:
        found = facts[check.about]
        if isinstance(found, LeftOut):
            skipped.append(Skipped(check.id, str(found)))
        else:
            lines += _lines(check, found)
    counts = {severity: sum(line.severity == severity for line in lines) for severity in ("ok", "warn", "fail")}
    return Report(
        time=clock.now(),
        seconds=round(time.monotonic() - started, 3),
        state="fail" if counts["fail"] else "warn" if counts["warn"] else "ok",
        **counts,
        findings=tuple(lines),
        skipped=tuple(skipped),
    )


def _lines(check: Check, found: object) -> list[Line]:
    if isinstance(found, Exception):
        return [_unknown(check, found)]
    try:
        return [_line(check, finding) for finding in check.look(found)]
    except Exception as exc:  # noqa: BLE001 - one check that a strange server confuses must not hide all the others
        return [_unknown(check, exc)]


def _line(check: Check, finding: Finding) -> Line:
    mend = None if finding.severity == "ok" else finding.mend or check.mend
    return Line(check.id, finding.severity, finding.message, mend)


def _unknown(check: Check, exc: Exception) -> Line:
    hint = exc.hint if isinstance(exc, PointqError) else None
    return Line(check.id, "warn", f"could not find out {check.what}: {one_line(exc)}", hint or _BY_HAND)
