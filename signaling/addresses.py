"""Where clients are told to send media, and where the media nodes listen for it.

    --announce 192.0.2.7                  an address of this machine
    --announce 203.0.113.7=10.0.0.5       clients send to the first, NAT maps it to the second, ours
    --announce 203.0.113.7                ... with --announce-external: it is brought here somehow

A node listens on each address of ours by itself: its answers then leave with the address they were asked at,
also where an interface has several. Where it is not known at which address packets arrive, it listens on all.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

ANY: Final = {4: "0.0.0.0", 6: "::"}


@dataclass(frozen=True, slots=True)
class AnnouncedAddress:
    """`public` is what clients are told. `private` is where it arrives, if that was said to be elsewhere."""

    public: IpAddress
    private: IpAddress | None = None

    @property
    def ours(self) -> IpAddress:
        """The one that must be an address of this machine, unless it is external."""
        return self.private or self.public


def parse_announced(text: str) -> AnnouncedAddress:
    """Raises `ValueError` with a sentence for whoever wrote it."""
    public, equals, private = text.partition("=")
    if not equals:
        return AnnouncedAddress(_parse(public))
    announced = AnnouncedAddress(_parse(public), _parse(private))
    if announced.public.version != announced.ours.version:
        raise ValueError(f"{text!r} maps one IP version to the other; NAT does not do that")
    if announced.public == announced.private:
        raise ValueError(f"{text!r} maps an address to itself; the address alone is enough")
    return announced


def parse_all_announced(texts: Iterable[str]) -> tuple[AnnouncedAddress, ...]:
    """Raises `ValueError`, also for an address that is announced twice."""
    announced = tuple(map(parse_announced, texts))
    public = [one.public for one in announced]
    for address in public:
        if public.count(address) > 1:
            raise ValueError(f"{address} is announced twice")
    return announced


def listen_hosts(announced: Sequence[AnnouncedAddress], own: Iterable[IpAddress]) -> tuple[str, ...]:
    """What media nodes listen on."""
    own = list(own)
    if not announced:
        return (ANY[4], ANY[6]) if any(map(_is_reachable_v6, own)) else (ANY[4],)
    unknown = {one.ours.version for one in announced if one.ours not in own}
    hosts = [ANY[one.ours.version] if one.ours.version in unknown else str(one.ours) for one in announced]
    return tuple(dict.fromkeys(hosts))


def reachable(own: Iterable[IpAddress]) -> list[IpAddress]:
    """Of the machine's own addresses those that are announced when nothing is said."""
    return [address for address in own if not (address.is_loopback or address.is_link_local)]


def _is_reachable_v6(address: IpAddress) -> bool:
    return address.version == 6 and bool(reachable([address]))


def _parse(text: str) -> IpAddress:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address") from None
    if address.is_unspecified or address.is_multicast or address == ipaddress.ip_address("255.255.255.255"):
        raise ValueError(f"nobody can send to {address}; name an address of this machine")
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            raise ValueError(f"{address} is an IPv4 address in disguise; write {address.ipv4_mapped}")
        if address.is_link_local:
            raise ValueError(f"{address} means something else on every link; name a global or local address")
    return address
