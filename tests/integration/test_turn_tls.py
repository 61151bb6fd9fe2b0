"""`turns:` of a real coturn with a certificate of its own: relayed where it is trusted, refused elsewhere."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sfu.probe.turn import TurnClient
from signaling.config import load_settings
from signaling.doctor.network import TurnCheck
from tests.support import coturn, netns
from tests.support.turn_certificate import write_certificate
from tests.support.turn_world import (
    NODE_V4,
    TURN_V4,
    TURN_V6,
    TURNS_PORT,
    TURNS_URL,
    configuration,
    credential,
    needs_turn,
)
from tests.support.wait import PATIENCE

pytestmark = needs_turn


@contextmanager
def secure_turn(directory: Path, *, address: str = TURN_V4) -> Iterator[tuple[netns.Networks, Path]]:
    """coturn with TLS, and its certificate; the block runs on the client's side."""
    certificate = write_certificate(directory, address)
    text = configuration(certificate=certificate)
    with netns.networks() as networks:
        with netns.inside(networks.server):
            running = coturn.running_coturn(directory / "coturn", text, listen=(TURN_V4, TURN_V6))
            running.__enter__()
        try:
            with netns.inside(networks.client):
                yield networks, certificate.path
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
                asyncio.timeout(PATIENCE),
                TurnClient.connect(TURN_V4, TURNS_PORT, transport="tcp", tls=trust) as client,
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
            async with TurnClient.connect(
                TURN_V4, TURNS_PORT, transport="tcp", tls=ssl.create_default_context()
            ):
                pass
        settings = load_settings({"turn_url": (TURNS_URL,), "turn_secret": coturn.SECRET})
        (finding,) = await TurnCheck(settings, datetime.now(UTC), server_runs=False).look()
        assert "TLS" in str(finding)
        assert "certificate" in str(finding).lower()


async def test_a_certificate_of_somebody_else_is_refused(tmp_path: Path) -> None:
    with secure_turn(tmp_path, address="192.0.2.1") as (_, certificate):
        trust = ssl.create_default_context(cafile=str(certificate))
        with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
            async with TurnClient.connect(TURN_V4, TURNS_PORT, transport="tcp", tls=trust):
                pass
