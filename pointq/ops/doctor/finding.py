"""What a check finds."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, good or bad."""

    severity: Severity
    message: str
    mend: str | None = None
    """The command or setting that mends this very thing, where the check's own advice is too general."""


def ok(message: str) -> Finding:
    """It is as it should be."""
    return Finding("ok", message)


def warn(message: str, mend: str | None = None) -> Finding:
    """Points are safe, but it is risky, slow or unusual."""
    return Finding("warn", message, mend)


def fail(message: str, mend: str | None = None) -> Finding:
    """Points do not get through, or may be lost."""
    return Finding("fail", message, mend)
