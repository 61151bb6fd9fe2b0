"""A real coturn in a network of our own, with our configuration; the test runs on the client's side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from signaling.auth.turn import TurnCredential, turn_credential
from signaling.config import load_settings
from signaling.turn_config import TurnLimits, turnserver_conf
from tests.support import coturn, netns
from tests.support.turn_certificate import TurnCertificate

NODE_V4, TURN_V4 = netns.SERVER_V4
NODE_V6, TURN_V6 = netns.SERVER_V6
TURNS_PORT = coturn.TLS_PORT
TURNS_URL = f"turns:{TURN_V4}:{TURNS_PORT}?transport=tcp"

needs_turn = pytest.mark.skipif(
    (netns.why_not() or coturn.why_not()) is not None, reason=str(netns.why_not() or coturn.why_not())
)


@dataclass(frozen=True, slots=True)
class TurnWorld:
    networks: netns.Networks
    log: Path


def credential(
    who: str = "ada", *, ends_in: timedelta = timedelta(hours=1), secret: str = coturn.SECRET
) -> TurnCredential:
    return turn_credential(secret, who, datetime.now(UTC) + ends_in)


def configuration(limits: TurnLimits | None = None, *, certificate: TurnCertificate | None = None) -> str:
    """With a certificate, for TLS as well."""
    urls = (f"turn:{TURN_V4}", f"turn:{TURN_V4}?transport=tcp")
    values: dict[str, Any] = {"turn_secret": coturn.SECRET, "announce": (NODE_V4, NODE_V6)}
    if certificate is not None:
        urls = (*urls, TURNS_URL)
        values |= {"tls_cert": str(certificate.path), "tls_key": str(certificate.key)}
    settings = load_settings({"turn_url": urls, **values})
    peers = [ip_address(NODE_V4), ip_address(NODE_V6)]
    return turnserver_conf(settings, peers, limits or TurnLimits())


@contextmanager
def turn_world(
    directory: Path, *, change: Callable[[str], str] | None = None, **limits: Any
) -> Iterator[TurnWorld]:
    """`change` rewrites the configuration, to see what it is good for."""
    text = configuration(TurnLimits(**limits))
    text = change(text) if change else text
    with netns.networks() as networks:
        with netns.inside(networks.server):
            running = coturn.running_coturn(directory, text, listen=(TURN_V4, TURN_V6))
            log = running.__enter__()
        try:
            with netns.inside(networks.client):
                yield TurnWorld(networks, log)
        finally:
            running.__exit__(None, None, None)
