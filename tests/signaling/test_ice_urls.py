from __future__ import annotations

import pytest

from signaling.ice_urls import parse_ice_url


@pytest.mark.parametrize(
    ("text", "scheme", "secure", "host", "port", "transport"),
    [
        ("stun:stun.example.org", "stun", False, "stun.example.org", 3478, "udp"),
        ("stuns:stun.example.org", "stun", True, "stun.example.org", 5349, "tcp"),
        ("turn:192.0.2.1:80", "turn", False, "192.0.2.1", 80, "udp"),
        ("turn:t.example.org?transport=tcp", "turn", False, "t.example.org", 3478, "tcp"),
        ("turns:t.example.org:443?transport=tcp", "turn", True, "t.example.org", 443, "tcp"),
        ("turn:[2001:db8::1]:3479?transport=udp", "turn", False, "2001:db8::1", 3479, "udp"),
    ],
)
def test_a_url_says_where_and_how(
    text: str, scheme: str, secure: bool, host: str, port: int, transport: str
) -> None:
    url = parse_ice_url(text)
    assert (url.scheme, url.secure, url.host, url.port, url.transport) == (
        scheme,
        secure,
        host,
        port,
        transport,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "turn.example.org",
        "http://turn.example.org",
        "turn://turn.example.org",
        "turn:",
        "turn:a b",
        "turn:host:0",
        "turn:host:65536",
        "turn:host?transport=sctp",
        "stun:host?transport=udp",
        "turn:user@host",
    ],
)
def test_what_browsers_would_refuse_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"STUN or TURN|no port|transport"):
        parse_ice_url(text)
