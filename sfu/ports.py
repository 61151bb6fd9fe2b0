"""The ports of a node: one UDP and one TCP number for all clients, and who each datagram belongs to."""

from __future__ import annotations

import ipaddress

import ifaddr

from sfu.config import NodeConfig
from sfu.webrtc.association import Association
from sfu.webrtc.candidate import Candidate, host_candidates
from sfu.webrtc.ice import username_fragment
from sfu.webrtc.tcp import TcpPath, TcpPort
from sfu.webrtc.udp import Path, Receiver, SocketCalls, UdpPort, no_socket

FREE_PORT_ATTEMPTS = 20


class NodePorts:
    """Demultiplexes by remote address, and strangers by the username fragment of their STUN check."""

    def __init__(self, config: NodeConfig) -> None:
        self.associations: dict[str, Association] = {}
        self.candidates: tuple[Candidate, ...] = ()
        self.dropped = 0
        self._config = config
        self._udp: UdpPort | None = None
        self._tcp: TcpPort | None = None

    async def start(self) -> None:
        config = self._config
        attempts = 1 if config.udp_port else FREE_PORT_ATTEMPTS
        while self._udp is None:
            attempts -= 1
            await self._bind(attempts)
        addresses = config.announce or local_addresses(config.host)
        self.candidates = tuple(host_candidates(addresses, self._udp.number, tcp=config.tcp))

    async def _bind(self, attempts_left: int) -> None:
        """Bind UDP, then TCP on the same number. A number picked freely may be taken for TCP: try another."""
        config = self._config
        udp = UdpPort.bind(config.host, config.udp_port, self)
        if config.tcp:
            tcp = TcpPort(self)
            try:
                await tcp.listen(config.host, udp.number)
            except OSError:
                udp.close()
                if attempts_left == 0:
                    raise
                return
            self._tcp = tcp
        self._udp = udp

    @property
    def number(self) -> int:
        assert self._udp is not None
        return self._udp.number

    @property
    def gro(self) -> bool:
        return self._udp is not None and self._udp.gro

    def socket_calls(self, path: Path) -> SocketCalls:
        if path.reliable or self._udp is None:
            return None, no_socket
        return self._udp.socket.sendto, self._udp.socket.sendmsg

    # --- sfu.webrtc.association.Ports ----------------------------------------------------------------

    def attach(self, path: Path, receiver: Receiver) -> None:
        if isinstance(path, TcpPath):
            path.receiver = receiver
        elif self._udp is not None:
            self._udp.attach(path.address, receiver)

    def detach(self, path: Path, receiver: Receiver) -> None:
        if isinstance(path, TcpPath):
            path.receiver = None
            path.close()
        elif self._udp is not None:
            self._udp.detach(path.address, receiver)

    # --- sfu.webrtc.udp.PortListener, sfu.webrtc.tcp.TcpListener -------------------------------------------

    def handle_stranger(self, data: bytes, path: Path, now: float) -> None:
        """From an unknown address only a STUN check that names one of our associations is looked at."""
        if len(data) < 20 or data[0] > 3:
            self.dropped += 1
            return
        ufrag = username_fragment(data)
        association = self.associations.get(ufrag) if ufrag is not None else None
        if association is None:
            self.dropped += 1
            return
        association.handle_stun(data, path, now)

    def handle_path_lost(self, path: TcpPath) -> None:
        receiver = path.receiver
        if isinstance(receiver, Association):
            receiver.handle_path_lost(path)

    def counters(self) -> dict[str, float]:
        udp, tcp = self._udp, self._tcp
        return {
            "datagrams_received": udp.datagrams_received if udp else 0,
            "bytes_received": udp.bytes_received if udp else 0,
            "strangers": udp.strangers if udp else 0,
            "strangers_dropped": self.dropped,
            "send_blocked": udp.send_blocked if udp else 0,
            "send_errors": udp.send_errors if udp else 0,
            "batch_failures": udp.failures if udp else 0,
            "tcp_connections": tcp.connections if tcp else 0,
        }

    async def close(self) -> None:
        if self._tcp is not None:
            await self._tcp.close()
        if self._udp is not None:
            self._udp.close()


def local_addresses(host: str) -> tuple[str, ...]:
    """The addresses a wildcard bind can be reached at: interfaces, loopback only if there are none."""
    bound = ipaddress.ip_address(host)
    if not bound.is_unspecified:
        return (host,)
    found: list[str] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            address = ipaddress.ip_address(text)
            if address.is_loopback or address.is_link_local:
                continue
            if address.version == 4 or bound.version == 6:
                found.append(text)
    return tuple(found) or ("127.0.0.1",)
