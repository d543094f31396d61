"""A door finds its server at whichever address it listens."""

import socket
from collections.abc import Sequence
from contextlib import closing

import pytest

from pointq.ops.bench.door import HOST, Door


def test_the_second_address_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server((HOST, 0))) as server, closing(socket.create_server((HOST, 0))) as closed:
        numbers = [closed.getsockname(), server.getsockname()]
        closed.close()
        addresses = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", number) for number in numbers]

        def resolve(*_: object, **__: object) -> Sequence[object]:
            return addresses

        with Door(("server.test", 1)) as door:
            monkeypatch.setattr(socket, "getaddrinfo", resolve)
            with closing(socket.create_connection((HOST, door.port), 5)) as client:
                client.sendall(b"hello")
                beyond, _ = server.accept()
                with closing(beyond):
                    assert beyond.recv(5) == b"hello"
