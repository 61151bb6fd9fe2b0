"""Who is at the other end, where there may be reverse proxies between.

`X-Forwarded-For` is what anybody can write. It is believed as far as it was written by proxies that are
configured: from its end on, while the address that it was received from is one of theirs.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from aiohttp import web

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
MAX_HOPS: Final = 16
MAX_REMEMBERED: Final = 4096
"""Addresses of peers that were read lately: most requests come from those."""
_V6_SUBNET: Final = 64
"""Bits of an IPv6 address by which one subscriber is told from another."""
UNKNOWN: Final = "unknown"


def address_of(request: web.Request, trusted: Sequence[IpNetwork]) -> str:
    return client_address(request.remote, request.headers.getall("X-Forwarded-For", ()), trusted)


def client_address(peer: str | None, forwarded: Sequence[str], trusted: Sequence[IpNetwork]) -> str:
    """`forwarded` are the values of `X-Forwarded-For`, in order. An IPv6 client is its /64."""
    address = _parsed_peer(peer or "")
    if address is None:
        return UNKNOWN
    hops = [hop for value in forwarded for hop in value.split(",")][-MAX_HOPS:]
    while hops and any(address in network for network in trusted):
        before = _parsed(hops.pop())
        if before is None:
            break
        address = before
    if address.version == 6:
        return str(ipaddress.ip_network((address, _V6_SUBNET), strict=False))
    return str(address)


def _parsed(text: str) -> IpAddress | None:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if address.version == 6 else None
    return mapped or address


_parsed_peer: Final = lru_cache(maxsize=MAX_REMEMBERED)(_parsed)
"""Not for what is written in a header, which may be anything."""
