"""The self-signed certificate a node shows in DTLS, and the fingerprint by which the other side knows it.

WebRTC trusts no authority: each side sends the hash of its certificate through signaling, which is secure,
and compares (RFC 8827 section 6.5, RFC 8122 section 5).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

LIFETIME = timedelta(days=365)
CLOCK_SKEW = timedelta(days=1)

DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "sha-512": hashes.SHA512(),
    "sha-384": hashes.SHA384(),
    "sha-256": hashes.SHA256(),
}
"""Hash functions accepted in a fingerprint, best first. SHA-1 and MD5 are not."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """A P-256 key and a certificate signed with it. Compared by identity: it is a secret, not a value."""

    private_key: ec.EllipticCurvePrivateKey
    x509: x509.Certificate
    fingerprint: str
    """SHA-256, as in SDP: "AB:CD:...", 32 octets."""

    @classmethod
    def generate(cls, now: datetime) -> Certificate:
        """Make a key and a certificate valid from a day before `now` (which is aware) for a year."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "WebRTC")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - CLOCK_SKEW)
            .not_valid_after(now + LIFETIME)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate, fingerprint(certificate, "sha-256"))

    def __repr__(self) -> str:
        return f"Certificate({self.fingerprint})"


def fingerprint(certificate: x509.Certificate, algorithm: str) -> str:
    """Hash a certificate with one of `DIGESTS` and print it as SDP does."""
    return certificate.fingerprint(DIGESTS[algorithm]).hex(":").upper()


def matches_fingerprint(certificate: x509.Certificate, expected: Sequence[tuple[str, str]]) -> bool:
    """Whether a certificate is one of those announced, given as (algorithm, value) pairs.

    Only the best hash function among them counts (RFC 8122 section 5); with no acceptable one, nothing
    matches.
    """
    for algorithm in DIGESTS:
        values = [value for name, value in expected if name.lower() == algorithm]
        if values:
            actual = fingerprint(certificate, algorithm).encode()
            return any(
                hmac.compare_digest(actual, value.upper().encode("utf-8", "replace")) for value in values
            )
    return False
