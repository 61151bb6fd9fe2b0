"""What is left of a DTLS association once its handshake is over: records sealed with two keys. Sans-IO.

OpenSSL holds about 75 KiB for a connection, nearly all of it for a handshake that is past. From then on there
is little to do, and it needs 100 bytes: to read alerts and application data, to write them, and to say our
last flight again to a client that did not hear it (RFC 6347 section 4.2.4). So the keys are derived from the
handshake's secret once more (RFC 5246 section 6.3), and OpenSSL's connection can go.

    record (RFC 6347 section 4.1):  type(1) version(2) epoch(2) sequence(6) length(2) fragment
    fragment of AES-GCM (RFC 5288): nonce(8) ciphertext tag(16)           nonce of the cipher: iv(4) nonce(8)
    of ChaCha20-Poly1305 (RFC 7905):         ciphertext tag(16)           iv(12) xor epoch and sequence

Nothing here renegotiates: a client's new handshake is not answered, as RFC 5246 section 7.4.1.1 allows.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from sfu.webrtc.dtls_records import RECORD_HEADER_LENGTH

VERSION: Final = b"\xfe\xfd"
EPOCH: Final = b"\x00\x01"
"""Of everything after the one handshake."""
MAX_SEQUENCE: Final = (1 << 48) - 1
WINDOW: Final = 64
"""Sequence numbers below the highest within which a record may still come, once (section 4.1.2.6)."""
TAG_LENGTH: Final = 16


class Aead(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


@dataclass(frozen=True, slots=True)
class CipherSuite:
    """What of a cipher suite matters after its handshake. Lengths are in bytes."""

    aead: Callable[[bytes], Aead]
    key_length: int
    iv_length: int
    explicit: bool
    """Whether each record says its nonce."""
    digest: str
    """Of the pseudo-random function."""


SUITES: Final[dict[str, CipherSuite]] = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": CipherSuite(AESGCM, 16, 4, True, "sha256"),
    "ECDHE-ECDSA-AES256-GCM-SHA384": CipherSuite(AESGCM, 32, 4, True, "sha384"),
    "ECDHE-ECDSA-CHACHA20-POLY1305": CipherSuite(ChaCha20Poly1305, 32, 12, False, "sha256"),
}
"""By OpenSSL's name: all that a handshake of ours may agree on."""


@dataclass(frozen=True, slots=True)
class DirectionKeys:
    """Of one direction."""

    key: bytes = field(repr=False)
    iv: bytes = field(repr=False)


def derive_keys(
    suite: CipherSuite, secret: bytes, client_random: bytes, server_random: bytes
) -> tuple[DirectionKeys, DirectionKeys]:
    """The client's and the server's write keys, from the master secret (RFC 5246 section 6.3)."""
    key, iv = suite.key_length, suite.iv_length
    seed = b"key expansion" + server_random + client_random
    block = expand(secret, seed, 2 * (key + iv), suite.digest)
    ivs = block[2 * key :]
    return DirectionKeys(block[:key], ivs[:iv]), DirectionKeys(block[key : 2 * key], ivs[iv:])


def expand(secret: bytes, seed: bytes, length: int, digest: str) -> bytes:
    """P_hash of RFC 5246 section 5."""
    made, link = b"", seed
    while len(made) < length:
        link = hmac.digest(secret, link, digest)
        made += hmac.digest(secret, link + seed, digest)
    return made[:length]


class DtlsSession:
    """Both directions. `sequence` is that of the first record to be sealed: none of the handshake's."""

    __slots__ = ("_highest", "_reader", "_reads", "_seen", "_sequence", "_suite", "_writer", "_writes")

    def __init__(
        self, suite: CipherSuite, reads: DirectionKeys, writes: DirectionKeys, *, sequence: int
    ) -> None:
        self._suite = suite
        self._reads = reads
        self._writes = writes
        self._reader: Aead | None = None
        self._writer: Aead | None = None
        """Made when they are needed: most sessions have but an alert to seal, at their end."""
        self._sequence = sequence
        self._highest = -1
        self._seen = 0
        """Bit n: the record n below the highest was opened."""

    def open(self, record: bytes) -> bytes | None:
        """The content of a whole record. None where it is forged, broken, or came before."""
        if record[3:5] != EPOCH:
            return None
        sequence = int.from_bytes(record[5:11], "big")
        below = self._highest - sequence
        if below >= WINDOW or (below >= 0 and self._seen >> below & 1):
            return None
        fragment = record[RECORD_HEADER_LENGTH:]
        keys, number = self._reads, record[3:11]
        if self._suite.explicit:
            nonce, sealed = keys.iv + fragment[:8], fragment[8:]
        else:
            nonce, sealed = _mixed(keys.iv, number), fragment
        length = len(sealed) - TAG_LENGTH
        if length < 0:
            return None
        reader = self._reader
        if reader is None:
            reader = self._reader = self._suite.aead(keys.key)
        try:
            content = reader.decrypt(nonce, sealed, number + record[:3] + length.to_bytes(2, "big"))
        except InvalidTag:
            return None
        if below < 0:
            self._seen = (self._seen << min(-below, WINDOW) | 1) & ((1 << WINDOW) - 1)
            self._highest = sequence
        else:
            self._seen |= 1 << below
        return content

    def seal(self, content_type: int, content: bytes) -> bytes:
        """A record. Empty where all numbers were used, which takes longer than anybody stays."""
        if self._sequence > MAX_SEQUENCE:
            return b""
        number = EPOCH + self._sequence.to_bytes(6, "big")
        self._sequence += 1
        keys = self._writes
        head = bytes((content_type,)) + VERSION
        writer = self._writer
        if writer is None:
            writer = self._writer = self._suite.aead(keys.key)
        associated = number + head + len(content).to_bytes(2, "big")
        if self._suite.explicit:
            fragment = number + writer.encrypt(keys.iv + number, content, associated)
        else:
            fragment = writer.encrypt(_mixed(keys.iv, number), content, associated)
        return head + number + len(fragment).to_bytes(2, "big") + fragment


def _mixed(iv: bytes, number: bytes) -> bytes:
    return (int.from_bytes(iv, "big") ^ int.from_bytes(number, "big")).to_bytes(len(iv), "big")
