"""Candidates: what browsers write is read, what we announce they understand, nothing else passes."""

from __future__ import annotations

import pytest
from aiortc.sdp import candidate_from_sdp
from hypothesis import given
from hypothesis import strategies as st

from sfu.errors import SdpError
from sfu.webrtc.candidate import Candidate, candidate_priority, host_candidates, parse_candidate

CHROMIUM_HOST = (
    "candidate:3098175849 1 udp 2113937151 1b4f9a1f-0d0c-4f6e-9a3e-7b0f8f6a3f11.local 51234 typ host "
    "generation 0 ufrag 8hhY network-cost 999"
)
CHROMIUM_SRFLX = (
    "candidate:842163049 1 udp 1677729535 203.0.113.5 51234 typ srflx raddr 0.0.0.0 rport 0 generation 0"
)
CHROMIUM_TCP = "candidate:1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0"
FIREFOX_HOST = "candidate:0 1 UDP 2122252543 192.0.2.1 38478 typ host"


def test_a_candidate_with_a_name_for_an_address_is_read() -> None:
    candidate = parse_candidate(CHROMIUM_HOST)
    assert candidate.host.endswith(".local")
    assert (candidate.transport, candidate.type, candidate.port) == ("udp", "host", 51234)
    assert dict(candidate.extensions)["ufrag"] == "8hhY"


def test_reflexive_and_tcp_candidates_are_read() -> None:
    assert parse_candidate(CHROMIUM_SRFLX).related == ("0.0.0.0", 0)
    assert parse_candidate(CHROMIUM_TCP).tcp_type == "active"
    assert parse_candidate("a=" + FIREFOX_HOST).transport == "udp"


@pytest.mark.parametrize("line", [CHROMIUM_HOST, CHROMIUM_SRFLX, CHROMIUM_TCP])
def test_what_is_read_is_printed_again(line: str) -> None:
    assert sorted(parse_candidate(line).to_sdp().split()) == sorted(line.split())
    assert parse_candidate(parse_candidate(line).to_sdp()) == parse_candidate(line)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "candidate:",
        "candidate:1 1 udp 1 192.0.2.1 9",
        "candidate:1 1 udp 1 192.0.2.1 9 type host",
        "candidate:1 1 udp 1 192.0.2.1 99999 typ host",
        "candidate:1 1 udp -1 192.0.2.1 9 typ host",
        "candidate:1 1 udp ٣ 192.0.2.1 9 typ host",
        "candidate:1 1 sctp 1 192.0.2.1 9 typ host",
        "candidate:1 1 udp 1 192.0.2.1 9 typ guest",
        "candidate:1 1 udp 1 192.0.2.1 9 typ host generation",
        "candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype sideways",
        "candidate:1 1 udp 1 192.0.2.1\r\na=evil 9 typ host",
        "candidate:1 1 udp 1 " + "a" * 2000 + " 9 typ host",
    ],
)
def test_nonsense_is_refused(line: str) -> None:
    with pytest.raises(SdpError):
        parse_candidate(line)


@given(st.text(max_size=120) | st.lists(st.sampled_from(CHROMIUM_HOST.split()), max_size=14).map(" ".join))
def test_any_text_raises_nothing_but_sdp_error(line: str) -> None:
    try:
        candidate = parse_candidate(line)
    except SdpError:
        return
    assert parse_candidate(candidate.to_sdp()) == candidate


def test_priorities_are_those_of_the_rfc() -> None:
    assert candidate_priority("host", 65535) == 2130706431
    assert candidate_priority("srflx", 65535) == 1694498815


def test_a_node_announces_udp_before_tcp_and_its_first_address_first() -> None:
    announced = host_candidates(["192.0.2.1", "198.51.100.1"], 40000, tcp=True)
    assert in_order(announced) == [
        ("udp", "192.0.2.1"),
        ("udp", "198.51.100.1"),
        ("tcp", "192.0.2.1"),
        ("tcp", "198.51.100.1"),
    ]
    assert len({c.foundation for c in announced}) == 4
    assert len({c.priority for c in announced}) == 4
    assert [c.transport for c in host_candidates(["192.0.2.1"], 40000, tcp=False)] == ["udp"]


def test_ipv6_and_ipv4_take_turns_with_ipv6_first() -> None:
    hosts = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2"]
    announced = host_candidates(hosts, 40000, tcp=False)
    assert [host for _, host in in_order(announced)] == [
        "2001:db8::1",
        "192.0.2.1",
        "2001:db8::2",
        "192.0.2.2",
        "192.0.2.3",
    ]


def in_order(candidates: list[Candidate]) -> list[tuple[str, str]]:
    return [(c.transport, c.host) for c in sorted(candidates, key=lambda c: -c.priority)]


def test_aiortc_reads_what_we_announce() -> None:
    udp, tcp = host_candidates(["192.0.2.1"], 40000, tcp=True)
    theirs = candidate_from_sdp(udp.to_sdp().removeprefix("candidate:"))
    assert (theirs.ip, theirs.port, theirs.protocol, theirs.type) == ("192.0.2.1", 40000, "udp", "host")
    theirs = candidate_from_sdp(tcp.to_sdp().removeprefix("candidate:"))
    assert theirs.tcpType == "passive"
    assert isinstance(udp, Candidate)
