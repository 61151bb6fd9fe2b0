"""STUN messages (RFC 8489), as much of it as connectivity checks need.

A message is its type, a transaction id and attributes. `parse_stun` is strict: every length must fit, a
FINGERPRINT must be last and right, and what stands behind MESSAGE-INTEGRITY is ignored, since nothing vouches
for it. Whether MESSAGE-INTEGRITY is right depends on a key, so that is asked of the message afterwards.
"""

from __future__ import annotations

import hmac
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from sfu.errors import StunError

MAGIC_COOKIE = 0x2112A442
COOKIE_BYTES = MAGIC_COOKIE.to_bytes(4, "big")
FINGERPRINT_XOR = 0x5354554E
HEADER_LENGTH = 20
TRANSACTION_ID_LENGTH = 12
INTEGRITY_LENGTH = 20
ATTRIBUTE_HEADER_LENGTH = 4
MAX_ATTRIBUTES = 32

BINDING_REQUEST = 0x0001
BINDING_INDICATION = 0x0011
BINDING_SUCCESS = 0x0101
BINDING_ERROR = 0x0111

USERNAME = 0x0006
MESSAGE_INTEGRITY = 0x0008
ERROR_CODE = 0x0009
UNKNOWN_ATTRIBUTES = 0x000A
REALM = 0x0014
NONCE = 0x0015
XOR_MAPPED_ADDRESS = 0x0020
PRIORITY = 0x0024
USE_CANDIDATE = 0x0025
SOFTWARE = 0x8022
FINGERPRINT = 0x8028
ICE_CONTROLLED = 0x8029
ICE_CONTROLLING = 0x802A

MUST_BE_UNDERSTOOD_BELOW = 0x8000
UNDERSTOOD = frozenset(
    {USERNAME, MESSAGE_INTEGRITY, ERROR_CODE, UNKNOWN_ATTRIBUTES, REALM, NONCE, XOR_MAPPED_ADDRESS}
    | {PRIORITY, USE_CANDIDATE}
)

FAMILY_IPV4, FAMILY_IPV6 = 1, 2
attribute_header = message_head = struct.Struct("!HH").pack
"""Type and length: what an attribute begins with, and a message."""
IPV4_IN_IPV6 = bytes(10) + b"\xff\xff"


@dataclass(frozen=True, slots=True)
class StunMessage:
    """A parsed message. `attributes` keeps the first of each type, without those that secure the message."""

    type: int
    transaction_id: bytes
    attributes: dict[int, bytes]
    has_fingerprint: bool
    integrity: bytes | None
    _signed: bytes = field(repr=False)

    def verify_integrity(self, key: bytes) -> bool:
        """Whether MESSAGE-INTEGRITY is there and right: `key` is the password (RFC 8489 section 9.1.1)."""
        return self.integrity is not None and hmac.compare_digest(
            hmac.digest(key, self._signed, "sha1"), self.integrity
        )

    @property
    def unknown_attributes(self) -> list[int]:
        """Types that have to be understood (RFC 8489 section 6.3.1) and are not."""
        return [t for t in self.attributes if t < MUST_BE_UNDERSTOOD_BELOW and t not in UNDERSTOOD]

    @property
    def username(self) -> str | None:
        """USERNAME; None when it is missing or not UTF-8."""
        value = self.attributes.get(USERNAME)
        if value is None:
            return None
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None

    @property
    def error_code(self) -> int | None:
        """The number in ERROR-CODE, such as 487; None when missing or malformed."""
        value = self.attributes.get(ERROR_CODE)
        if value is None or len(value) < 4 or value[3] > 99:
            return None
        return (value[2] & 7) * 100 + value[3]

    @property
    def mapped_address(self) -> tuple[str, int] | None:
        """XOR-MAPPED-ADDRESS as (host, port); None when missing. Raises `StunError` when malformed."""
        value = self.attributes.get(XOR_MAPPED_ADDRESS)
        return None if value is None else decode_xor_address(value, self.transaction_id)


def is_stun(data: bytes) -> bool:
    """Whether a datagram can be STUN: told apart by its first byte (RFC 7983) and the magic cookie."""
    return len(data) >= HEADER_LENGTH and data[0] < 4 and data[4:8] == COOKIE_BYTES


def parse_stun(data: bytes) -> StunMessage:
    """Parse a whole datagram. Raises `StunError`."""
    if not is_stun(data):
        raise StunError("not a STUN message")
    message_type, length = struct.unpack_from("!HH", data)
    if length % 4 or length != len(data) - HEADER_LENGTH:
        raise StunError("the length of a STUN message does not match its datagram")
    attributes: dict[int, bytes] = {}
    integrity: bytes | None = None
    signed = b""
    offset = HEADER_LENGTH
    for _ in range(MAX_ATTRIBUTES):
        if offset == len(data):
            break
        kind, value, end = _read_attribute(data, offset)
        if kind == FINGERPRINT:
            _check_fingerprint(data, offset, end, value)
            return StunMessage(
                message_type,
                data[8:20],
                attributes,
                has_fingerprint=True,
                integrity=integrity,
                _signed=signed,
            )
        if integrity is None:
            if kind == MESSAGE_INTEGRITY:
                if len(value) != INTEGRITY_LENGTH:
                    raise StunError("MESSAGE-INTEGRITY has a wrong length")
                integrity = value
                signed = _with_length(data[:offset], end - HEADER_LENGTH)
            else:
                attributes.setdefault(kind, value)
        offset = end
    else:
        raise StunError("too many STUN attributes")
    return StunMessage(message_type, data[8:20], attributes, False, integrity, signed)


def build_stun(
    message_type: int,
    transaction_id: bytes,
    attributes: Iterable[tuple[int, bytes]],
    *,
    key: bytes | None = None,
    fingerprint: bool = True,
) -> bytes:
    """Print a message, signed with `key` (MESSAGE-INTEGRITY) where there is one."""
    assert len(transaction_id) == TRANSACTION_ID_LENGTH
    body = b""
    for kind, value in attributes:
        body += attribute_header(kind, len(value)) + value + bytes(-len(value) % 4)
    rest = COOKIE_BYTES + transaction_id + body
    length = len(body)
    if key is not None:
        length += ATTRIBUTE_HEADER_LENGTH + INTEGRITY_LENGTH
        rest += _INTEGRITY_HEADER + hmac.digest(key, message_head(message_type, length) + rest, "sha1")
    if fingerprint:
        data = message_head(message_type, length + 8) + rest
        return data + _FINGERPRINT_HEADER + (crc32(data) ^ FINGERPRINT_XOR).to_bytes(4, "big")
    return message_head(message_type, length) + rest


_INTEGRITY_HEADER = attribute_header(MESSAGE_INTEGRITY, INTEGRITY_LENGTH)
_FINGERPRINT_HEADER = attribute_header(FINGERPRINT, 4)


def encode_error(code: int, reason: str) -> bytes:
    """The value of ERROR-CODE (RFC 8489 section 14.8)."""
    return bytes([0, 0, code // 100, code % 100]) + reason.encode()


def encode_xor_address(address: tuple[Any, ...], transaction_id: bytes) -> bytes:
    """The value of XOR-MAPPED-ADDRESS (RFC 8489 section 14.2).

    A socket for both families shows IPv4 addresses inside IPv6 ones; they are reported as what they are.
    """
    host, port = address[:2]
    if ":" in host:
        packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
        if packed.startswith(IPV4_IN_IPV6):
            packed = packed[12:]
    else:
        packed = socket.inet_pton(socket.AF_INET, host)
    family = FAMILY_IPV4 if len(packed) == 4 else FAMILY_IPV6
    return struct.pack("!BBH", 0, family, port ^ MAGIC_COOKIE >> 16) + _xor(packed, transaction_id)


def decode_xor_address(value: bytes, transaction_id: bytes) -> tuple[str, int]:
    """Read XOR-MAPPED-ADDRESS as (host, port). Raises `StunError`."""
    if len(value) == 8 and value[1] == FAMILY_IPV4:
        family = socket.AF_INET
    elif len(value) == 20 and value[1] == FAMILY_IPV6:
        family = socket.AF_INET6
    else:
        raise StunError("XOR-MAPPED-ADDRESS is neither IPv4 nor IPv6")
    port = int.from_bytes(value[2:4], "big") ^ MAGIC_COOKIE >> 16
    return socket.inet_ntop(family, _xor(value[4:], transaction_id)), port


def _xor(packed: bytes, transaction_id: bytes) -> bytes:
    pad = (COOKIE_BYTES + transaction_id)[: len(packed)]
    return (int.from_bytes(packed, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(packed), "big")


def _read_attribute(data: bytes, offset: int) -> tuple[int, bytes, int]:
    """Type and value of the attribute at `offset`, and where the next one is."""
    start = offset + ATTRIBUTE_HEADER_LENGTH
    if start > len(data):
        raise StunError("a STUN attribute is cut off")
    kind, length = struct.unpack_from("!HH", data, offset)
    end = start + length + -length % 4
    if end > len(data):
        raise StunError("a STUN attribute is longer than its message")
    return kind, data[start : start + length], end


def _check_fingerprint(data: bytes, offset: int, end: int, value: bytes) -> None:
    if end != len(data) or len(value) != 4:
        raise StunError("FINGERPRINT is not the last attribute")
    if int.from_bytes(value, "big") != crc32(data[:offset]) ^ FINGERPRINT_XOR:
        raise StunError("FINGERPRINT does not match")


def _with_length(data: bytes, length: int) -> bytes:
    """The message as if its body were `length` bytes, as the two checksums want it."""
    return data[:2] + length.to_bytes(2, "big") + data[4:]
