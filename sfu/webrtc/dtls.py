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

A server that is CONNECTED has done with OpenSSL, whose connection would take more memory than all else that
belongs to a client: `DtlsSession` has what remains to be done. A client, which bots are, keeps it.

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
from sfu.webrtc.dtls_records import (
    ALERT,
    APPLICATION_DATA,
    HANDSHAKE,
    DtlsRole,
    RecordFilter,
    pack_datagrams,
    split_records,
)
from sfu.webrtc.dtls_session import EPOCH, SUITES, DtlsSession, derive_keys
from sfu.webrtc.srtp_profile import SrtpKeys, SrtpProfile

__all__ = ["DtlsEndpoint", "DtlsRole", "DtlsState"]

MTU = 1200
DTLS_1_2 = 0xFEFD
CIPHERS = ":".join(SUITES).encode()
EXPORTER_LABEL = b"EXTRACTOR-dtls_srtp"
MAX_HANDSHAKE_BYTES = 64 * 1024
READ_SIZE = 64 * 1024
MAX_UNREAD = 256
"""Records of application data kept for somebody to poll; a datagram holds fewer."""
FINISHED = 20
CLOSE_NOTIFY = b"\x01\x00"
FATAL = 2


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
        self._ssl: SSL.Connection | None = self._new_connection()
        """None once `_session` has taken over."""
        self._session: DtlsSession | None = None
        self._last_flight = b""
        """What a server's handshake ended with: the client's is over when it has heard it."""
        self._sealed = 0
        """Records that OpenSSL sealed."""
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
            self._advance()

    def start(self) -> None:
        """Client: produce the first flight. A server starts when it is spoken to."""
        if self._state is DtlsState.NEW:
            self._move_to(DtlsState.HANDSHAKING)
            self._advance()

    def handle_datagram(self, data: bytes) -> None:
        """Take in one datagram. Never raises; `state` and `poll_datagrams` show what came of it."""
        if self._state in (DtlsState.FAILED, DtlsState.CLOSED):
            return
        records = [record for record in split_records(data) if self._filter.accepts(record)]
        accepted = b"".join(records)
        if len(accepted) < len(data):
            self.dropped_records += 1
        if not accepted:
            return
        if self._session is not None:
            for record in records:
                self._handle_record(record, self._session)
            return
        if self._state is DtlsState.NEW:
            self._move_to(DtlsState.HANDSHAKING)
        self._openssl.bio_write(accepted)
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
        if self._session is not None:
            self._unsent += self._session.seal(APPLICATION_DATA, data)
            return
        try:
            self._openssl.send(data)
        except SSL.Error as error:
            self._handle_openssl_error(error)

    def next_timeout(self) -> float | None:
        """Seconds until `handle_timeout` is due, None while nothing waits to be retransmitted."""
        if self._state is not DtlsState.HANDSHAKING or self._handshake_complete:
            return None
        return self._openssl.DTLSv1_get_timeout()

    def handle_timeout(self) -> None:
        """Retransmit the last flight if its time has come."""
        if self._state is not DtlsState.HANDSHAKING or self._handshake_complete:
            return
        try:
            self._openssl.DTLSv1_handle_timeout()
        except SSL.Error:
            self._fail("the peer does not answer")

    def close(self) -> None:
        """Tell the peer (close_notify, for `poll_datagrams`) and forget the keys. Idempotent."""
        if self._state is DtlsState.CLOSED:
            return
        if self._session is not None:
            self._unsent += self._session.seal(ALERT, CLOSE_NOTIFY)
        elif self._handshake_complete:
            try:
                self._openssl.shutdown()
            except SSL.Error:
                # The association is over either way; an alert that cannot be written is only not sent.
                self._collect()
        self._move_to(DtlsState.CLOSED)

    def _advance(self) -> None:
        """Let OpenSSL work on what it was given."""
        try:
            if not self._handshake_complete:
                self._collect()
                before = len(self._unsent)
                self._openssl.do_handshake()
                self._handshake_complete = True
                self._collect()
                self._last_flight = self._unsent[before:]
                self._filter.set_finished()
                self._verify_peer()
            self._read_application_data()
        except SSL.WantReadError:
            self._collect()
        except SSL.ZeroReturnError:
            self._handle_close_notify()
        except SSL.Error as error:
            self._handle_openssl_error(error)
        if self._state is DtlsState.CONNECTED and self.role is DtlsRole.SERVER:
            self._hand_over()

    def _hand_over(self) -> None:
        """The handshake is past: go on without OpenSSL."""
        openssl = self._openssl
        suite = SUITES[openssl.get_cipher_name() or ""]
        secret, client, server = openssl.master_key(), openssl.client_random(), openssl.server_random()
        assert secret is not None
        assert client is not None
        assert server is not None
        reads, writes = derive_keys(suite, secret, client, server)
        # What was opened before is not known here. It was the client's Finished: if that comes again, it is
        # answered again.
        self._session = DtlsSession(suite, reads, writes, sequence=self._sealed)
        self._ssl = None

    def _handle_record(self, record: bytes, session: DtlsSession) -> None:
        content = session.open(record)
        if content is None or self._state is not DtlsState.CONNECTED:
            self.dropped_records += 1
        elif record[0] == APPLICATION_DATA:
            if content and len(self._received) < MAX_UNREAD:
                self._received.append(content)
        elif record[0] == ALERT and len(content) == len(CLOSE_NOTIFY):
            if content[1] == CLOSE_NOTIFY[1]:
                self.close()
            elif content[0] == FATAL:
                self._move_to(DtlsState.CLOSED)
        elif record[0] == HANDSHAKE and content[:1] == bytes((FINISHED,)):
            # The client did not hear how our handshake ended (RFC 6347 section 4.2.4).
            self._unsent += self._last_flight

    def _read_application_data(self) -> None:
        """Read records after the handshake: alerts are acted upon, application data is kept in bounds."""
        while self._state is DtlsState.CONNECTED:
            record = self._openssl.recv(READ_SIZE)
            if len(self._received) < MAX_UNREAD:
                self._received.append(record)

    def _verify_peer(self) -> None:
        if self._expected is None:
            return
        peer = self._openssl.get_peer_certificate(as_cryptography=True)
        if peer is None or not matches_fingerprint(peer, self._expected):
            self._fail("the peer's certificate is not the one its SDP announced")
            return
        profile = SrtpProfile.from_openssl_name(self._openssl.get_selected_srtp_profile())
        if profile is None:
            self._fail("the peer supports none of our SRTP profiles")
            return
        material = self._openssl.export_keying_material(EXPORTER_LABEL, profile.material_length)
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
        if self._ssl is None:
            return
        try:
            while True:
                written = self._ssl.bio_read(READ_SIZE)
                self._unsent += written
                self._has_spoken = True
                if self.role is DtlsRole.SERVER:
                    for record in split_records(written):
                        if record[3:5] == EPOCH:
                            self._sealed = int.from_bytes(record[5:11], "big") + 1
        except SSL.WantReadError:
            return

    @property
    def _openssl(self) -> SSL.Connection:
        assert self._ssl is not None, "the handshake is past"
        return self._ssl

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
