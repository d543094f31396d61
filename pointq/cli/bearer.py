"""Tokens as people hand them over, to be sent in a header."""

import re

from pointq.errors import UsageError

_TOKEN = re.compile(r"[!-~]+")
"""Visible ASCII: what pointq makes, and JWTs, are of it, and a header takes no control characters."""


def parse_token(text: str | None) -> str | None:
    """The token without the line break that a file or a variable ends in; None: none. Raises UsageError, without the token."""
    token = (text or "").strip()
    if token and not _TOKEN.fullmatch(token):
        hint = "give it as `pointq token create` printed it, alone"
        raise UsageError("what --token or POINTQ_TOKEN holds is no token: it has spaces or signs that none has", hint=hint)
    return token or None
