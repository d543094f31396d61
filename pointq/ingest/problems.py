"""Answers to what cannot be accepted: problem details (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import orjson
from aiohttp import web

from pointq.points.rejects import Reject

TYPE = "about:blank"
"""Of every problem: it means no more than its status (RFC 9457, 4.2.1), and `detail` what a person should know."""

LISTING = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
"""What is wrong with a body: where it should have points, the answer lists those that were refused."""

LISTED = 100
"""Rejects that an answer lists; `rejected_count` says how many there are."""


class Problem(Exception):
    """A request that is answered with problem details."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        rejects: Sequence[Reject] = (),
        retry_after: int | None = None,
        more: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.rejects = rejects
        self.retry_after = retry_after
        self.more = more or {}
        """Further members of the answer."""
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)

    def response(self) -> web.Response:
        """The answer."""
        return self._response({})

    def points_response(self) -> web.Response:
        """The answer where points are taken: it lists those that were refused, also where none was looked at."""
        return self._response(rejected(self.rejects) if self.status in LISTING else {})

    def _response(self, listed: Mapping[str, object]) -> web.Response:
        body: dict[str, object] = {
            "type": TYPE,
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            **self.more,
            **listed,
        }
        return web.Response(
            body=orjson.dumps(body, option=orjson.OPT_UTC_Z),
            status=self.status,
            content_type="application/problem+json",
            headers=self.headers,
        )


def rejected(rejects: Sequence[Reject]) -> dict[str, object]:
    """The rejects as answers carry them: the first of them, and how many there are."""
    listed = [{"index": r.index, "field": r.field, "reason": r.reason} for r in rejects[:LISTED]]
    return {"rejected": listed, "rejected_count": len(rejects)}
