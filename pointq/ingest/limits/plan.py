"""What the limits of a server are to be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Times:
    """How long a client may take, in seconds."""

    header: float = 10.0
    body: float = 120.0
    answer: float = 30.0
    idle: float = 75.0


@dataclass(frozen=True, slots=True)
class Rates:
    """What may come from one, a second; 0: no limit."""

    requests: float = 0.0
    points: float = 0.0

    @property
    def wanted(self) -> bool:
        """Whether there is any limit."""
        return self.requests > 0 or self.points > 0


@dataclass(frozen=True, slots=True)
class Marks:
    """Where bulk points (all but live ones) are refused, and where live ones are; None: nowhere."""

    bulk: float | None = None
    live: float | None = None


@dataclass(frozen=True, slots=True)
class LimitsPlan:
    """All limits of a server; in values of JSON."""

    times: Times = Times()
    connections: int = 4096
    connections_per_address: int = 512
    token: Rates = Rates()
    address: Rates = Rates()
    burst_seconds: float = 10.0
    failed_tokens_per_minute: float = 600.0
    queue_points: Marks = Marks()
    redis_memory_percent: Marks = Marks()

    @classmethod
    def of_json(cls, fields: Mapping[str, Any]) -> "LimitsPlan":
        """The plan that went over to another process."""
        parts = {"times": Times, "token": Rates, "address": Rates, "queue_points": Marks, "redis_memory_percent": Marks}
        return cls(**{**fields, **{name: part(**fields[name]) for name, part in parts.items()}})
