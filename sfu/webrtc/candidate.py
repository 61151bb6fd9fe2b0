"""ICE candidates as lines of SDP (RFC 8839 section 5.1), and the ones a node announces.

    candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host
    candidate:2 1 tcp 1518280447 192.0.2.1 40000 typ host tcptype passive

A browser may hide its address behind a name ending in ".local" (mDNS). A lite agent does not need to know it:
clients check us, we never check them, so names are accepted and left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from sfu.errors import SdpError

CandidateType = Literal["host", "srflx", "prflx", "relay"]
TcpType = Literal["active", "passive", "so"]

TYPE_PREFERENCE: dict[CandidateType, int] = {"host": 126, "prflx": 110, "srflx": 100, "relay": 0}
TCP_PENALTY = 36
"""Whatever its type, TCP is taken only where UDP fails: 90 against 126 for a host (RFC 6544 section 4.2)."""
TCP_DIRECTION_PREFERENCE: dict[TcpType, int] = {"active": 6, "passive": 4, "so": 2}
MAX_LINE = 1024
MAX_PRIORITY = 2**32 - 1

_TOKEN = re.compile(r"[!-~]{1,255}")
_FOUNDATION = re.compile(r"[A-Za-z0-9+/]{1,32}")
_TYPES: dict[str, CandidateType] = {name: name for name in TYPE_PREFERENCE}
_TCP_TYPES: dict[str, TcpType] = {name: name for name in TCP_DIRECTION_PREFERENCE}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One address to be reached at. `transport` is "udp" or "tcp"; `component` 1, since RTCP is muxed."""

    foundation: str
    component: int
    transport: str
    priority: int
    host: str
    port: int
    type: CandidateType = "host"
    tcp_type: TcpType | None = None
    related: tuple[str, int] | None = None
    extensions: tuple[tuple[str, str], ...] = ()

    def to_sdp(self) -> str:
        """The value of a=candidate, "candidate:" included."""
        words = [
            f"candidate:{self.foundation}",
            str(self.component),
            self.transport,
            str(self.priority),
            self.host,
            str(self.port),
            "typ",
            self.type,
        ]
        if self.related is not None:
            words += ["raddr", self.related[0], "rport", str(self.related[1])]
        if self.tcp_type is not None:
            words += ["tcptype", self.tcp_type]
        for name, value in self.extensions:
            words += [name, value]
        return " ".join(words)


def parse_candidate(text: str) -> Candidate:
    """Read a candidate as from SDP or `RTCIceCandidate.candidate`. Raises `SdpError`."""
    line = text.strip().removeprefix("a=").removeprefix("candidate:")
    words = line.split(" ")
    if len(line) > MAX_LINE or len(words) < 8 or words[6] != "typ":
        raise SdpError("a candidate has at least eight words and says its type")
    foundation, component, transport, priority, host, port, _, kind = words[:8]
    if not _FOUNDATION.fullmatch(foundation) or not all(_TOKEN.fullmatch(word) for word in words):
        raise SdpError("a candidate contains characters it must not")
    if kind not in _TYPES:
        raise SdpError("a candidate is of an unknown type")
    if transport.lower() not in ("udp", "tcp"):
        raise SdpError("a candidate is neither UDP nor TCP")
    rest = words[8:]
    if len(rest) % 2:
        raise SdpError("the extensions of a candidate come in pairs")
    pairs = dict(zip(rest[::2], rest[1::2], strict=True))
    tcp_type = pairs.pop("tcptype", None)
    if tcp_type is not None and tcp_type not in _TCP_TYPES:
        raise SdpError("a candidate has an unknown tcptype")
    related_host, related_port = pairs.pop("raddr", None), pairs.pop("rport", "0")
    return Candidate(
        foundation=foundation,
        component=_number(component, 256),
        transport=transport.lower(),
        priority=_number(priority, MAX_PRIORITY),
        host=host,
        port=_number(port, 65535),
        type=_TYPES[kind],
        tcp_type=None if tcp_type is None else _TCP_TYPES[tcp_type],
        related=None if related_host is None else (related_host, _number(related_port, 65535)),
        extensions=tuple(pairs.items()),
    )


def candidate_priority(kind: CandidateType, local_preference: int, *, component: int = 1) -> int:
    """RFC 8445 section 5.1.2.1; `local_preference` is 0 to 65535, higher is better."""
    return (TYPE_PREFERENCE[kind] << 24) + (local_preference << 8) + 256 - component


def tcp_candidate_priority(
    kind: CandidateType, tcp_type: TcpType, other_preference: int, *, component: int = 1
) -> int:
    """RFC 6544 section 4.2; `other_preference` is 0 to 8191."""
    local_preference = (TCP_DIRECTION_PREFERENCE[tcp_type] << 13) + other_preference
    preference = max(TYPE_PREFERENCE[kind] - TCP_PENALTY, 0)
    return (preference << 24) + (local_preference << 8) + 256 - component


def host_candidates(hosts: Sequence[str], port: int, *, tcp: bool) -> list[Candidate]:
    """What a node announces: each of its addresses by UDP and perhaps by TCP, any UDP before any TCP.

    Of one family the earlier address is preferred; the two families take turns, IPv6 first, so that one that
    does not work costs a client one check before the other is tried (RFC 8421 section 4).
    """
    hosts = _taking_turns(hosts)
    candidates = [
        Candidate(f"{n + 1}", 1, "udp", candidate_priority("host", 65535 - n), host, port)
        for n, host in enumerate(hosts)
    ]
    if tcp:
        for n, host in enumerate(hosts):
            priority = tcp_candidate_priority("host", "passive", 8191 - n)
            foundation = f"{len(hosts) + n + 1}"
            candidates.append(Candidate(foundation, 1, "tcp", priority, host, port, tcp_type="passive"))
    return candidates


def _taking_turns(hosts: Sequence[str]) -> list[str]:
    """Both families in their own order, alternately, beginning with IPv6."""
    families = [host for host in hosts if ":" in host], [host for host in hosts if ":" not in host]
    return [host for pair in zip_longest(*families) for host in pair if host is not None]


def _number(text: str, maximum: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10) or int(text) > maximum:
        raise SdpError("a number in a candidate is out of range")
    return int(text)
