"""URLs of STUN and TURN servers as browsers take them (RFC 7064, RFC 7065), read before they are relied on.

stun:stun.example.org            turn:turn.example.org:3478?transport=udp
stun:192.0.2.1:3478              turns:turn.example.org:443?transport=tcp
                                 turn:[2001:db8::1]
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

_URL: Final = re.compile(
    r"(?P<scheme>stuns?|turns?):(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)"
    r"(?::(?P<port>\d{1,5}))?(?:\?transport=(?P<transport>udp|tcp))?"
)
PORT: Final = 3478
SECURE_PORT: Final = 5349


@dataclass(frozen=True, slots=True)
class IceUrl:
    """`host` is without brackets. `transport` is that between client and server; the relay itself is UDP."""

    text: str
    scheme: Literal["stun", "turn"]
    secure: bool
    host: str
    port: int
    transport: Literal["udp", "tcp"]


def parse_ice_url(text: str) -> IceUrl:
    """Raises `ValueError` with a sentence that says what a right one looks like."""
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text!r} is not the URL of a STUN or TURN server; right are for example "
            "turn:turn.example.org:3478?transport=udp and turns:turn.example.org:5349"
        )
    scheme, secure = match["scheme"], match["scheme"].endswith("s")
    is_turn = scheme.startswith("turn")
    if match["transport"] and not is_turn:
        raise ValueError(f"{text!r}: only turn: and turns: have a transport (RFC 7064)")
    port = int(match["port"]) if match["port"] else (SECURE_PORT if secure else PORT)
    if not 0 < port < 65536:
        raise ValueError(f"{text!r}: there is no port {port}")
    transport = match["transport"] or ("tcp" if secure else "udp")
    return IceUrl(
        text=text,
        scheme="turn" if is_turn else "stun",
        secure=secure,
        host=match["host"].strip("[]"),
        port=port,
        transport="tcp" if transport == "tcp" else "udp",
    )
