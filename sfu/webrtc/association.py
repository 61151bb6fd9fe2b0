"""One client's ICE, DTLS and SRTP on this node, from its first STUN check to its last packet.

    datagram --> handle_other --> STUN --> IceLiteAgent --> response, selected path
                              \\-> DTLS --> DtlsEndpoint --> keys --> InboundSrtp, OutboundSrtp
                                                         \\-> application data (SCTP) --> listener
    datagrams -> rtp_in / rtcp_in -> handle_batch -> listener (only once there are keys)

An address is attached to the port only after a check from it carried the right credentials, and DTLS is only
taken from such an address (the ClientHello race). Media before the fingerprint was verified is counted and
thrown away. The last pair nominated with USE-CANDIDATE is the selected one.

A NAT, and any system, deals an address out again. So who has left (said farewell, or sends no checks) loses
it to the next client that proves itself with a check from there; from who is here nobody can take it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sfu.webrtc.certificate import Certificate
from sfu.webrtc.dtls import DtlsEndpoint, DtlsRole, DtlsState
from sfu.webrtc.ice import IceLiteAgent
from sfu.webrtc.intake import MEDIA_PACKETS, Intake
from sfu.webrtc.sieve import Share
from sfu.webrtc.srtp import InboundSrtp, OutboundSrtp
from sfu.webrtc.udp import Address, Path, Receiver

MAX_PATHS = 16
LEFT_AFTER = 10.0
"""Seconds without a check, of which clients send one every five (RFC 7675 section 5.1) or more often."""
MAX_BATCH = 1024
"""Packets kept for one turn of the loop; a flood beyond it is dropped before any work is done on it."""


class AssociationListener(Protocol):
    def handle_connected(self, now: float) -> None:
        """DTLS is done and verified; `inbound` and `outbound` are there."""
        ...

    def handle_path(self, path: Path) -> None:
        """Another address pair was nominated."""
        ...

    def handle_consent(self, fresh: bool, now: float) -> None:  # noqa: FBT001
        """Connectivity checks stopped coming (False) or came back (True)."""
        ...

    def handle_failed(self, reason: str) -> None:
        """The handshake cannot succeed, or the client closed the association."""
        ...

    def handle_rtp(self, packets: list[bytes], now: float, came: Sequence[float]) -> None:
        """`came`: when each of them did, as far as that is known."""
        ...

    def handle_rtcp(self, packets: list[bytes], now: float) -> None: ...

    def is_voice(self, data: bytes) -> bool:
        """Whether an RTP packet, not opened yet, says that it is audio."""
        ...

    def handle_unread(self, now: float) -> None:
        """Some of what the client sent had waited for too long and was dropped unopened."""
        ...

    def handle_data(self, packets: list[bytes], now: float) -> None:
        """Application data of the verified client: SCTP packets."""
        ...


class Ports(Protocol):
    """Where an association registers its addresses."""

    def attach(self, path: Path, receiver: Receiver) -> None: ...

    def detach(self, path: Path, receiver: Receiver) -> None: ...

    def thin(self, path: Path, share: float) -> None:
        """Read only that share of what comes from there: see `sfu.webrtc.sieve`."""
        ...

    def hand_on(self, data: bytes, path: Path, holder: Receiver, now: float) -> bool:
        """A STUN check from an address of one that has left. Whether it was another association's."""
        ...

    @property
    def queued_at(self) -> float:
        """When anything was read last that had waited for long."""
        ...


class _Nowhere:
    """The path of one whose only address is somebody else's now."""

    address: Address = ()
    reliable = False

    def send(self, data: bytes) -> None:
        """As a network does with what it cannot deliver."""


class Association:
    """Transport-level state of one client. The owner calls `tick` about 20 times a second."""

    def __init__(
        self,
        *,
        ports: Ports,
        certificate: Certificate,
        local_ufrag: str,
        local_pwd: str,
        listener: AssociationListener,
        consent_timeout: float,
        now: float,
    ) -> None:
        self.rtp_in: list[bytes] = []
        self.came_in: list[float] = []
        self.rtcp_in: list[bytes] = []
        self.ice = IceLiteAgent(local_ufrag, local_pwd)
        self.dtls = DtlsEndpoint(certificate, DtlsRole.SERVER, None)
        self.inbound: InboundSrtp | None = None
        self.outbound: OutboundSrtp | None = None
        self.path: Path | None = None
        self.dropped = 0
        self.intake = Intake(now)
        self._share = Share(MEDIA_PACKETS, now)
        self.consented = False
        self._ports = ports
        self._listener = listener
        self._paths: dict[Address, Path] = {}
        self._consent_timeout = consent_timeout
        self._last_check = now
        self._dtls_due: float | None = None
        self._closed = False

    # --- what the port calls -------------------------------------------------------------------------

    def handle_other(self, data: bytes, path: Path, now: float) -> None:
        if self._closed:
            return
        first = data[0]
        if first < 4:
            if not (self._has_left(now) and self._ports.hand_on(data, path, self, now)):
                self.handle_stun(data, path, now)
        elif 20 <= first < 64 and path.address in self._paths:
            if self.intake.admit_dtls(now):
                self._handle_dtls(data, now)
        else:
            self.dropped += 1

    def handle_stun(self, data: bytes, path: Path, now: float) -> None:
        """A binding request, possibly from an address not seen before."""
        if not self.intake.admit_check(now, known=path.address in self._paths):
            return
        # A TCP path's address begins with "tcp", to differ from the same address over UDP.
        result = self.ice.handle_request(data, path.address[1:] if path.reliable else path.address, now)
        if result.response is not None:
            path.send(result.response)
        if not result.valid:
            self.dropped += 1
            return
        self._last_check = now
        if path.address not in self._paths:
            self._remember(path)
        if result.nominated or self.path is None:
            self._select(self._paths[path.address])
        if not self.consented:
            self.consented = True
            self._listener.handle_consent(True, now)

    def handle_batch(self, now: float) -> None:
        rtp, rtcp, came = self.rtp_in, self.rtcp_in, self.came_in
        self.rtp_in, self.rtcp_in, self.came_in = [], [], []
        if self.inbound is None:
            self.dropped += len(rtp) + len(rtcp)
            return
        self.intake.admit_media(rtp, rtcp, now)
        if rtp:
            if len(rtp) > MAX_BATCH:
                self.dropped += len(rtp) - MAX_BATCH
                del rtp[MAX_BATCH:]
            self._listener.handle_rtp(rtp, now, came)
        if rtcp:
            self._listener.handle_rtcp(rtcp[:MAX_BATCH], now)

    def is_voice(self, data: bytes) -> bool:
        return self._listener.is_voice(data)

    def handle_late(self, packets: int, now: float) -> None:
        self.intake.charge(packets, now)
        self._listener.handle_unread(now)

    # --- what the transport calls --------------------------------------------------------------------

    def set_remote(self, ufrag: str, pwd: str, fingerprints: tuple[tuple[str, str], ...]) -> None:
        """The client's half of the SDP: credentials and certificate fingerprints."""
        self.ice.set_remote(ufrag, pwd)
        self.dtls.set_expected_fingerprints(list(fingerprints))
        self._after_dtls(self._last_check)

    def send_rtcp(self, data: bytes) -> None:
        """Seal and send one (compound) RTCP packet; nothing happens before the association is connected."""
        if self.outbound is not None and self.path is not None:
            self.path.send(self.outbound.seal_rtcp(data))

    def send_data(self, packet: bytes) -> None:
        """Send one SCTP packet over DTLS (RFC 8261); nothing happens before the client is verified."""
        self.dtls.send(packet)
        self._send_datagrams()

    def tick(self, now: float) -> None:
        if self._dtls_due is not None and now >= self._dtls_due:
            self.dtls.handle_timeout()
            self._flush_dtls(now)
            self._after_dtls(now)
        if self.intake.dropped and self._share.poll(self.intake.dropped, now, self._ports.queued_at):
            for path in self._paths.values():
                self._ports.thin(path, self._share.value)
        if self.consented and now > self.consent_until:
            self.consented = False
            self._listener.handle_consent(False, now)

    @property
    def handshaking(self) -> bool:
        return self.dtls.state in (DtlsState.NEW, DtlsState.HANDSHAKING)

    @property
    def last_check(self) -> float:
        return self._last_check

    @property
    def consent_until(self) -> float:
        """When it ends if no check comes."""
        return self._last_check + self._consent_timeout

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self.dtls.close()
        self._send_datagrams()
        for path in self._paths.values():
            self._ports.detach(path, self)
        self._paths.clear()
        self.inbound = None
        self.outbound = None

    # --- inside --------------------------------------------------------------------------------------

    def _remember(self, path: Path) -> None:
        while len(self._paths) >= MAX_PATHS:
            oldest = next(address for address, known in self._paths.items() if known is not self.path)
            self._ports.detach(self._paths.pop(oldest), self)
        self._paths[path.address] = path
        self._ports.attach(path, self)
        if self._share.value < 1.0:
            self._ports.thin(path, self._share.value)

    def _select(self, path: Path) -> None:
        if path is not self.path:
            self.path = path
            self._listener.handle_path(path)

    def handle_path_lost(self, path: Path) -> None:
        """A TCP connection ended. The association lives on if the client comes back on another path."""
        if self._paths.get(path.address) is path:
            self._forget(path)

    def handle_address_taken(self, address: Address) -> None:
        """Another client has proved that it is there now."""
        known = self._paths.get(address)
        if known is not None:
            self._forget(known)
            if self.path is None:
                self._listener.handle_path(_Nowhere())

    def _forget(self, path: Path) -> None:
        del self._paths[path.address]
        self._ports.detach(path, self)
        if self.path is path:
            self.path = None
            for other in reversed(self._paths.values()):
                self._select(other)
                break

    def _has_left(self, now: float) -> bool:
        return self.dtls.state in (DtlsState.CLOSED, DtlsState.FAILED) or now > self._last_check + LEFT_AFTER

    def _handle_dtls(self, data: bytes, now: float) -> None:
        self.dtls.handle_datagram(data)
        self._flush_dtls(now)
        self._after_dtls(now)
        received = self.dtls.poll_received()
        if received and not self._closed:
            self._listener.handle_data(received, now)

    def _send_datagrams(self) -> None:
        if self.path is not None:
            for datagram in self.dtls.poll_datagrams():
                self.path.send(datagram)

    def _flush_dtls(self, now: float) -> None:
        self._send_datagrams()
        timeout = self.dtls.next_timeout()
        self._dtls_due = None if timeout is None else now + timeout

    def _after_dtls(self, now: float) -> None:
        state = self.dtls.state
        if state is DtlsState.CONNECTED and self.inbound is None and not self._closed:
            keys = self.dtls.keys
            if keys is None:
                return
            self.inbound = InboundSrtp(keys.profile, keys.client_key, keys.client_salt)
            self.outbound = OutboundSrtp(keys.profile, keys.server_key, keys.server_salt)
            self._listener.handle_connected(now)
        elif state in (DtlsState.FAILED, DtlsState.CLOSED) and not self._closed:
            self._listener.handle_failed(str(self.dtls.error or "the client closed the association"))
