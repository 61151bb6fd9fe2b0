"""DTLS records as seen from outside: which of them OpenSSL may see, and how its output is cut into datagrams.

Until keys are agreed on, DTLS is plain text, and OpenSSL ends a handshake at the first thing it does not
expect: an alert anybody can forge, a message that makes no sense at this point. RFC 6347 section 4.1.2.7
wants such records dropped instead. So each record passes a `RecordFilter` first, which knows little more than
the framing: what is not a DTLS record, not a message this side can be sent, or a second, different
ClientHello never reaches OpenSSL. (A well-formed forgery at the right moment still would; that is why DTLS is
accepted only from an address that passed ICE.)

    record:    type(1) version(2) epoch(2) sequence(6) length(2) fragment
    handshake: type(1) length(3) message_seq(2) fragment_offset(3) fragment_length(3) body
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

RECORD_HEADER_LENGTH = 13
HANDSHAKE_HEADER_LENGTH = 12
MAX_RECORD_LENGTH = (1 << 14) + 2048

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
VERSIONS = frozenset({0xFEFF, 0xFEFD})
CLIENT_HELLO = 1

FROM_CLIENT = frozenset({CLIENT_HELLO, 11, 15, 16})
"""In plain text a client sends ClientHello, Certificate, CertificateVerify and ClientKeyExchange."""
FROM_SERVER = frozenset({2, 3, 11, 12, 13, 14})
"""And a server ServerHello, HelloVerifyRequest, Certificate, ServerKeyExchange, CertificateRequest, Done."""


class DtlsRole(Enum):
    CLIENT = "client"
    SERVER = "server"


def split_records(data: bytes) -> Iterator[bytes]:
    """The records of a datagram, up to the first thing that is not one."""
    offset = 0
    while len(data) - offset >= RECORD_HEADER_LENGTH:
        length = int.from_bytes(data[offset + 11 : offset + 13], "big")
        end = offset + RECORD_HEADER_LENGTH + length
        version = int.from_bytes(data[offset + 1 : offset + 3], "big")
        if (
            not CHANGE_CIPHER_SPEC <= data[offset] <= APPLICATION_DATA
            or version not in VERSIONS
            or not 0 < length <= MAX_RECORD_LENGTH
            or end > len(data)
        ):
            return
        yield data[offset:end]
        offset = end


def pack_datagrams(stream: bytes, mtu: int) -> list[bytes]:
    """Cut what OpenSSL wrote into datagrams: as many whole records in each as fit into `mtu` bytes."""
    datagrams: list[bytes] = []
    start = end = 0
    while end < len(stream):
        length = RECORD_HEADER_LENGTH + int.from_bytes(stream[end + 11 : end + 13], "big")
        if end > start and end + length - start > mtu:
            datagrams.append(stream[start:end])
            start = end
        end += length
    if end > start:
        datagrams.append(stream[start:end])
    return datagrams


class RecordFilter:
    """Decides which records of one peer OpenSSL may see. `role` is ours.

    `max_handshake_bytes` bounds what is taken in before the handshake is over, and with it what OpenSSL may
    buffer for somebody who never authenticates.
    """

    def __init__(self, role: DtlsRole, *, max_handshake_bytes: int) -> None:
        self._allowed = FROM_CLIENT if role is DtlsRole.SERVER else FROM_SERVER
        self._budget = max_handshake_bytes
        self._client_hello: dict[tuple[int, int, int], bytes] = {}
        self._finished = False
        self._connected = False

    def set_finished(self) -> None:
        """The handshake is over, the peer not verified yet: nothing but the end of its handshake, and in
        bounds, is let through. Application data of somebody unknown is dropped, not kept for later."""
        self._finished = True
        self._client_hello.clear()

    def set_connected(self) -> None:
        """From here on every encrypted record is let through, and OpenSSL authenticates it."""
        self._connected = True

    def forget_client_hello(self) -> None:
        """The ClientHello seen so far was no good; the next one is the first again."""
        self._client_hello.clear()

    def accepts(self, record: bytes) -> bool:
        """Whether one record (as from `split_records`) may go on."""
        epoch = int.from_bytes(record[3:5], "big")
        if self._connected:
            return epoch > 0
        if self._finished and (epoch == 0 or record[0] == APPLICATION_DATA):
            return False
        if (epoch == 0 and not self._is_expected(record)) or len(record) > self._budget:
            return False
        self._budget -= len(record)
        return True

    def _is_expected(self, record: bytes) -> bool:
        if record[0] == CHANGE_CIPHER_SPEC:
            return record[RECORD_HEADER_LENGTH:] == b"\x01"
        return record[0] == HANDSHAKE and self._is_expected_handshake(record[RECORD_HEADER_LENGTH:])

    def _is_expected_handshake(self, fragment: bytes) -> bool:
        """Check every handshake message of a record: usually there is one, several are allowed."""
        while fragment:
            if len(fragment) < HANDSHAKE_HEADER_LENGTH or fragment[0] not in self._allowed:
                return False
            total = int.from_bytes(fragment[1:4], "big")
            offset = int.from_bytes(fragment[6:9], "big")
            end = HANDSHAKE_HEADER_LENGTH + int.from_bytes(fragment[9:12], "big")
            if end > len(fragment) or offset + end - HANDSHAKE_HEADER_LENGTH > total:
                return False
            if fragment[0] == CLIENT_HELLO and not self._is_same_client_hello(fragment[:end], total, offset):
                return False
            fragment = fragment[end:]
        return True

    def _is_same_client_hello(self, message: bytes, total: int, offset: int) -> bool:
        """The first ClientHello counts and may be repeated; another one belongs to no handshake of ours."""
        if any(known_total != total for known_total, _, _ in self._client_hello):
            return False
        return self._client_hello.setdefault((total, offset, len(message)), message) == message
