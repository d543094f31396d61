"""Whose address it is: of IPv6 everybody has 2^64, so they count together."""

from functools import lru_cache
from ipaddress import IPv4Address, ip_address

_HOST_BITS = 64
"""What one customer gets at least (RFC 6177)."""


@lru_cache(maxsize=8192)
def counted_as(address: str) -> str:
    """What an address counts as: itself for IPv4, its /64 for IPv6; what is no address, such as "?", as it is."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{type(found)(int(found) >> _HOST_BITS << _HOST_BITS)}/{_HOST_BITS}"
