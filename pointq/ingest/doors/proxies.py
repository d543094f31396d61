"""Whose request it is, where proxies stand between."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

FORWARDED_FOR = "X-Forwarded-For"

_Address = IPv4Address | IPv6Address


class Proxies:
    """The proxies that are believed."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = [ip_network(network) for network in networks]

    def client(self, peer: str | None, forwarded: Iterable[str]) -> str:
        """The address that a request comes from.

        `peer` is who opened the connection, None for a Unix socket; `forwarded` are the values of X-Forwarded-For. Each proxy
        appends whom it heard from, so they are read from the end, as far as those who wrote them are believed: what stands
        before may be anybody's invention.
        """
        address = _address(peer or "")
        if address is None or not self._believes(address):
            return peer or "?"
        for word in reversed([word for value in forwarded for word in value.split(",")]):
            before = _address(word.strip())
            if before is None:
                break
            address = before
            if not self._believes(address):
                break
        return str(address)

    def is_proxy(self, peer: str) -> bool:
        """Whether whoever opened a connection is one of them."""
        address = _address(peer)
        return address is not None and self._believes(address)

    def _believes(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)


@lru_cache(maxsize=8192)  # the same clients again and again
def _address(word: str) -> _Address | None:
    """An address, as proxies write it: some add the port, and then brackets around one of IPv6."""
    host = word[1:].partition("]")[0] if word.startswith("[") else word
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    # a socket of both families calls 10.0.0.1 ::ffff:10.0.0.1
    return getattr(address, "ipv4_mapped", None) or address
