"""Who is connected: not more than there is room for, and not too many from one address."""

from collections import Counter
from collections.abc import Callable, Hashable

from pointq.ingest.limits.addresses import counted_as
from pointq.ingest.limits.tally import Tally


class Doorstep:
    """Counts open connections. `is_proxy` says whose are those of many, so that only the bound in all counts for it."""

    def __init__(self, most: int, most_per_address: int, tally: Tally, is_proxy: Callable[[str], bool]) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._tally = tally
        self._is_proxy = is_proxy
        self._whose: dict[Hashable, str] = {}
        self._counts: Counter[str] = Counter()

    def enter(self, connection: Hashable, address: str) -> bool:
        """One comes; False where it is to be closed at once."""
        whose = counted_as(address)
        if len(self._whose) >= self._most:
            self._tally.met("max_connections", whose)
            return False
        if self._counts[whose] >= self._most_per_address and not self._is_proxy(address):
            self._tally.met("max_connections_per_address", whose)
            return False
        self._whose[connection] = whose
        self._counts[whose] += 1
        return True

    def leave(self, connection: Hashable) -> None:
        """One is closed, whether or not it was let in."""
        whose = self._whose.pop(connection, None)
        if whose is None:
            return
        self._counts[whose] -= 1
        if not self._counts[whose]:
            del self._counts[whose]
