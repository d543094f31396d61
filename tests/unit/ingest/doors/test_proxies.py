"""Whose request it is, and who could reach a server."""

import pytest

from pointq.ingest.doors.exposure import beyond_loopback, open_doors
from pointq.ingest.doors.plan import DoorPlan
from pointq.ingest.doors.proxies import Proxies

PROXIES = Proxies(["127.0.0.1", "10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["6.6.6.6"], "203.0.113.9"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["6.6.6.6, 203.0.113.9, 10.1.1.1"], "203.0.113.9"),
        ("127.0.0.1", ["6.6.6.6", "203.0.113.9,10.1.1.1"], "203.0.113.9"),
        ("127.0.0.1", ["10.9.9.9"], "10.9.9.9"),
        ("127.0.0.1", ["6.6.6.6, nonsense, 10.1.1.1"], "10.1.1.1"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("fd00::1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["2001:db8::7"], "2001:db8::7"),
        (None, ["6.6.6.6"], "?"),
    ],
)
def test_forwarded_addresses_are_believed_from_the_end_as_far_as_proxies_are(
    peer: str | None, forwarded: list[str], client: str
) -> None:
    assert PROXIES.client(peer, forwarded) == client


@pytest.mark.parametrize(
    ("host", "beyond"),
    [
        ("127.0.0.1", False),
        ("127.1.2.3", False),
        ("::1", False),
        ("localhost", False),
        ("0.0.0.0", True),  # noqa: S104
        ("::", True),
        ("192.0.2.1", True),
        ("0", True),
        ("127.1", False),
        ("0x7f.1", False),
        ("::ffff:192.0.2.1", True),
        ("fe80::1%1", True),
        # what the resolver does not know whoever listens may: uvloop takes * for every address
        ("*", True),
        ("", True),
        ("host.invalid", True),
        ("host..invalid", True),
    ],
)
def test_who_reaches_an_address(host: str, beyond: bool) -> None:  # noqa: FBT001
    assert beyond_loopback(host) is beyond


def test_which_doors_stand_open() -> None:
    assert open_doors(DoorPlan()) == ["tracking", "scoring", "import", "status"]
    assert open_doors(DoorPlan("token", "token", "token")) == ["status"]
