"""DTLS 1.2 (RFC 6347) with the SRTP extension (RFC 5764): how two sides agree on SRTP keys. Sans-IO.

    handle_datagram ──▶ RecordFilter ──▶ OpenSSL over two memory buffers ──▶ poll_datagrams
                                               │        ▲
                             poll_received ◀───┘        └─── send          (application data: SCTP)

                 ClientHello                 peer verified
       NEW ─────────────────▶ HANDSHAKING ─────────────────▶ CONNECTED
        │                      │       │                         │
        │ close()              │       └──▶ FAILED ──┐           │ close(), or the peer's close_notify
        └──────────────────────┴─────────────────────┴───────────┴──▶ CLOSED

`keys` exist only in CONNECTED, and CONNECTED means that the handshake is complete *and* the peer's
certificate has one of the fingerprints signaling announced; where these come later than the handshake, the
endpoint waits for them. Application data exists only there, too: what came earlier is dropped. The node is
always the server, because the server picks the SRTP profile: AES-GCM costs half of what AES-CM does.

OpenSSL times retransmissions by its own clock (1 s, doubling): `next_timeout` says when to call
`handle_timeout`; after about twelve in vain it gives up.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache

from OpenSSL import SSL

from sfu.errors import DtlsError
from sfu.webrtc.certificate import Certificate, matches_fingerprint
from sfu.webrtc.dtls_records import DtlsRole, RecordFilter, pack_datagrams, split_records
from sfu.webrtc.srtp_profile import SrtpKeys, SrtpProfile

__all__ = ["DtlsEndpoint", "DtlsRole", "DtlsState"]

MTU = 1200
DTLS_1_2 = 0xFEFD
CIPHERS = b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305"
EXPORTER_LABEL = b"EXTRACTOR-dtls_srtp"
MAX_HANDSHAKE_BYTES = 64 * 1024
READ_SIZE = 64 * 1024
MAX_UNREAD = 256
"""Records of application data kept for somebody to poll; a datagram holds fewer."""


class DtlsState(Enum):
    NEW = "new"
    HANDSHAKING = "handshaking"
    CONNECTED = "connected"
    FAILED = "failed"
    CLOSED = "closed"


TRANSITIONS: dict[DtlsState, frozenset[DtlsState]] = {
    DtlsState.NEW: frozenset({DtlsState.HANDSHAKING, DtlsState.CLOSED}),
    DtlsState.HANDSHAKING: frozenset({DtlsState.CONNECTED, DtlsState.FAILED, DtlsState.CLOSED}),
    DtlsState.CONNECTED: frozenset({DtlsState.CLOSED}),
    DtlsState.FAILED: frozenset({DtlsState.CLOSED}),
    DtlsState.CLOSED: frozenset(),
}


class DtlsEndpoint:
    """One side of one DTLS association.

    `profiles` are the SRTP profiles to accept, best first; `expected_fingerprints` are (algorithm, value)
    pairs from the peer's SDP and may be given later. Records that are not fit for OpenSSL are dropped and
    counted in `dropped_records`.
    """

    def __init__(
        self,
        certificate: Certificate,
        role: DtlsRole,
        expected_fingerprints: Sequence[tuple[str, str]] | None = None,
        *,
        profiles: Sequence[SrtpProfile] = tuple(SrtpProfile),
    ) -> None:
        self.role = role
        self.dropped_records = 0
        self.error: DtlsError | None = None
        self._state = DtlsState.NEW
        self._keys: SrtpKeys | None = None
        self._expected = expected_fingerprints
        self._handshake_complete = False
        self._filter = RecordFilter(role, max_handshake_bytes=MAX_HANDSHAKE_BYTES)
        self._context = _context(certificate, role, tuple(profiles))
        self._ssl = self._new_connection()
        self._unsent = b""
        self._received: list[bytes] = []
        self._has_spoken = False

    @property
    def state(self) -> DtlsState:
        return self._state

    @property
    def keys(self) -> SrtpKeys | None:
        """The SRTP master keys; None until the peer is verified, and again once closed."""
        return self._keys

    def set_expected_fingerprints(self, fingerprints: Sequence[tuple[str, str]]) -> None:
        """Say which certificates the peer may have. A handshake that waited for this goes on at once."""
        self._expected = fingerprints
        if self._state is DtlsState.HANDSHAKING and self._handshake_complete:
            self._verify_peer()

    def start(self) -> None:
        """Client: produce the first flight. A server starts when it is spoken to."""
        if self._state is DtlsState.NEW:
            self._move_to(DtlsState.HANDSHAKING)
            self._advance()

    def handle_datagram(self, data: bytes) -> None:
        """Take in one datagram. Never raises; `state` and `poll_datagrams` show what came of it."""
        if self._state in (DtlsState.FAILED, DtlsState.CLOSED):
            return
        records = list(split_records(data))
        accepted = b"".join(record for record in records if self._filter.accepts(record))
        if len(accepted) < len(data):
            self.dropped_records += 1
        if not accepted:
            return
        if self._state is DtlsState.NEW:
            self._move_to(DtlsState.HANDSHAKING)
        self._ssl.bio_write(accepted)
        self._advance()

    def poll_datagrams(self) -> list[bytes]:
        """Drain what is to be sent, as datagrams of at most 1,200 bytes. Starts a client that has not yet."""
        if self.role is DtlsRole.CLIENT:
            self.start()
        self._collect()
        stream, self._unsent = self._unsent, b""
        return pack_datagrams(stream, MTU)

    def poll_received(self) -> list[bytes]:
        """Drain the application data of a verified peer, a record each."""
        received, self._received = self._received, []
        return received

    def send(self, data: bytes) -> None:
        """Seal a record of application data for `poll_datagrams`; without a verified peer it is dropped."""
        if self._state is not DtlsState.CONNECTED:
            return
        try:
            self._ssl.send(data)
        except SSL.Error as error:
            self._handle_openssl_error(error)

    def next_timeout(self) -> float | None:
        """Seconds until `handle_timeout` is due, None while nothing waits to be retransmitted."""
        if self._state is not DtlsState.HANDSHAKING or self._handshake_complete:
            return None
        return self._ssl.DTLSv1_get_timeout()

    def handle_timeout(self) -> None:
        """Retransmit the last flight if its time has come."""
        if self._state is not DtlsState.HANDSHAKING or self._handshake_complete:
            return
        try:
            self._ssl.DTLSv1_handle_timeout()
        except SSL.Error:
            self._fail("the peer does not answer")

    def close(self) -> None:
        """Tell the peer (close_notify, for `poll_datagrams`) and forget the keys. Idempotent."""
        if self._state is DtlsState.CLOSED:
            return
        if self._handshake_complete:
            try:
                self._ssl.shutdown()
            except SSL.Error:
                # The association is over either way; an alert that cannot be written is only not sent.
                self._collect()
        self._move_to(DtlsState.CLOSED)

    def _advance(self) -> None:
        """Let OpenSSL work on what it was given."""
        try:
            if not self._handshake_complete:
                self._ssl.do_handshake()
                self._handshake_complete = True
                self._filter.set_finished()
                self._verify_peer()
            self._read_application_data()
        except SSL.WantReadError:
            self._collect()
        except SSL.ZeroReturnError:
            self._handle_close_notify()
        except SSL.Error as error:
            self._handle_openssl_error(error)

    def _read_application_data(self) -> None:
        """Read records after the handshake: alerts are acted upon, application data is kept in bounds."""
        while self._state is DtlsState.CONNECTED:
            record = self._ssl.recv(READ_SIZE)
            if len(self._received) < MAX_UNREAD:
                self._received.append(record)

    def _verify_peer(self) -> None:
        if self._expected is None:
            return
        peer = self._ssl.get_peer_certificate(as_cryptography=True)
        if peer is None or not matches_fingerprint(peer, self._expected):
            self._fail("the peer's certificate is not the one its SDP announced")
            return
        profile = SrtpProfile.from_openssl_name(self._ssl.get_selected_srtp_profile())
        if profile is None:
            self._fail("the peer supports none of our SRTP profiles")
            return
        material = self._ssl.export_keying_material(EXPORTER_LABEL, profile.material_length)
        self._keys = SrtpKeys.from_exporter(profile, material)
        self._filter.set_connected()
        self._move_to(DtlsState.CONNECTED)

    def _handle_close_notify(self) -> None:
        if self._state is DtlsState.CONNECTED:
            self.close()
        else:
            self._fail("the peer ended the handshake")

    def _handle_openssl_error(self, error: SSL.Error) -> None:
        if self._state is DtlsState.CONNECTED:
            # A fatal alert of the peer, authenticated: everything else OpenSSL drops by itself.
            self.close()
        elif self.role is DtlsRole.SERVER and not self._has_spoken:
            self._start_over()
        else:
            self._fail(f"the handshake failed: {_reason(error)}")

    def _start_over(self) -> None:
        """A ClientHello no handshake can be made of must not spoil the one that may follow."""
        self.dropped_records += 1
        self._filter.forget_client_hello()
        self._ssl = self._new_connection()

    def _fail(self, why: str) -> None:
        self._collect()
        self.error = DtlsError(why)
        self._move_to(DtlsState.FAILED)

    def _move_to(self, state: DtlsState) -> None:
        assert state in TRANSITIONS[self._state], f"{self._state.name} cannot become {state.name}"
        self._state = state
        if state is not DtlsState.CONNECTED:
            self._keys = None

    def _collect(self) -> None:
        """Take over what OpenSSL wrote."""
        try:
            while True:
                self._unsent += self._ssl.bio_read(READ_SIZE)
                self._has_spoken = True
        except SSL.WantReadError:
            return

    def _new_connection(self) -> SSL.Connection:
        connection = SSL.Connection(self._context)
        connection.set_ciphertext_mtu(MTU)
        if self.role is DtlsRole.SERVER:
            connection.set_accept_state()
        else:
            connection.set_connect_state()
        return connection


@lru_cache(maxsize=16)
def _context(certificate: Certificate, role: DtlsRole, profiles: tuple[SrtpProfile, ...]) -> SSL.Context:
    """What all associations of a node share; it takes longer to make than a handshake."""
    method = SSL.DTLS_SERVER_METHOD if role is DtlsRole.SERVER else SSL.DTLS_CLIENT_METHOD
    context = SSL.Context(method)
    context.set_min_proto_version(DTLS_1_2)
    context.set_max_proto_version(DTLS_1_2)
    context.set_options(
        SSL.OP_NO_QUERY_MTU | SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE
    )
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_cipher_list(CIPHERS)
    # A certificate must be shown, and that is all: trust comes from its fingerprint.
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    context.use_certificate(certificate.x509)
    context.use_privatekey(certificate.private_key)
    context.set_tlsext_use_srtp(b":".join(profile.openssl_name for profile in profiles))
    return context


def _reason(error: SSL.Error) -> str:
    queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return ", ".join(str(entry[-1]) for entry in queue) or type(error).__name__
