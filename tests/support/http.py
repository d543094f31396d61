"""A plain HTTP client: what the test sends is what goes over the wire."""

import http.client
import json
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from tests.support.until import PATIENCE_SECONDS

_TIMEOUT_SECONDS = PATIENCE_SECONDS
"""For an answer; all of them should come within a second."""

Body = bytes | Iterable[bytes] | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a path."""

    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One connection to a server; used by one thread, closed by its `with` block."""

    def __init__(self, url: str, trusted: Path | None = None) -> None:
        """Connect; by HTTPS with a certificate that is `trusted`."""
        parts = urlsplit(url)
        assert parts.hostname
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=_TIMEOUT_SECONDS)
        if trusted is not None:
            context = ssl.create_default_context(cafile=trusted)
            self._connection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=_TIMEOUT_SECONDS, context=context
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def post(self, path: str, document: Any, **headers: str) -> Answer:
        """Send a document as JSON; header names are given with underscores."""
        return self.request("POST", path, json.dumps(document).encode(), **{"Content_Type": "application/json", **headers})

    def request(self, method: str, path: str, body: Body = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, body, named)
        response = self._connection.getresponse()
        received = {name.lower(): value for name, value in response.getheaders()}
        return Answer(path, response.status, received, response.read())
