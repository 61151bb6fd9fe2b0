"""The ports of a node: one UDP and one TCP number for all clients, and who each datagram belongs to."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

import ifaddr

from sfu.config import NodeConfig
from sfu.histogram import Histogram
from sfu.webrtc.association import Association
from sfu.webrtc.candidate import Candidate, host_candidates
from sfu.webrtc.ice import username_fragment
from sfu.webrtc.tcp import TcpPath, TcpPort
from sfu.webrtc.udp import DELAY_BOUNDS, Path, Receiver, SocketCalls, UdpPath, UdpPort, no_socket

FREE_PORT_ATTEMPTS = 20
_WILDCARDS = frozenset({"", "0.0.0.0", "::"})


class NodePorts:
    """Demultiplexes by remote address, and strangers by the username fragment of their STUN check."""

    def __init__(self, config: NodeConfig) -> None:
        self.associations: dict[str, Association] = {}
        self.candidates: tuple[Candidate, ...] = ()
        self.dropped = 0
        self._config = config
        self._udp: list[UdpPort] = []
        self._tcp = TcpPort(self)

    async def start(self) -> None:
        config = self._config
        attempts = 1 if config.udp_port else FREE_PORT_ATTEMPTS
        while not self._udp:
            attempts -= 1
            await self._bind(attempts)
        addresses = config.announce or local_addresses(config.hosts)
        self.candidates = tuple(host_candidates(addresses, self.number, tcp=config.tcp))

    async def _bind(self, attempts_left: int) -> None:
        """Bind one number for UDP on every host, then for TCP. One picked freely may be taken for one of
        them: try another."""
        config = self._config
        bound: list[UdpPort] = []
        number = config.udp_port
        try:
            for host in config.hosts:
                bound.append(UdpPort.bind(host, number, self, config.late_after))
                number = bound[0].number
            if config.tcp:
                await self._tcp.listen(config.hosts, number)
        except OSError:
            for port in bound:
                port.close()
            if attempts_left == 0 or not bound:
                raise
            return
        self._udp = bound

    @property
    def number(self) -> int:
        return self._udp[0].number

    @property
    def gro(self) -> bool:
        return bool(self._udp) and self._udp[0].gro

    def socket_calls(self, path: Path) -> SocketCalls:
        if isinstance(path, UdpPath):
            return path.port.socket.sendto, path.port.socket.sendmsg
        return None, no_socket

    def local_of(self, path: Path) -> tuple[str, int]:
        """Address and port of ours that a path leads from. Of a socket that is bound to all addresses, the
        one that is announced first."""
        name: tuple[Any, ...] = ("", 0)
        if isinstance(path, UdpPath):
            name = path.port.socket.getsockname()
        elif isinstance(path, TcpPath):
            name = path.local
        host, port = str(name[0]), int(name[1])
        if host in _WILDCARDS:
            version = 6 if ":" in str(path.address[0]) else 4
            ours = (one.host for one in self.candidates if ipaddress.ip_address(one.host).version == version)
            host = next(ours, host)
        return host, port

    # --- sfu.webrtc.association.Ports ----------------------------------------------------------------

    def attach(self, path: Path, receiver: Receiver) -> None:
        if isinstance(path, TcpPath):
            path.receiver = receiver
        elif isinstance(path, UdpPath):
            former = path.port.receivers.get(path.address)
            if isinstance(former, Association) and former is not receiver:
                former.handle_address_taken(path.address)
            path.port.attach(path.address, receiver)

    def detach(self, path: Path, receiver: Receiver) -> None:
        if isinstance(path, TcpPath):
            path.receiver = None
            path.close()
        elif isinstance(path, UdpPath):
            path.port.detach(path.address, receiver)

    def thin(self, path: Path, share: float) -> None:
        if isinstance(path, UdpPath):
            path.port.sieve.thin(path.address, share)

    def hand_on(self, data: bytes, path: Path, holder: Receiver, now: float) -> bool:
        association = self._named_in(data)
        if association is None or association is holder:
            return False
        association.handle_stun(data, path, now)
        return True

    @property
    def queued_at(self) -> float:
        """See `UdpPort.queued_at`."""
        return max(port.queued_at for port in self._udp)

    # --- sfu.webrtc.udp.PortListener, sfu.webrtc.tcp.TcpListener -------------------------------------------

    def handle_stranger(self, data: bytes, path: Path, now: float) -> None:
        """From an unknown address only a STUN check that names one of our associations is looked at."""
        if len(data) < 20 or data[0] > 3:
            self.dropped += 1
            return
        association = self._named_in(data)
        if association is None:
            self.dropped += 1
            return
        association.handle_stun(data, path, now)

    def _named_in(self, data: bytes) -> Association | None:
        """Whose username fragment a STUN check has."""
        ufrag = username_fragment(data)
        return None if ufrag is None else self.associations.get(ufrag)

    def handle_path_lost(self, path: TcpPath) -> None:
        receiver = path.receiver
        if isinstance(receiver, Association):
            receiver.handle_path_lost(path)

    @property
    def late_at(self) -> float:
        """See `UdpPort.late_at`."""
        return max(port.late_at for port in self._udp)

    def delays(self) -> Histogram:
        """See `UdpPort.delays`."""
        return Histogram(DELAY_BOUNDS).add(port.delays for port in self._udp)

    def counters(self) -> dict[str, float]:
        udp, tcp = self._udp, self._tcp
        return {
            "datagrams_received": sum(port.datagrams_received for port in udp),
            "bytes_received": sum(port.bytes_received for port in udp),
            "strangers": sum(port.strangers for port in udp),
            "strangers_dropped": self.dropped,
            "socket_dropped": sum(port.sieve.dropped for port in udp),
            "send_blocked": sum(port.send_blocked for port in udp),
            "send_errors": sum(port.send_errors for port in udp),
            "media_late": sum(port.late for port in udp),
            "feedback_late": sum(port.late_feedback for port in udp),
            "reading_seconds": sum(port.seconds_reading for port in udp),
            "media_seconds": sum(port.seconds_media for port in udp),
            "feedback_seconds": sum(port.seconds_feedback for port in udp),
            "batch_failures": sum(port.failures for port in udp),
            "tcp_connections": tcp.connections,
            "tcp_refused": tcp.refused,
            "tcp_malformed": tcp.malformed,
            "tcp_dropped": tcp.dropped,
        }

    async def close(self) -> None:
        await self._tcp.close()
        for port in self._udp:
            port.close()


def local_addresses(hosts: Sequence[str]) -> tuple[str, ...]:
    """The addresses that `hosts` can be reached at: those of the interfaces for a wildcard of their family,
    loopback only if there are none."""
    bound = [ipaddress.ip_address(host) for host in hosts]
    found = [str(address) for address in bound if not address.is_unspecified]
    wild = {address.version for address in bound if address.is_unspecified}
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            address = ipaddress.ip_address(text)
            if address.is_loopback or address.is_link_local:
                continue
            if address.version in wild:
                found.append(text)
    return tuple(dict.fromkeys(found)) or ("127.0.0.1" if 4 in wild else "::1",)
