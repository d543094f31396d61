"""The list of checks, in the order in which they are shown."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pointq.ops.doctor.finding import Finding

F = TypeVar("F")

Look = Callable[[F], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what it looks at, why, and what to do where it finds something."""

    id: str
    """``group.name``."""
    about: type
    """The facts that it is a function of."""
    what: str
    why: str
    mend: str
    look: Callable[[Any], Iterator[Finding]]
    """Yields nothing where the check does not apply."""

    @property
    def group(self) -> str:
        """The subject it belongs to."""
        return self.id.partition(".")[0]


CHECKS: list[Check] = []
"""Filled by importing `checks`."""


def check(name: str, about: type[F], *, what: str, why: str, mend: str) -> Callable[[Look[F]], Look[F]]:
    """Register the decorated function, which takes facts of that type and yields findings, as the check of that name."""

    def register(look: Look[F]) -> Look[F]:
        CHECKS.append(Check(name, about, what, why, mend, look))
        return look

    return register
