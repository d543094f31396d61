"""Where a request shows its token: the first of these that is there counts.

``Authorization: Bearer TOKEN`` · the password of HTTP Basic, under any user · ``X-API-Key: TOKEN`` · ``?token=TOKEN``, for
devices that know no better: other programs on the way, though not pointq, write addresses into their logs.
"""

import base64
import binascii

from aiohttp import hdrs, web

API_KEY = "X-API-Key"
QUERY = "token"


def shown(request: web.BaseRequest) -> str | None:
    """The token that a request shows; None where it shows none, or in a way that is unknown."""
    header = request.headers.get(hdrs.AUTHORIZATION)
    if header is None:
        return request.headers.get(API_KEY) or request.query.get(QUERY)
    if header.startswith("Bearer "):
        return header[7:]
    scheme, _, rest = header.strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip()
        case "basic":
            return _password(rest.strip())
    return None


def _password(encoded: str) -> str | None:
    try:
        login = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return login.partition(":")[2]
