"""What somebody who is let in may do."""

import math
from dataclasses import dataclass

from aiohttp import web

GRANT = "pointq.grant"
"""Where a request carries its `Grant`, once a door let it in."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows; nothing in it opens a door."""

    name: str
    scopes: frozenset[str]
    device: str | None = None
    """The only device that points may be of."""
    until: float = math.inf
    """Unix seconds."""


def device_of(request: web.BaseRequest) -> str | None:
    """The only device that the points of this request may be of; None: any."""
    grant: Grant | None = request.get(GRANT)
    return None if grant is None else grant.device
