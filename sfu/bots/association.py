"""A bot's side of one association with a server: ICE controlling, DTLS client, SRTP, over one channel.

    connect(description) --> channel --> checks until one is answered --> DTLS --> keys --> connected

The server is ICE-lite, so the first address that answers is the one. What is neither STUN nor DTLS goes to
`on_media` as trains (see `sfu.bots.channel`).
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sfu.bots.channel import Channel, TcpChannel, TrainHandler, UdpChannel
from sfu.bots.description import Candidate, LocalIce, RemoteDescription
from sfu.bots.signalling import BotError
from sfu.webrtc.certificate import Certificate
from sfu.webrtc.dtls import DtlsEndpoint, DtlsRole, DtlsState
from sfu.webrtc.ice import IceController, IceCredentials
from sfu.webrtc.srtp import InboundSrtp, OutboundSrtp
from sfu.webrtc.srtp_profile import SrtpProfile
from sfu.webrtc.stun import BINDING_REQUEST

TICK = 0.05
BINDING_REQUEST_BYTES = BINDING_REQUEST.to_bytes(2, "big")
CONNECT_TIMEOUT = 15.0

Route = Callable[[str, int], tuple[str, int]]
"""Gives the address to send to instead of a candidate's, for a relay in between."""


@dataclass(frozen=True, slots=True)
class AssociationOptions:
    """How a bot connects. `profiles` are what it offers in DTLS; `tcp` takes the passive TCP candidate."""

    certificate: Certificate
    profiles: tuple[SrtpProfile, ...] = tuple(SrtpProfile)
    tcp: bool = False
    route: Route | None = None
    batching: bool = True


class ClientAssociation:
    """One connection to a server. `connected` is set once the keys are there, or `failed` says why not."""

    def __init__(self, options: AssociationOptions) -> None:
        self.inbound: InboundSrtp | None = None
        self.outbound: OutboundSrtp | None = None
        self.on_media: TrainHandler = _ignore
        self.connected = asyncio.Event()
        self.failed: str | None = None
        self.connect_seconds: float | None = None
        """From the first datagram to the keys."""
        self._options = options
        self._local = _new_credentials()
        self._ice: IceController | None = None
        self._dtls: DtlsEndpoint | None = None
        self._dtls_due: float | None = None
        self._channel: Channel | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._candidate: Candidate | None = None
        self._started = 0.0
        self._checks = 0
        """Sent so far."""

    @property
    def local(self) -> LocalIce:
        return LocalIce(self._local.ufrag, self._local.pwd, self._options.certificate.fingerprint)

    @property
    def is_open(self) -> bool:
        """Whether there is a channel, be it connected or not."""
        return self._channel is not None

    @property
    def channel(self) -> Channel:
        assert self._channel is not None, "not connected"
        return self._channel

    @property
    def has_consent(self) -> bool:
        return self._ice is not None and self._ice.has_consent(time.monotonic())

    def renew_credentials(self) -> None:
        """Begin an ICE restart: the next description carries new credentials."""
        self._local = _new_credentials()

    def follow_restart(self, remote: RemoteDescription) -> None:
        """Renew our credentials if the server's offer has new ones, as an answer to a restart must."""
        if self._ice is not None and self._ice.remote.ufrag != remote.ufrag:
            self.renew_credentials()

    async def connect(self, remote: RemoteDescription, *, controlling: bool = True) -> None:
        """Connect to what a description announces, or go over to its credentials if they are new.

        Who offers controls, unless it is lite (RFC 8445 section 6.1.1). Waits for the keys. Raises `BotError`
        when there is no way to the server.
        """
        ice = IceController(self._local, IceCredentials(remote.ufrag, remote.pwd), controlling=controlling)
        if self._ice is not None and (self._ice.remote, self._ice.local) == (ice.remote, ice.local):
            return
        first = self._dtls is None
        self._ice = ice
        if self._channel is None:
            await self._open_channel(remote)
        if self._dtls is None:
            self._dtls = DtlsEndpoint(
                self._options.certificate,
                DtlsRole.CLIENT,
                list(remote.fingerprints),
                profiles=self._options.profiles,
            )
            self._started = time.monotonic()
        self._tick()
        if first:
            await self._wait_connected()

    async def move(self) -> None:
        """Go on from another local port, as after a change of network."""
        assert self._candidate is not None, "not connected"
        self.channel.close()
        await self._open_to(self._candidate)
        self._send_check(time.monotonic())

    def check(self) -> None:
        """Send a connectivity check now, for a server that was not ready for the last one."""
        self._send_check(time.monotonic())

    def send_burst(self, datagrams: Sequence[bytes]) -> None:
        """Send sealed packets; nothing happens before there is a channel."""
        if self._channel is not None:
            self._channel.send_burst(datagrams)

    def send_rtcp(self, packet: bytes) -> None:
        if self._channel is not None and self.outbound is not None:
            self._channel.send(self.outbound.seal_rtcp(packet))

    def silence(self) -> None:
        """Send nothing any more, not even a farewell at `close`."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def close(self) -> None:
        """End the association (close_notify) and free its socket. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._dtls is not None and self._channel is not None:
            self._dtls.close()
            for datagram in self._dtls.poll_datagrams():
                self._channel.send(datagram)
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        self.inbound = self.outbound = None

    # --- inside --------------------------------------------------------------------------------------

    async def _open_channel(self, remote: RemoteDescription) -> None:
        wanted = "tcp" if self._options.tcp else "udp"
        usable = [one for one in remote.candidates if one.transport == wanted]
        if not usable:
            raise BotError(f"the server announces no {wanted} candidate")
        await self._open_to(usable[0])

    async def _open_to(self, candidate: Candidate) -> None:
        self._candidate = candidate
        address, port = candidate.address, candidate.port
        if self._options.route is not None:
            address, port = self._options.route(address, port)
        try:
            if candidate.transport == "tcp":
                self._channel = await TcpChannel.connect(address, port, self._handle_train)
            else:
                batching = self._options.batching
                self._channel = UdpChannel(address, port, self._handle_train, batching=batching)
        except OSError as error:
            raise BotError(f"cannot reach {address} port {port}: {error}") from error

    async def _wait_connected(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self.connected.wait()
        except TimeoutError:
            raise BotError(f"not connected after {CONNECT_TIMEOUT:.0f} s: {self._stage()}") from None
        if self.failed is not None:
            raise BotError(self.failed)

    def _stage(self) -> str:
        """How far it got, for whoever has to find out why not farther."""
        if self._ice is not None and self._ice.is_valid:
            return "the DTLS handshake did not end"
        refused = 0 if self._ice is None else self._ice.rejected
        to = "" if self._candidate is None else f" to {self._candidate.address} port {self._candidate.port}"
        lost = 0 if self._channel is None else self._channel.dropped
        return (
            f"no connectivity check was answered: {self._checks} sent{to}, "
            f"{lost} that this system refused, {refused} answers that were none"
        )

    def _tick(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        now = time.monotonic()
        if self._ice is not None and now >= self._ice.next_check_at:
            self._send_check(now)
        if self._dtls is not None and self._dtls_due is not None and now >= self._dtls_due:
            self._dtls.handle_timeout()
            self._flush_dtls(now)
        delay = TICK if not self.connected.is_set() or self._ice is None else self._ice.next_check_at - now
        self._timer = asyncio.get_running_loop().call_later(max(delay, TICK), self._tick)

    def _send_check(self, now: float) -> None:
        if self._ice is not None and self._channel is not None:
            self._checks += 1
            self._channel.send(self._ice.make_check(secrets.token_bytes(12), now))

    def _handle_train(self, data: bytes, size: int, arrived_ns: int) -> None:
        if 128 <= data[0] < 192:
            self.on_media(data, size, arrived_ns)
            return
        now = time.monotonic()
        for start in range(0, len(data), size):
            part = data[start : start + size]
            if part[0] < 4:
                self._handle_stun(part, now)
            elif 20 <= part[0] < 64:
                self._handle_dtls(part, now)
            elif 128 <= part[0] < 192:
                self.on_media(part, len(part), arrived_ns)

    def _handle_stun(self, data: bytes, now: float) -> None:
        if self._ice is None:
            return
        if data[:2] == BINDING_REQUEST_BYTES:
            assert self._candidate is not None, "there is a channel"
            answer = self._ice.answer(data, (self._candidate.address, self._candidate.port))
            if answer is not None and self._channel is not None:
                self._channel.send(answer)
        elif self._ice.handle_response(data, now):
            self._flush_dtls(now)

    def _handle_dtls(self, data: bytes, now: float) -> None:
        if self._dtls is not None:
            self._dtls.handle_datagram(data)
            self._flush_dtls(now)

    def _flush_dtls(self, now: float) -> None:
        """Send what DTLS has to say (from the first answered check on), and take the keys from it."""
        dtls = self._dtls
        if dtls is None or self._channel is None:
            return
        for datagram in dtls.poll_datagrams():
            self._channel.send(datagram)
        timeout = dtls.next_timeout()
        self._dtls_due = None if timeout is None else now + timeout
        if dtls.state is DtlsState.CONNECTED and self.inbound is None and dtls.keys is not None:
            keys = dtls.keys
            self.inbound = InboundSrtp(keys.profile, keys.server_key, keys.server_salt)
            self.outbound = OutboundSrtp(keys.profile, keys.client_key, keys.client_salt)
            self.connect_seconds = now - self._started
            self.connected.set()
        elif dtls.state in (DtlsState.FAILED, DtlsState.CLOSED) and self.failed is None:
            self.failed = str(dtls.error or "the server ended the association")
            self.connected.set()


def _new_credentials() -> IceCredentials:
    """RFC 8445 section 5.3: at least 24 bits of ufrag and 128 of pwd, of ICE characters only."""
    return IceCredentials(secrets.token_hex(4), secrets.token_hex(16))


def _ignore(data: bytes, size: int, arrived_ns: int) -> None:
    """Media before a transport takes it."""
