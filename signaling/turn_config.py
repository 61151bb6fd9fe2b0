"""A turnserver.conf that fits our settings: coturn relays to our media nodes and to nothing else.

Two things turn a TURN server into somebody else's tool. Credentials are handed to every participant, so
whatever it relays to, every participant reaches: here that is the announced addresses and no other, least of
all the machine's own loopback, the networks behind it or a cloud's metadata (OWASP ASVS 17.1.1). And one
participant may ask for relays without end: here a quota holds for each of them, by the pseudonym that follows
the time in their username, and limits of bandwidth for each relay (17.1.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from signaling.addresses import IpAddress
from signaling.config import Settings
from signaling.errors import InvalidInputError
from signaling.ice_urls import PORT, SECURE_PORT, parse_ice_url

CONNECTIONS: Final = 2
"""Of a client: to publish and to subscribe."""
INTERFACES: Final = 2
"""Of a client, each of which asks for a relay of its own: Wi-Fi and mobile."""
GENERATIONS: Final = 2
"""An ICE restart asks for new relays before the old ones are given back."""

SPECIAL_PURPOSE: Final = (
    "0.0.0.0-0.255.255.255",
    "10.0.0.0-10.255.255.255",
    "100.64.0.0-100.127.255.255",
    "127.0.0.0-127.255.255.255",
    "169.254.0.0-169.254.255.255",
    "172.16.0.0-172.31.255.255",
    "192.0.0.0-192.0.0.255",
    "192.0.2.0-192.0.2.255",
    "192.88.99.0-192.88.99.255",
    "192.168.0.0-192.168.255.255",
    "198.18.0.0-198.19.255.255",
    "198.51.100.0-198.51.100.255",
    "203.0.113.0-203.0.113.255",
    "224.0.0.0-255.255.255.255",
    "::1-::ffff:ffff:ffff",
    "64:ff9b::-64:ff9b::ffff:ffff",
    "64:ff9b:1::-64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
    "100::-100::ffff:ffff:ffff:ffff",
    "2001::-2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    "2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "3fff::-3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
    "5f00::-5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fe80::-feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "ff00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
)
"""The registries of special-purpose addresses (RFC 6890 and what came after), IPv4 in disguise included."""
EVERYTHING: Final = ("0.0.0.0-255.255.255.255", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """`user_quota` None: as many relays as a participant has use for. Bytes are per second and relay."""

    user_quota: int | None = None
    total_quota: int = 1200
    max_bytes: int = 2_500_000
    first_relay_port: int = 49152
    last_relay_port: int = 65535


def turnserver_conf(
    settings: Settings,
    peers: Sequence[IpAddress],
    limits: TurnLimits = TurnLimits(),
    realm: str | None = None,
) -> str:
    """The file as text, the secret in it. `peers` are the addresses that clients send media to.

    Raises `InvalidInputError` where the settings have no TURN server, or no address that it could relay to.
    """
    if not settings.turn_url or settings.turn_secret is None:
        raise InvalidInputError(
            "turn-config needs --turn-url and a secret: they say what the TURN server is to be"
        )
    reachable = [peer for peer in peers if not peer.is_loopback]
    if not reachable:
        raise InvalidInputError(
            "--announce: media is announced on loopback only, and a TURN server must not relay to that"
        )
    quota = limits.user_quota or user_quota(settings)
    lines = [
        *_listening(settings),
        *_authentication(settings, realm),
        *_peers(reachable),
        *_limits(limits, quota),
        *_hardening(),
    ]
    return "\n".join(lines) + "\n"


def user_quota(settings: Settings) -> int:
    """Relays that one participant may have at a time."""
    return CONNECTIONS * INTERFACES * GENERATIONS * max(len(settings.turn_url), 2)


def _listening(settings: Settings) -> Iterator[str]:
    urls = [parse_ice_url(text) for text in settings.turn_url]
    plain = [url.port for url in urls if not url.secure]
    secure = [url.port for url in urls if url.secure]
    yield "# Made by `rostrum turn-config`. Keep it readable for coturn alone: it holds the secret."
    yield "# Behind NAT add: external-ip=PUBLIC/PRIVATE"
    yield f"listening-port={plain[0] if plain else PORT}"
    if secure:
        yield f"tls-listening-port={secure[0]}"
        yield f"cert={settings.tls_cert or '/etc/coturn/fullchain.pem'}"
        yield f"pkey={settings.tls_key or '/etc/coturn/privkey.pem'}"
        yield "no-tlsv1"
        yield "no-tlsv1_1"
    else:
        yield f"tls-listening-port={SECURE_PORT}"
        yield "no-tls"
    yield "no-dtls"


def _authentication(settings: Settings, realm: str | None) -> Iterator[str]:
    assert settings.turn_secret is not None, "asked for before"
    yield ""
    yield "# Usernames are <end>:<pseudonym>; passwords follow from the secret."
    yield "use-auth-secret"
    yield f"static-auth-secret={settings.turn_secret.get_secret_value()}"
    yield f"realm={realm or parse_ice_url(settings.turn_url[0]).host}"
    yield "fingerprint"
    yield "stale-nonce=600"


def _peers(peers: Iterable[IpAddress]) -> Iterator[str]:
    yield ""
    yield "# Nothing is relayed but to the media nodes. Special-purpose ranges are named besides, so that"
    yield "# they stay closed when the two lines that deny everything are taken out."
    yield from (f"allowed-peer-ip={peer}" for peer in dict.fromkeys(peers))
    yield from (f"denied-peer-ip={addresses}" for addresses in (*EVERYTHING, *SPECIAL_PURPOSE))
    yield "no-multicast-peers"
    yield "no-tcp-relay"
    yield "no-dynamic-ip-list"


def _limits(limits: TurnLimits, quota: int) -> Iterator[str]:
    yield ""
    yield "# Relays of one participant, of all; bytes per second and direction of one relay."
    yield f"user-quota={quota}"
    yield f"total-quota={limits.total_quota}"
    yield f"max-bps={limits.max_bytes}"
    yield f"min-port={limits.first_relay_port}"
    yield f"max-port={limits.last_relay_port}"


def _hardening() -> Iterator[str]:
    yield ""
    yield "no-cli"
    yield "no-software-attribute"
    yield "no-rfc5780"
    yield "no-stun-backward-compatibility"
    yield "response-origin-only-with-rfc5780"
    yield "simple-log"
    yield "log-file=stdout"
