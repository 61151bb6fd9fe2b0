"""`turns:` of a real coturn with a certificate of its own: relayed where it is trusted, refused elsewhere."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sfu.probe.turn import TurnClient
from signaling.config import load_settings
from signaling.doctor.network import TurnCheck
from signaling.turn_config import turnserver_conf
from tests.support import coturn, netns
from tests.support.turn_world import NODE_V4, TURN_V4, TURN_V6, credential, needs_turn

pytestmark = needs_turn
PORT = 5349


def write_certificate(directory: Path, address: str) -> tuple[Path, Path]:
    """A certificate that signs itself, for one address, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "turn")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = directory / "turn.pem", directory / "turn.key"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_path, key_path


@contextmanager
def secure_turn(directory: Path, *, address: str = TURN_V4) -> Iterator[tuple[netns.Networks, Path]]:
    """coturn with TLS, and its certificate; the block runs on the client's side."""
    certificate, key = write_certificate(directory, address)
    settings = load_settings(
        {
            "turn_url": (f"turn:{TURN_V4}", f"turns:{TURN_V4}:{PORT}?transport=tcp"),
            "turn_secret": coturn.SECRET,
            "announce": (NODE_V4,),
            "tls_cert": str(certificate),
            "tls_key": str(key),
        }
    )
    text = turnserver_conf(settings, [ip_address(NODE_V4)])
    with netns.networks() as networks:
        with netns.inside(networks.server):
            running = coturn.running_coturn(directory / "coturn", text, listen=(TURN_V4, TURN_V6))
            running.__enter__()
        try:
            with netns.inside(networks.client):
                yield networks, certificate
        finally:
            running.__exit__(None, None, None)


async def test_media_is_relayed_over_tls_where_the_certificate_is_trusted(tmp_path: Path) -> None:
    with secure_turn(tmp_path) as (networks, certificate):
        with netns.inside(networks.server):
            node = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            node.bind((NODE_V4, 0))
            node.setblocking(False)
        trust = ssl.create_default_context(cafile=str(certificate))
        given = credential()
        with node:
            async with (
                asyncio.timeout(20),
                TurnClient.connect(TURN_V4, PORT, transport="tcp", tls=trust) as client,
            ):
                relayed, _ = await client.allocate(given.username, given.password)
                assert relayed == TURN_V4
                await client.create_permission(node.getsockname())
                await client.send(node.getsockname(), b"hello")
                data, relay = await asyncio.get_running_loop().sock_recvfrom(node, 100)
                assert data == b"hello"
                node.sendto(b"welcome", relay)
                assert await client.receive() == (node.getsockname(), b"welcome")


async def test_a_certificate_that_nobody_vouches_for_is_refused_and_the_doctor_says_so(
    tmp_path: Path,
) -> None:
    with secure_turn(tmp_path):
        with pytest.raises(ssl.SSLCertVerificationError):
            async with TurnClient.connect(TURN_V4, PORT, transport="tcp", tls=ssl.create_default_context()):
                pass
        settings = load_settings(
            {"turn_url": (f"turns:{TURN_V4}:{PORT}?transport=tcp",), "turn_secret": coturn.SECRET}
        )
        (finding,) = await TurnCheck(settings, datetime.now(UTC), server_runs=False).look()
        assert "TLS" in str(finding)
        assert "certificate" in str(finding).lower()


async def test_a_certificate_of_somebody_else_is_refused(tmp_path: Path) -> None:
    with secure_turn(tmp_path, address="192.0.2.1") as (_, certificate):
        trust = ssl.create_default_context(cafile=str(certificate))
        with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
            async with TurnClient.connect(TURN_V4, PORT, transport="tcp", tls=trust):
                pass
