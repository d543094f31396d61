"""All limits of a server together."""

from collections.abc import Callable
from contextlib import AsyncExitStack

from aiohttp import web

from pointq.ingest.doors.gate import Admit, Gate
from pointq.ingest.doors.grants import GRANT
from pointq.ingest.doors.paths import SCOPES
from pointq.ingest.limits.accounts import Account, Accounts
from pointq.ingest.limits.addresses import counted_as
from pointq.ingest.limits.failures import Failures
from pointq.ingest.limits.plan import LimitsPlan, Marks
from pointq.ingest.limits.pressure import Pressure
from pointq.ingest.limits.sharing import Sharing
from pointq.ingest.limits.tally import Tally
from pointq.ops.tokens import VIEW
from pointq.points.kinds import LIVE
from pointq.queue.buckets import SharedBuckets
from pointq.queue.connection import connect
from pointq.queue.ledger import Ledger

Spend = Callable[[int], None]
"""Takes points off an account."""

_ACCOUNT = "pointq.account"
_CONNECTIONS = 2
"""To Redis, for what is done in the background."""


class Limits:
    """What a server lets in, behind its doors."""

    def __init__(self, plan: LimitsPlan, tally: Tally) -> None:
        self._plan = plan
        self.tally = tally
        self.failures = Failures(plan.failed_tokens_per_minute, tally)
        self._tokens = Accounts("token", plan.token, tally, burst_seconds=plan.burst_seconds)
        self._addresses = Accounts("address", plan.address, tally, burst_seconds=plan.burst_seconds)
        self._pressure: Pressure | None = None

    def work(self, redis_url: str, prefix: str, ledger: Ledger, stack: AsyncExitStack) -> None:
        """Begin what is done beside the requests; `stack` ends it."""
        plan = self._plan
        redis = connect(redis_url, max_connections=_CONNECTIONS)
        stack.push_async_callback(redis.aclose)
        sharing = Sharing(SharedBuckets(redis, redis_url, prefix), (self._tokens, self._addresses, self.failures.accounts))
        sharing.start()
        stack.push_async_callback(sharing.stop)
        if {plan.queue_points, plan.redis_memory_percent} != {Marks()}:
            pressure = Pressure(
                redis, redis_url, lambda: ledger.waiting, plan.queue_points, plan.redis_memory_percent, self.tally
            )
            pressure.start()
            stack.push_async_callback(pressure.stop)
            self._pressure = pressure

    def behind(self, gate: Gate, path: str) -> Admit | None:
        """The door at a path and the limits behind it; None where there is neither."""
        checks = [check for check in (gate.at(path), self._room(path), self._rate(gate, path)) if check is not None]
        if len(checks) <= 1:
            return checks[0] if checks else None

        def admit(request: web.BaseRequest) -> None:
            for check in checks:
                check(request)

        return admit

    def spend_of(self, request: web.BaseRequest) -> Spend | None:
        """What takes the points of a request off its account; None where nobody counts them."""
        if not (self._plan.token.points or self._plan.address.points):
            return None
        account: Account | None = request.get(_ACCOUNT)
        return None if account is None or account.points is None else account.spend

    def _room(self, path: str) -> Admit | None:
        """Whether there is room in the queue."""
        scope, pressure = SCOPES[path], self._pressure
        if pressure is None or scope in {None, VIEW}:
            return None
        check = pressure.check_live if scope == LIVE.name else pressure.check_bulk
        return lambda _: check()

    def _rate(self, gate: Gate, path: str) -> Admit | None:
        """Whether the client may, by the rate of its token, or of its address where it showed none."""
        by_token, by_address = self._plan.token.wanted, self._plan.address.wanted
        if SCOPES[path] is None or not (by_token or by_address):
            return None
        tokens, addresses, client = self._tokens, self._addresses, gate.client

        def admit(request: web.BaseRequest) -> None:
            grant = request.get(GRANT)
            if grant is None:
                if by_address:
                    request[_ACCOUNT] = addresses.admit(counted_as(client(request)))
            elif by_token:
                request[_ACCOUNT] = tokens.admit(grant.name)

        return admit
