"""Open files: each connection is one, and most systems allow 1,024 until they are asked for more."""

import logging
import sys

log = logging.getLogger("pointq.ingest")

_OTHERS = 256
"""For Redis, the database, the spool and files that are read."""


def room_for(connections: int) -> int:
    """Ask the system for room for so many connections; how many there is room for."""
    if sys.platform == "win32":
        return connections
    import resource  # noqa: PLC0415 - not everywhere

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHERS
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    except (OSError, ValueError):
        # macOS, and Linux where fs.nr_open is less than the hard limit
        allowed = soft
    if allowed == wanted:
        return connections
    room = max(allowed - _OTHERS, allowed // 2)
    log.warning("limits.max_connections is %d, and the system allows %d open files: %d are taken", connections, allowed, room)
    return room
