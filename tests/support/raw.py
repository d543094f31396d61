"""Bytes sent to a server as they are, and the answers found in what comes back."""

import json
import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_SUCCESS = re.compile(rb'(?<=\r\n\r\n)\{"success":true')


@dataclass(frozen=True, slots=True)
class Received:
    """All that came back on one connection; `ended` says whether the server closed it."""

    data: bytes
    ended: bool

    @property
    def statuses(self) -> list[int]:
        return [int(found) for found in _STATUS.findall(self.data)]

    @property
    def accepted(self) -> list[Any]:
        """The documents of all answers that say that points are durable."""
        text = self.data.decode("latin-1")
        return [json.JSONDecoder().raw_decode(text, found.start())[0] for found in _SUCCESS.finditer(self.data)]

    @property
    def body(self) -> bytes:
        """Of the last answer."""
        return self.data.rpartition(b"\r\n\r\n")[2]


def exchange(url: str, data: bytes, seconds: float = 10.0) -> Received:
    """Send the bytes, and read until the server closes the connection or says nothing for that long."""
    parts = urlsplit(url)
    received = bytearray()
    with socket.create_connection((parts.hostname, parts.port), timeout=seconds) as connection:
        # a server that has answered closes, whatever is still on its way to it
        with suppress(ConnectionError):
            connection.sendall(data)
        try:
            while piece := connection.recv(65_536):
                received += piece
        except TimeoutError:
            return Received(bytes(received), ended=False)
        except ConnectionError:
            pass
    return Received(bytes(received), ended=True)
