"""What is no HTTP, and so meets no route and no handler: answered as everything else is, with problem details.

aiohttp answers it as plain text, and logs a traceback with the bytes in it: a token of a query, and as many lines as anybody
cares to send. Here the client is told what is wrong, and the log hears now and then how often.
"""

import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from pointq.ingest.guard import problem_of
from pointq.ingest.problems import Problem
from pointq.ingest.seldom import Pace

log = logging.getLogger("pointq.ingest")

_MOST_SAID = 200
"""Characters of what aiohttp says of a request: there may be bytes of it in there."""


class Malformed:
    """Says in the log how many requests were no HTTP, at most once in a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = Pace(clock=clock)

    def tell(self, address: str | None) -> None:
        """One more."""
        if (count := self._pace.due("malformed")) is not None:
            log.warning("%d requests were no HTTP that can be read, the last from %s", count, address)


class TellingHandler(web.RequestHandler):
    """A connection that answers with problem details where no handler does."""

    __slots__ = ("_malformed",)

    def __init__(self, server: web.Server, malformed: Malformed, **options: Any) -> None:  # noqa: ANN401 - aiohttp's
        super().__init__(server, **options)
        self._malformed = malformed

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no HTTP, or to an error that no handler caught; it is the last on its connection."""
        if request.writer.output_size > 0:
            raise ConnectionError("the beginning of an answer is on its way: there can be no other")
        response = self._problem(request, exc, message or HTTPStatus(status).phrase).response()
        response.force_close()
        return response

    def _problem(self, request: web.BaseRequest, exc: BaseException | None, message: str) -> Problem:
        if isinstance(exc, HttpProcessingError):
            self._malformed.tell(request.remote)
            return Problem(HTTPStatus.BAD_REQUEST, f"this is no HTTP that can be read: {_first_line(message)}")
        return problem_of(exc if isinstance(exc, Exception) else RuntimeError(message), request.path)


def _first_line(message: str) -> str:
    line = message.strip().partition("\n")[0][:_MOST_SAID].rstrip(":")
    return "".join(character if character.isprintable() else "?" for character in line)
