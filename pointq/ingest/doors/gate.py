"""The doors of a server: at each path, whoever may not is refused before anything of the request is read."""

from collections.abc import Callable

from aiohttp import hdrs, web

from pointq.ingest.doors.grants import GRANT, Grant
from pointq.ingest.doors.keys import Keys
from pointq.ingest.doors.paths import SCOPES
from pointq.ingest.doors.plan import DoorPlan
from pointq.ingest.doors.proxies import FORWARDED_FOR, Proxies
from pointq.ingest.doors.refusals import Refusals, not_allowed, nothing_shown
from pointq.ingest.doors.shown import shown
from pointq.ingest.problems import Problem

Admit = Callable[[web.BaseRequest], None]
"""Lets a request in, or raises Problem: 401, 403, or 503 where nobody can tell."""


class Gate:
    """All doors of a server."""

    def __init__(self, plan: DoorPlan, keys: Keys) -> None:
        self._plan = plan
        self._keys = keys
        self._proxies = Proxies(plan.trusted_proxies)
        self._refusals = Refusals()

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
            grant = self._keys.grant(secret)
            if scope not in grant.scopes:
                raise not_allowed(scope)
        except Problem as problem:
            self._refusals.tell(self.client(request), path, problem)
            raise
        if (header := request.headers.get(hdrs.AUTHORIZATION)) is not None:
            self._keys.remember(header, grant)
        return grant

    def client(self, request: web.BaseRequest) -> str:
        """The address that a request comes from, past the proxies that are believed."""
        return self._proxies.client(request.remote, request.headers.getall(FORWARDED_FOR, ()))
