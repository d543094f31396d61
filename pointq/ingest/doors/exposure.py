"""Whether a server would stand open to strangers."""

import ipaddress
import socket
from collections.abc import Sequence

from pointq.ingest.doors.plan import DoorPlan

_GROUPS = ("tracking", "scoring", "import", "status")


def open_doors(plan: DoorPlan) -> Sequence[str]:
    """The groups of routes whose doors stand open to everybody."""
    modes = (plan.tracking, plan.scoring, plan.files, plan.status)
    return [group for group, mode in zip(_GROUPS, modes, strict=True) if mode == "none"]


def beyond_loopback(host: str) -> bool:
    """Whether others than this machine reach what listens there.

    A name that cannot be resolved here counts as reached: whoever listens may understand it, as uvloop takes ``*`` for all.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):  # the latter of what is no name at all
        return True
    return not all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)
