"""Token buckets: so much a second, and a burst of it at once."""

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """One bucket. Its clock is the caller's, in seconds.

    It may be overdrawn by the last that was let in, and by what other servers let in meanwhile: then nobody is let in until the
    debt is paid, so that in the long run the rate holds.
    """

    rate: float
    burst: float
    level: float
    at: float
    unsettled: float = 0.0
    """What was taken since other servers were told."""

    @classmethod
    def full(cls, rate: float, burst_seconds: float, now: float) -> "Bucket":
        """One of somebody new; it holds one at least, or nobody would ever be let in."""
        burst = max(rate * burst_seconds, 1.0)
        return cls(rate, burst, burst, now)

    def wait(self, now: float) -> float:
        """Seconds until one may be taken; 0: now."""
        self.level = min(self.level + (now - self.at) * self.rate, self.burst)
        self.at = now
        return 0.0 if self.level >= 1.0 else (1.0 - self.level) / self.rate

    def take(self, count: float) -> None:
        """Take so much, whether or not it is there."""
        self.level -= count
        self.unsettled += count

    def settled(self, sent: float, level: float, now: float) -> None:
        """All servers left that level after `sent` of this one was taken off; what came meanwhile is still to be told."""
        self.unsettled -= sent
        self.level, self.at = min(level, self.burst) - self.unsettled, now
