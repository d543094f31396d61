"""One port for several processes.

Each process has a listening socket of its own, with SO_REUSEPORT, and Linux spreads new connections evenly over them. One
socket that all inherit would work alike on every system, but not as well: whichever process is awake takes what comes. Of 64
connections opened at once, two processes took 8 and 56 by one socket, 32 and 32 by SO_REUSEPORT (Linux, uvloop, 2 cores), and
connections to an ingest server live long. Other systems need not spread: there, one process may take all new connections until
it ends.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pointq.errors import PointqError


@dataclass(frozen=True, slots=True)
class Place:
    """Where processes may listen."""

    port: int
    url: str


@contextmanager
def reserved(host: str, port: int, scheme: str = "http") -> Iterator[Place]:
    """Keep a port for processes of this user that listen with SO_REUSEPORT; 0 picks a free one.

    Nothing listens here. Raises PointqError where the address is taken, also by others who would share it.
    """
    with ExitStack() as stack:
        sockets: list[socket.socket] = []
        try:
            for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
                own = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                # a name may have several addresses: the port that the first one got is for all
                _bind(own, (address[0], sockets[0].getsockname()[1] if sockets else port, *address[2:]))
                sockets.append(own)
        except OSError as exc:
            raise cannot_listen(host, port, exc) from exc
        name, number = sockets[0].getsockname()[:2]
        yield Place(number, url_of(name, number, scheme))


def _bind(own: socket.socket, address: tuple[object, ...]) -> None:
    if own.family == socket.AF_INET6:
        # as event loops do: :: is not 0.0.0.0 too
        own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    # connections of an earlier server that are still in TIME_WAIT do not matter
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    own.bind(address)
    # not before: SO_REUSEPORT would let this one in beside another `pointq serve` with several processes, and as long as nobody
    # listens SO_REUSEADDR would let another in beside this one
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def cannot_listen(host: str, port: int, exc: OSError) -> PointqError:
    """The error of an address that is taken, or not this machine's."""
    return PointqError(f"cannot listen on {host}:{port}: {exc.strerror or exc}", hint="choose another with --host and --port")


def url_of(host: str, port: int, scheme: str = "http") -> str:
    """What to tell clients."""
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
