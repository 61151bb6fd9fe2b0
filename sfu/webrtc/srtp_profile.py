"""What two sides of SRTP agree on: the protection profile, the master keys, and the keys derived from them.

DTLS exports one block of keying material (RFC 5764 section 4.2), which is cut into a master key and a master
salt for each direction. From a master pair, SRTP derives one key and salt for RTP and another for RTCP
(RFC 3711 section 4.3); libsrtp does that itself for AES-CM, for AES-GCM it is done here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

LABEL_RTP_ENCRYPTION = 0x00
LABEL_RTP_SALT = 0x02
LABEL_RTCP_ENCRYPTION = 0x03
LABEL_RTCP_SALT = 0x05

KDF_SALT_LENGTH = 14
"""The key derivation wants a 112-bit salt; the 96-bit one of AES-GCM is filled up with zeros on the right."""


class SrtpProfile(Enum):
    """A DTLS-SRTP protection profile, best first (RFC 5764 section 4.1.2, RFC 7714 section 14.2).

    The value is (OpenSSL's name, length of the master key, length of the master salt, bytes a packet grows).
    """

    AEAD_AES_128_GCM = (b"SRTP_AEAD_AES_128_GCM", 16, 12, 16)
    AEAD_AES_256_GCM = (b"SRTP_AEAD_AES_256_GCM", 32, 12, 16)
    AES128_CM_SHA1_80 = (b"SRTP_AES128_CM_SHA1_80", 16, 14, 10)

    def __init__(self, openssl_name: bytes, key_length: int, salt_length: int, overhead: int) -> None:
        self.openssl_name = openssl_name
        self.key_length = key_length
        self.salt_length = salt_length
        self.overhead = overhead

    @property
    def is_gcm(self) -> bool:
        return self is not SrtpProfile.AES128_CM_SHA1_80

    @property
    def material_length(self) -> int:
        """Bytes to export from DTLS: two keys and two salts."""
        return 2 * (self.key_length + self.salt_length)

    @classmethod
    def from_openssl_name(cls, name: bytes) -> SrtpProfile | None:
        return next((profile for profile in cls if profile.openssl_name == name), None)


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """The master keys of both directions; `client` and `server` are the DTLS roles."""

    profile: SrtpProfile
    client_key: bytes
    client_salt: bytes
    server_key: bytes
    server_salt: bytes

    @classmethod
    def from_exporter(cls, profile: SrtpProfile, material: bytes) -> SrtpKeys:
        """Cut the exported block: client key, server key, client salt, server salt (RFC 5764 section 4.2)."""
        assert len(material) == profile.material_length, "export exactly profile.material_length bytes"
        key, salt = profile.key_length, profile.salt_length
        return cls(
            profile=profile,
            client_key=material[:key],
            server_key=material[key : 2 * key],
            client_salt=material[2 * key : 2 * key + salt],
            server_salt=material[2 * key + salt :],
        )

    def __repr__(self) -> str:
        return f"SrtpKeys({self.profile.name})"


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """What AES-GCM works with: a key and a 96-bit salt for RTP, another pair for RTCP."""

    rtp_key: bytes
    rtp_salt: bytes
    rtcp_key: bytes
    rtcp_salt: bytes

    @classmethod
    def derive(cls, key: bytes, salt: bytes) -> SessionKeys:
        """Derive from a master pair, without rekeying (key derivation rate 0)."""
        return cls(
            rtp_key=derive_key(key, salt, LABEL_RTP_ENCRYPTION, len(key)),
            rtp_salt=derive_key(key, salt, LABEL_RTP_SALT, len(salt)),
            rtcp_key=derive_key(key, salt, LABEL_RTCP_ENCRYPTION, len(key)),
            rtcp_salt=derive_key(key, salt, LABEL_RTCP_SALT, len(salt)),
        )

    def __repr__(self) -> str:
        return "SessionKeys(...)"


def derive_key(master_key: bytes, master_salt: bytes, label: int, length: int) -> bytes:
    """The AES-CM pseudo-random function (RFC 3711 sections 4.3.1 and 4.3.3): `length` bytes for a label."""
    salt = int.from_bytes(master_salt.ljust(KDF_SALT_LENGTH, b"\0"), "big")
    block = ((salt ^ (label << 48)) << 16).to_bytes(16, "big")
    encryptor = Cipher(algorithms.AES(master_key), modes.CTR(block)).encryptor()
    return encryptor.update(bytes(length))
