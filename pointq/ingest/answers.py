"""What a request is told whose points are durable."""

from http import HTTPStatus

import orjson

from pointq.ingest.intake import Via
from pointq.ingest.problems import Problem, rejected
from pointq.ingest.submission import Verdict

_QUEUE = str(Via.QUEUE)
_NONE_REJECTED = rejected(())


def accepted(verdict: Verdict, via: Via) -> bytes:
    """The body of the 202. Raises Problem where nothing was good."""
    if not verdict.points:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "none of the points can be accepted", rejects=verdict.rejects)
    flight = verdict.flight
    way = str(via)  # plain text: an enumeration costs orjson as much as all the rest
    return orjson.dumps(
        {
            "success": True,
            "queued": way == _QUEUE,
            "via": way,
            "flight_id": flight.flight_id if flight else None,
            "flight_uuid": flight.uuid if flight else None,
            "points": verdict.points,
            **(rejected(verdict.rejects) if verdict.rejects else _NONE_REJECTED),
        }
    )
