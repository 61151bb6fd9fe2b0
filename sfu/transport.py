"""One ICE and DTLS association between a client and this node, and its state.

         first valid check          DTLS verified           no check for 30 s
    NEW ------------------> CONNECTING ------> CONNECTED <-----------------> DISCONNECTED
     |                          |                  |        a check again         |
     |                          +---> FAILED <-----+                              |
     |                                  |                                         |
     +----------------------------------+--------------> CLOSED <-----------------+

`PublishTransport` and `SubscribeTransport` are the two directions; a client has at most one of each.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import Enum
from typing import Protocol

import structlog

from sfu.bandwidth.stalls import Stalls
from sfu.control.messages import Event, TransportStateChanged
from sfu.data.relay import DataRate
from sfu.pressure import Measures
from sfu.quality.spreads import QualitySpreads
from sfu.webrtc.announced import Announced
from sfu.webrtc.association import Association, Ports
from sfu.webrtc.certificate import Certificate
from sfu.webrtc.description import LocalTransport
from sfu.webrtc.sdp import SessionDescription
from sfu.webrtc.udp import Path, SocketCalls

log = structlog.get_logger("sfu.transport")

REST_AFTER = 5.0
"""Seconds in which nothing happened and nothing was due, after which a transport is at rest: ..."""
REST_INTERVAL = 30.0
"""... it has a turn in so many seconds, or when consent may have ended, or once it was woken."""


class TransportState(Enum):
    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    FAILED = "failed"
    CLOSED = "closed"


_S = TransportState
TRANSITIONS: dict[TransportState, frozenset[TransportState]] = {
    _S.NEW: frozenset({_S.CONNECTING, _S.CONNECTED, _S.FAILED, _S.CLOSED}),
    _S.CONNECTING: frozenset({_S.CONNECTED, _S.DISCONNECTED, _S.FAILED, _S.CLOSED}),
    _S.CONNECTED: frozenset({_S.DISCONNECTED, _S.FAILED, _S.CLOSED}),
    _S.DISCONNECTED: frozenset({_S.CONNECTED, _S.CONNECTING, _S.FAILED, _S.CLOSED}),
    _S.FAILED: frozenset({_S.CLOSED}),
    _S.CLOSED: frozenset(),
}


class Host(Protocol):
    """What a transport needs of its node."""

    @property
    def ports(self) -> Ports: ...

    @property
    def certificate(self) -> Certificate: ...

    @property
    def consent_timeout(self) -> float: ...

    @property
    def data_rate(self) -> DataRate: ...

    @property
    def measures(self) -> Measures:
        """What the node gives up at the moment."""
        ...

    @property
    def behind(self) -> bool:
        """Whether media was dropped just now for being read too late, so that none is asked for again."""
        ...

    @property
    def quality(self) -> QualitySpreads:
        """Where the figures of streams are counted in."""
        ...

    @property
    def stalls(self) -> Stalls:
        """When the node's loop stood still."""
        ...

    def local_transport(self, ufrag: str, pwd: str) -> LocalTransport:
        """Our half of an SDP: credentials, fingerprint and candidates."""
        ...

    def register_ufrag(self, ufrag: str, association: Association) -> None: ...

    def unregister_ufrag(self, ufrag: str) -> None: ...

    def emit(self, event: Event) -> None: ...

    def wake(self, transport: Transport) -> None:
        """One that was at rest wants its turns again."""
        ...

    def socket_calls(self, path: Path) -> SocketCalls:
        """The socket's sendto and sendmsg for a UDP path; sendto is None where a path has no socket."""
        ...


class Transport(ABC):
    """What both directions share: association, credentials, state. Listens to its association."""

    def __init__(self, host: Host, router_id: str, transport_id: str, label: str, now: float) -> None:
        self.id = transport_id
        self.router_id = router_id
        self.label = label
        self.state = TransportState.NEW
        self._host = host
        self._ufrag, self._pwd = new_credentials()
        self._ufrags = [self._ufrag]
        self._remote_ufrag: str | None = None
        self.announced = Announced()
        self._flooded = False
        self._at_rest_since: float | None = None
        self._rests_until = 0.0
        self._restarting = False
        """Our new credentials are on their way, so the client's new ones are no restart of its own."""
        self.association = Association(
            ports=host.ports,
            certificate=host.certificate,
            local_ufrag=self._ufrag,
            local_pwd=self._pwd,
            listener=self,
            consent_timeout=host.consent_timeout,
            now=now,
        )
        host.register_ufrag(self._ufrag, self.association)

    # --- association listener ------------------------------------------------------------------------

    def handle_connected(self, now: float) -> None:
        self._move_to(TransportState.CONNECTED)

    @abstractmethod
    def handle_path(self, path: Path) -> None:
        """Another address pair was nominated."""

    def handle_consent(self, fresh: bool, now: float) -> None:  # noqa: FBT001
        if not fresh:
            self._move_to(TransportState.DISCONNECTED)
        elif self.association.outbound is not None:
            self._move_to(TransportState.CONNECTED)
        else:
            self._move_to(TransportState.CONNECTING)

    def handle_failed(self, reason: str) -> None:
        self._move_to(TransportState.FAILED)

    @abstractmethod
    def handle_rtp(self, packets: list[bytes], now: float, came: Sequence[float] = ()) -> None:
        """Media from the client, sealed, and when each of the packets came, as far as that is known."""

    @abstractmethod
    def handle_rtcp(self, packets: list[bytes], now: float) -> None:
        """Reports and requests from the client, sealed."""

    @abstractmethod
    def is_voice(self, data: bytes) -> bool:
        """See `Receiver.is_voice`."""

    @abstractmethod
    def handle_unread(self, now: float) -> None:
        """See `AssociationListener.handle_unread`."""

    @abstractmethod
    def handle_data(self, packets: list[bytes], now: float) -> None:
        """SCTP packets from the client, of which nobody knows yet that they are well-formed."""

    # --- life ----------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether it has something to do before the next slow tick."""
        return self.association.handshaking

    @property
    def restless(self) -> bool:
        """Whether it may become busy before the next slow tick."""
        return self.association.handshaking

    @property
    @abstractmethod
    def quiet(self) -> bool:
        """Whether nothing passed since the last tick, and nothing is due before the next second."""

    @property
    def rests_until(self) -> float:
        """See `Turning.rests_until`."""
        return min(self._rests_until, self.association.consent_until)

    def wake(self) -> None:
        """Something happened that a transport at rest cannot wait with."""
        if self._rests_until:
            self._rests_until = 0.0
            self._host.wake(self)

    def tick(self, now: float) -> None:
        """Called at the pace that `busy`, `quiet` and `rests_until` ask for (`sfu.turns`)."""
        self.association.tick(now)
        if self.association.intake.dropped and not self._flooded:
            self._flooded = True
            log.warning("a client sends more than it may", transport=self.id)

    def _consider_rest(self, now: float, *, possible: bool) -> None:
        """At the end of a turn: whether nothing is due until something happens."""
        if not possible or self.state is not TransportState.CONNECTED:
            self._at_rest_since = None
            self._rests_until = 0.0
        elif self._at_rest_since is None:
            self._at_rest_since = now
        elif now - self._at_rest_since >= REST_AFTER:
            self._rests_until = now + REST_INTERVAL

    def close(self) -> None:
        """Idempotent. Tells the client (close_notify) and forgets its addresses and credentials."""
        if self.state is TransportState.CLOSED:
            return
        self._move_to(TransportState.CLOSED)
        for ufrag in self._ufrags:
            self._host.unregister_ufrag(ufrag)
        self.association.close()

    def restart_ice(self, now: float) -> None:
        """New local credentials. The old ones stay valid for a while; DTLS is kept."""
        self._restarting = True
        self._ufrag, self._pwd = new_credentials()
        self._ufrags.append(self._ufrag)
        self._host.register_ufrag(self._ufrag, self.association)
        self.association.ice.restart(self._ufrag, self._pwd, now)
        if len(self._ufrags) > 3:
            self._host.unregister_ufrag(self._ufrags.pop(0))

    def take_remote(self, description: SessionDescription, now: float) -> None:
        """Learn the client's credentials. New ones in its offer are an ICE restart and get new ones back."""
        if self._remote_ufrag not in (None, description.ice_ufrag) and not self._restarting:
            self.restart_ice(now)
        self._restarting = False
        self._remote_ufrag = description.ice_ufrag
        for line in description.candidates:
            self.announced.add(line)
        self.association.set_remote(description.ice_ufrag, description.ice_pwd, description.fingerprints)

    def handle_ice_restart(self, ufrag: str, pwd: str, now: float) -> LocalTransport:
        """The client's new credentials, which come without a description. Returns ours."""
        self.restart_ice(now)
        self._restarting = False
        self._remote_ufrag = ufrag
        self.association.ice.set_remote(ufrag, pwd)
        return self.local

    @property
    def local(self) -> LocalTransport:
        return self._host.local_transport(self._ufrag, self._pwd)

    def _move_to(self, state: TransportState) -> None:
        if state is self.state or state not in TRANSITIONS[self.state]:
            return
        self.state = state
        self.wake()
        self._host.emit(TransportStateChanged(transport_id=self.id, state=state.value))


def new_credentials() -> tuple[str, str]:
    """ufrag and password: 48 and 144 random bits in ice-chars (RFC 8839 section 5.4)."""
    return secrets.token_hex(6), secrets.token_hex(18)
