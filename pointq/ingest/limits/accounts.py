"""Who took how much: an account for each token or address that was there lately."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from hashlib import blake2b
from http import HTTPStatus
from itertools import islice

from pointq.ingest.limits.buckets import Bucket
from pointq.ingest.limits.plan import Rates
from pointq.ingest.limits.tally import Tally
from pointq.ingest.problems import Problem

_MOST = 16_384
"""Accounts of a kind that are remembered, some 6 MB: whoever comes with ever new addresses fills nothing."""


class Account:
    """One token's or address's."""

    __slots__ = ("_changed", "points", "requests", "whose")

    def __init__(self, whose: str, requests: Bucket | None, points: Bucket | None, changed: dict[str, "Account"]) -> None:
        self.whose = whose
        self.requests = requests
        self.points = points
        self._changed = changed

    @property
    def buckets(self) -> Iterator[tuple[str, Bucket]]:
        """Those that are limited, by name."""
        if self.requests is not None:
            yield "requests", self.requests
        if self.points is not None:
            yield "points", self.points

    def spend(self, points: int) -> None:
        """So many points came, good or bad."""
        if self.points is not None:
            self.points.take(points)
            self._changed[self.whose] = self


class Accounts:
    """The accounts of one kind, `token` or `address`; those that nobody used for longest are forgotten first."""

    def __init__(
        self,
        kind: str,
        rates: Rates,
        tally: Tally,
        *,
        burst_seconds: float = 10.0,
        most: int = _MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.kind = kind
        self._rates = rates
        self._tally = tally
        self._burst_seconds = burst_seconds
        self._most = most
        self._clock = clock
        self._accounts: OrderedDict[str, Account] = OrderedDict()
        self._changed: dict[str, Account] = {}

    def __len__(self) -> int:
        return len(self._accounts)

    def of(self, whose: str) -> Account:
        """The account; a new one is full."""
        account = self._accounts.get(whose)
        if account is not None:
            self._accounts.move_to_end(whose)
            return account
        if len(self._accounts) >= self._most:
            forgotten, _ = self._accounts.popitem(last=False)
            self._changed.pop(forgotten, None)
        requests, points = self._bucket(self._rates.requests), self._bucket(self._rates.points)
        account = self._accounts[whose] = Account(whose, requests, points, self._changed)
        return account

    def admit(self, whose: str) -> Account:
        """Take a request off the account. Raises Problem (429) where it is overdrawn."""
        account, now = self.of(whose), self._clock()
        requests, points = account.requests, account.points
        if requests is not None and (wait := requests.wait(now)):
            raise self._too_much(account, "requests", wait)
        if points is not None and (wait := points.wait(now)):
            raise self._too_much(account, "points", wait)
        self.take(account)
        return account

    def take(self, account: Account) -> None:
        """Take a request off the account, overdrawn or not."""
        if account.requests is not None:
            account.requests.take(1)
            self._changed[account.whose] = account

    def changed(self, most: int) -> list[tuple[str, Bucket]]:
        """What other servers have not heard of yet, so many accounts at most; each is given once.

        By a name for Redis: nobody's own words get there, and of no length of theirs.
        """
        found = []
        for whose in list(islice(self._changed, most)):
            for what, bucket in self._changed.pop(whose).buckets:
                if bucket.unsettled:
                    found.append((f"{self.kind}:{what}:{_hashed(whose)}", bucket))
        return found

    def _bucket(self, rate: float) -> Bucket | None:
        return Bucket.full(rate, self._burst_seconds, self._clock()) if rate else None

    def _too_much(self, account: Account, what: str, wait: float) -> Problem:
        self._tally.met(f"{self.kind}_{what}_per_second", account.whose)
        rate = getattr(self._rates, what)
        whom = "with this token" if self.kind == "token" else "from this address"
        detail = f"more {what} came {whom} than the {rate:g} a second that are taken: send them again later"
        return Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, retry_after=int(wait) + 1)


def _hashed(whose: str) -> str:
    """Of any text: a signed token may be for half a surrogate pair, which has no UTF-8."""
    return blake2b(whose.encode("utf8", "surrogatepass"), digest_size=12).hexdigest()
