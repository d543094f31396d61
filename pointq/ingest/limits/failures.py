"""Wrong and missing tokens of one address."""

import time
from collections.abc import Callable
from http import HTTPStatus

from pointq.ingest.limits.accounts import Accounts
from pointq.ingest.limits.addresses import counted_as
from pointq.ingest.limits.plan import Rates
from pointq.ingest.limits.tally import Tally
from pointq.ingest.problems import Problem

_BURST_SECONDS = 60.0


class Failures:
    """Counts them. An address with too many gets 429 for each further one; good tokens from there open doors as before.

    Many people may share an address, so one that keeps knocking must not lock the others out.
    """

    def __init__(self, per_minute: float, tally: Tally, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._tally = tally
        self._clock = clock
        self.accounts = Accounts("failed", Rates(per_minute / 60), tally, burst_seconds=_BURST_SECONDS, clock=clock)

    def check(self, address: str) -> None:
        """Before something dear is done for it. Raises Problem (429)."""
        if not self._per_minute:
            return
        bucket = self.accounts.of(counted_as(address)).requests
        if bucket is not None and (wait := bucket.wait(self._clock())):
            self._tally.met("failed_tokens_per_minute", counted_as(address))
            detail = f"more than {self._per_minute:g} wrong or missing tokens a minute came from this address: try again later"
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, retry_after=int(wait) + 1)

    def add(self, address: str) -> None:
        """One more. Raises Problem (429) in its place where there are too many."""
        if self._per_minute:
            self.check(address)
            self.accounts.take(self.accounts.of(counted_as(address)))
