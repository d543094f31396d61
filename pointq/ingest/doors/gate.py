"""The doors of a server: at each path, whoever may not is refused before anything of the request is read."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from pointq.ingest.doors.grants import GRANT, Grant
from pointq.ingest.doors.keys import Keys
from pointq.ingest.doors.paths import SCOPES
from pointq.ingest.doors.plan import DoorPlan
from pointq.ingest.doors.proxies import FORWARDED_FOR, Proxies
from pointq.ingest.doors.refusals import Refusals, not_allowed, nothing_shown
from pointq.ingest.doors.shown import shown
from pointq.ingest.problems import Problem

if TYPE_CHECKING:
    from pointq.ingest.limits.failures import Failures

Admit = Callable[[web.BaseRequest], None]
"""Lets a request in, or raises Problem: 401, 403, or 503 where nobody can tell."""


class Gate:
    """All doors of a server."""

    def __init__(self, plan: DoorPlan, keys: Keys, failures: "Failures | None" = None) -> None:
        self._plan = plan
        self._keys = keys
        self._proxies = Proxies(plan.trusted_proxies)
        self._refusals = Refusals()
        self._failures = failures

    def scope(self, path: str) -> str | None:
        """What opens the door at a path; None: it stands open. A path without a line in `paths` is a defect, and a KeyError."""
        scope = SCOPES[path]
        return None if scope is None or self._plan.mode(scope) == "none" else scope

    def at(self, path: str) -> Admit | None:
        """The door at a path; None where it stands open. Raises KeyError as `scope` does."""
        scope = self.scope(path)
        if scope is None:
            return None

        remembered = self._keys.remembered

        def admit(request: web.BaseRequest) -> None:
            grant = remembered(request.headers.get(hdrs.AUTHORIZATION))
            if grant is None or scope not in grant.scopes:
                grant = self._look(request, path, scope)
            request[GRANT] = grant

        return admit

    def _look(self, request: web.BaseRequest, path: str, scope: str) -> Grant:
        """What the token of a request grants, that scope among it. Raises Problem."""
        try:
            secret = shown(request)
            if not secret:
                raise nothing_shown()
            if self._failures is not None and not self._keys.is_cheap(secret):
                self._failures.check(self.client(request))
            grant = self._keys.grant(secret)
            if scope not in grant.scopes:
                raise not_allowed(scope)
        except Problem as problem:
            self._refuse(request, path, problem)
            raise
        if (header := request.headers.get(hdrs.AUTHORIZATION)) is not None:
            self._keys.remember(header, grant)
        return grant

    def _refuse(self, request: web.BaseRequest, path: str, problem: Problem) -> None:
        """Put a refusal down. Raises Problem (429) in its place where the address had too many."""
        if problem.status is HTTPStatus.TOO_MANY_REQUESTS:
            return
        self._refusals.tell(self.client(request), path, problem)
        if problem.status is HTTPStatus.UNAUTHORIZED:
            self.failed(request)

    def failed(self, request: web.BaseRequest) -> None:
        """What a request showed opens nothing. Raises Problem (429) where that came too often from its address."""
        if self._failures is not None:
            self._failures.add(self.client(request))

    def is_proxy(self, peer: str) -> bool:
        """Whether that address is a proxy's that is believed."""
        return self._proxies.is_proxy(peer)

    def client(self, request: web.BaseRequest) -> str:
        """The address that a request comes from, past the proxies that are believed."""
        return self._proxies.client(request.remote, request.headers.getall(FORWARDED_FOR, ()))
