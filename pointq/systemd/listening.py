"""Socket activation: the sockets that a service manager listens on for a service (sd_listen_fds(3)).

They stay open while the service restarts, so that whoever connects meanwhile waits instead of being refused.
"""

import os
import socket
from collections.abc import MutableMapping, Sequence

from pointq.errors import ConfigError

_FIRST = 3
"""The descriptor of the first of them; the others follow."""

Sockets = Sequence[socket.socket]

_HINT = "expected ListenStream= with an address and a port, or a port alone, in the .socket unit"


def inherited(environ: MutableMapping[str, str]) -> Sockets:
    """Those that this process was started with; none where it is to listen itself.

    Their variables are removed, and no child inherits them unasked. Raises ConfigError where one is no listening TCP socket.
    """
    of_process, count = environ.pop("LISTEN_PID", ""), environ.pop("LISTEN_FDS", "")
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    if of_process != str(os.getpid()) or not count.isdecimal():
        # they were another process's, which left its variables to its children
        return ()
    return [_taken(_FIRST + place, names[place] if place < len(names) else "") for place in range(int(count))]


def _taken(descriptor: int, name: str) -> socket.socket:
    shown = f"descriptor {descriptor} ({name})" if name else f"descriptor {descriptor}"
    try:
        os.set_inheritable(descriptor, False)
        found = socket.socket(fileno=descriptor)
    except OSError as exc:
        raise ConfigError(f"{shown} of the service manager cannot be used: {exc.strerror}", hint=_HINT) from exc
    if found.family not in {socket.AF_INET, socket.AF_INET6} or not _listens(found):
        found.detach()
        raise ConfigError(f"{shown} of the service manager is no listening TCP socket", hint=_HINT)
    return found


def _listens(found: socket.socket) -> bool:
    is_stream = found.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM
    return is_stream and found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1


def shares(sockets: Sockets, processes: int) -> Sequence[Sequence[int]]:
    """Which descriptors each process listens on.

    An address that has as many sockets as there are processes (ReusePort=yes) is shared out, one or more for each; of any
    other, every process takes every socket.
    """
    by_address: dict[object, list[int]] = {}
    for each in sockets:
        by_address.setdefault(each.getsockname(), []).append(each.fileno())
    return [
        [descriptor for own in by_address.values() for descriptor in (own[place::processes] if len(own) >= processes else own)]
        for place in range(processes)
    ]
