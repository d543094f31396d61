"""How somebody is told that a door stays shut, and how the log hears of it."""

import logging
import time
from collections.abc import Callable
from http import HTTPStatus

from pointq.ingest.problems import Problem
from pointq.ingest.seldom import Pace

log = logging.getLogger("pointq.ingest")

_CHALLENGE = 'Bearer realm="pointq"'
_BASIC = 'Basic realm="pointq", charset="UTF-8"'


def nothing_shown() -> Problem:
    """401: there is a door, and nothing that opens it."""
    detail = "a token is needed here: send Authorization: Bearer TOKEN, Basic with it as the password, X-API-Key, or ?token="
    return Problem(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": f"{_CHALLENGE}, {_BASIC}"})


def not_valid(why: str) -> Problem:
    """401: what was shown opens nothing."""
    challenge = f'{_CHALLENGE}, error="invalid_token", {_BASIC}'
    return Problem(HTTPStatus.UNAUTHORIZED, why, headers={"WWW-Authenticate": challenge})


def not_allowed(scope: str) -> Problem:
    """403: the token is good, but not for this."""
    challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{scope}"'
    return Problem(HTTPStatus.FORBIDDEN, f"the token lacks the scope {scope}", headers={"WWW-Authenticate": challenge})


def not_known_yet(retry_after: int) -> Problem:
    """503: nobody can tell whether the token is good. A 401 would make a device forget it."""
    detail = "tokens cannot be checked now: the database was not reached since this server started"
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry_after=retry_after)


class Refusals:
    """Says in the log how many were refused, at most once in a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = Pace(clock=clock)

    def tell(self, address: str, path: str, problem: Problem) -> None:
        """One more."""
        if (count := self._pace.due("refused")) is not None:
            log.warning(
                "%d requests were refused for their token, the last from %s to %s: %s", count, address, path, problem.detail
            )
