"""The connectivity check that a client sends again and again, and its answer. Pure.

To keep consent fresh (RFC 7675) a client sends the same check every few seconds for as long as it stays:

    type length cookie | transaction id | attributes ... | MESSAGE-INTEGRITY | FINGERPRINT
    `------ same -----' `--- other ---'  `---- same ----'  `------- other ------------'

So of a check whose attributes were read once, only what differs is looked at, and of the answer only what
differs is made. Both are signed with one password (RFC 8489 section 14.5), whose share of the HMAC is
computed once.
"""

from __future__ import annotations

import hmac
from typing import Any, Final
from zlib import crc32

from sfu.webrtc.stun import (
    ATTRIBUTE_HEADER_LENGTH,
    BINDING_SUCCESS,
    COOKIE_BYTES,
    FINGERPRINT,
    FINGERPRINT_XOR,
    HEADER_LENGTH,
    INTEGRITY_LENGTH,
    MESSAGE_INTEGRITY,
    XOR_MAPPED_ADDRESS,
    attribute_header,
    encode_xor_address,
    message_head,
)

FINGERPRINT_LENGTH: Final = 8
INTEGRITY_AT: Final = -(INTEGRITY_LENGTH + FINGERPRINT_LENGTH)
"""Where the value of MESSAGE-INTEGRITY begins, in a message that ends with it and a FINGERPRINT."""
HEADER_AT: Final = INTEGRITY_AT - ATTRIBUTE_HEADER_LENGTH
INTEGRITY_HEADER: Final = attribute_header(MESSAGE_INTEGRITY, INTEGRITY_LENGTH)
FINGERPRINT_HEADER: Final = attribute_header(FINGERPRINT, 4)
IPV4_VALUE: Final = 8
"""Bytes of an XOR-MAPPED-ADDRESS of IPv4, which no transaction id is mixed into."""


class UsualCheck:
    """Made of a check that was parsed and found to be good, signed with `key`. `nominates`: it has
    USE-CANDIDATE."""

    __slots__ = (
        "_address",
        "_answer_head",
        "_attributes",
        "_head",
        "_hmac",
        "_mapped",
        "_signed",
        "nominates",
    )

    def __init__(self, data: bytes, key: bytes, *, nominates: bool) -> None:
        self.nominates = nominates
        self._head = data[:8]
        self._signed = data[:2] + (len(data) - HEADER_LENGTH - FINGERPRINT_LENGTH).to_bytes(2, "big")
        self._attributes = data[HEADER_LENGTH:INTEGRITY_AT]
        self._hmac = hmac.new(key, digestmod="sha1")
        """Has taken in the key, and is copied for each message."""
        self._address: tuple[Any, ...] = ()
        self._mapped = b""
        """The attribute that says `_address`; empty where it depends on the transaction id."""
        self._answer_head = (b"", b"")
        """The first bytes of the answer, as its integrity and as its fingerprint want them."""

    @staticmethod
    def can_be(data: bytes) -> bool:
        """Whether a parsed message ends with MESSAGE-INTEGRITY and FINGERPRINT, as all do that we know."""
        return (
            data[HEADER_AT:INTEGRITY_AT] == INTEGRITY_HEADER
            and data[-FINGERPRINT_LENGTH:-4] == FINGERPRINT_HEADER
        )

    def matches(self, data: bytes) -> bool:
        """Whether `data` is this check once more, authentic and whole."""
        if (
            data[HEADER_LENGTH:INTEGRITY_AT] != self._attributes
            or data[:8] != self._head
            or data[-FINGERPRINT_LENGTH:-4] != FINGERPRINT_HEADER
            or int.from_bytes(data[-4:], "big") != crc32(data[:-FINGERPRINT_LENGTH]) ^ FINGERPRINT_XOR
        ):
            return False
        # What is signed leaves out the integrity itself, and counts it in its length.
        signed = self._signed + data[4:HEADER_AT]
        return hmac.compare_digest(self._sign(signed), data[INTEGRITY_AT:-FINGERPRINT_LENGTH])

    def answer(self, transaction_id: bytes, address: tuple[Any, ...]) -> bytes:
        """Binding success for `address`: what `build_stun` makes of it."""
        if address != self._address:
            self._learn(address, transaction_id)
        mapped = self._mapped or _mapped_address(address, transaction_id)
        signed_head, head = self._answer_head
        rest = transaction_id + mapped
        data = head + rest + INTEGRITY_HEADER + self._sign(signed_head + rest)
        return data + FINGERPRINT_HEADER + (crc32(data) ^ FINGERPRINT_XOR).to_bytes(4, "big")

    def _sign(self, message: bytes) -> bytes:
        made = self._hmac.copy()
        made.update(message)
        return made.digest()

    def _learn(self, address: tuple[Any, ...], transaction_id: bytes) -> None:
        mapped = _mapped_address(address, transaction_id)
        self._address = address
        self._mapped = mapped if len(mapped) == ATTRIBUTE_HEADER_LENGTH + IPV4_VALUE else b""
        signed = len(mapped) + ATTRIBUTE_HEADER_LENGTH + INTEGRITY_LENGTH
        self._answer_head = (
            message_head(BINDING_SUCCESS, signed) + COOKIE_BYTES,
            message_head(BINDING_SUCCESS, signed + FINGERPRINT_LENGTH) + COOKIE_BYTES,
        )


def _mapped_address(address: tuple[Any, ...], transaction_id: bytes) -> bytes:
    value = encode_xor_address(address, transaction_id)
    return attribute_header(XOR_MAPPED_ADDRESS, len(value)) + value
