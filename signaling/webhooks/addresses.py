"""Where webhooks may be sent: the public internet, and what the operator allows beside it.

An organization chooses the URL, so it could be one that only this server reaches: a service on loopback, a
machine of the private network, a cloud's metadata. A name is therefore looked up here, every address that it
has must be permitted, and the connection goes to one of those and to nothing else: nobody can answer one
thing to the check and another to the connection. Redirects are not followed.

Refused are the ranges that IANA registers for special purposes, of IPv6 everything but global unicast. An
IPv4 address within an IPv6 one (mapped, NAT64) counts as itself; tunnels (6to4, Teredo) are refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from signaling.domain.webhook import MAX_URL
from signaling.errors import ValidationFailedError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
Lookup = Callable[[str, int, int], Sequence[tuple[Any, ...]]]
"""Host, port and family (0: any) to what `socket.getaddrinfo` gives."""

MAX_LOOKUPS: Final = 256
"""Names that are looked up at the same time, those included of which the answer is not awaited any more."""

_SPECIAL: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carrier-grade NAT; a metadata service
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # a cloud's host agent, at an address that looks public
            "169.254.0.0/16",  # link-local; metadata services
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved; broadcast
            "2001::/23",  # protocol assignments; Teredo
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class AddressRefusedError(OSError):
    """Nothing is sent there."""


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """`allowed` are networks that are permitted whatever they are; with `http`, so is http beside https."""

    allowed: tuple[IpNetwork, ...] = ()
    http: bool = False

    def permits(self, address: IpAddress) -> bool:
        meant = _meant(address)
        if any(one.version == meant.version and meant in one for one in self.allowed):
            return True
        if isinstance(meant, ipaddress.IPv6Address) and meant not in _GLOBAL_UNICAST:
            return False
        return not any(one.version == meant.version and meant in one for one in _SPECIAL)

    def check_address(self, text: str) -> None:
        """Raises `AddressRefusedError`."""
        address = ipaddress.ip_address(text)
        if not self.permits(address):
            raise AddressRefusedError(f"{address} is not a public address")

    def check(self, text: str, *, field: str = "url") -> None:
        """Raises `ValidationFailedError` for a URL that nothing would be sent to. What its name stands for is
        looked at when something is sent."""
        try:
            self.parse(text)
        except (ValueError, AddressRefusedError) as error:
            raise ValidationFailedError(f"Nothing can be sent to this URL: {error}.", field=field) from None

    def parse(self, text: str) -> URL:
        """Raises `ValueError`, and `AddressRefusedError` for an address in it."""
        if len(text) > MAX_URL:
            raise ValueError(f"it is longer than {MAX_URL} characters")
        if not text.isprintable() or any(character.isspace() or character == "\\" for character in text):
            raise ValueError("it has characters in it that a URL may not have")
        try:
            url = URL(text)
            host, port = url.host, url.port
        except ValueError:
            raise ValueError("it is not a URL") from None
        schemes = ("https", "http") if self.http else ("https",)
        if url.scheme not in schemes:
            raise ValueError(f"it has to begin with {' or '.join(f'{one}://' for one in schemes)}")
        if not host or not port:
            raise ValueError("it names no host")
        if url.user is not None or url.password is not None:
            raise ValueError("it has credentials in it; webhooks are verified by their signature instead")
        if url.raw_fragment:
            raise ValueError("it has a fragment (#) in it")
        literal = _literal(host)
        if literal is None and _is_number(host.rstrip(".").rpartition(".")[2]):
            raise ValueError("it writes an address in an unusual way")
        if literal is not None and not self.permits(literal):
            raise AddressRefusedError(f"{literal} is not a public address")
        return url


class CheckedResolver(AbstractResolver):
    """For aiohttp's connector: names to addresses that are all permitted, or an error.

    Each look-up has a thread of its own: what waits for a name server keeps no other waiting.
    """

    def __init__(self, policy: AddressPolicy, lookup: Lookup | None = None) -> None:
        self._policy = policy
        self._lookup = lookup or _getaddrinfo
        self._going_on = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._looked_up(host, port, family)
        for _family, _kind, _protocol, _name, address in found:
            self._policy.check_address(address[0])
        return [
            ResolveResult(
                hostname=host, host=address[0], port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
            )
            for family, _kind, _protocol, _name, address in found
        ]

    async def close(self) -> None:
        """Nothing is kept."""

    async def _looked_up(self, host: str, port: int, family: int) -> Sequence[tuple[Any, ...]]:
        if self._going_on >= MAX_LOOKUPS:
            raise OSError("too many names are being looked up")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[tuple[Any, ...]]] = loop.create_future()

        def done(found: Sequence[tuple[Any, ...]] | None, error: Exception | None) -> None:
            self._going_on -= 1
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(found or ())

        def work() -> None:
            found, failed = None, None
            try:
                found = self._lookup(host, port, family)
            except Exception as error:
                failed = error if isinstance(error, OSError) else OSError(f"{host!r} is not a name: {error}")
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(done, found, failed)

        self._going_on += 1
        threading.Thread(target=work, name=f"look up {host}", daemon=True).start()
        return await answer


def _getaddrinfo(host: str, port: int, family: int) -> Sequence[tuple[Any, ...]]:
    return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)


def _literal(host: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_number(label: str) -> bool:
    """As the last label of a name it makes that an IPv4 address, for some, in whatever spelling."""
    return label.isdigit() or label[:2].lower() == "0x"


def _meant(address: IpAddress) -> IpAddress:
    """Where packets to it go."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return ipaddress.IPv6Address(int(address))  # without a zone: it would be in no network
