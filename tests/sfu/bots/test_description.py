"""The bot's SDP, held against aiortc's parser and the node's."""

from __future__ import annotations

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from sfu.bots.description import (
    Candidate,
    LocalIce,
    OfferedMedia,
    parse_description,
    to_answer,
    to_offer,
)

LOCAL = LocalIce("abcd1234", "p" * 32, ":".join(["AB"] * 32))
AUDIO = OfferedMedia("0", "audio", 1000, 1001)
VIDEO = OfferedMedia("1", "video", 1002, 1003)
SIMULCAST = OfferedMedia("2", "video", 1004, 1005, rids=("q", "h", "f"))

SERVER_OFFER = "\r\n".join(
    [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1",
        "a=ice-lite",
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
        "c=IN IP4 0.0.0.0",
        "a=ice-ufrag:serv",
        "a=ice-pwd:secret",
        "a=fingerprint:sha-256 " + ":".join(["CD"] * 32),
        "a=setup:actpass",
        "a=candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host",
        "a=candidate:2 1 tcp 1520435199 192.0.2.1 40001 typ host tcptype passive",
        "a=candidate:3 1 tcp 1520435198 192.0.2.1 9 typ host tcptype active",
        "a=mid:0",
        "a=extmap:3/sendonly http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        "a=sendonly",
        "a=rtpmap:96 VP8/90000",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
        "a=ssrc-group:FID 5 6",
        "m=audio 0 UDP/TLS/RTP/SAVPF 111",
        "a=mid:1",
        "a=inactive",
        "",
    ]
)


def test_aiortc_reads_the_offer() -> None:
    parsed = SessionDescription.parse(to_offer(LOCAL, [AUDIO, VIDEO], version=1))
    assert [media.kind for media in parsed.media] == ["audio", "video"]
    assert [media.direction for media in parsed.media] == ["sendonly", "sendonly"]
    assert [codec.mimeType for codec in parsed.media[1].rtp.codecs] == ["video/VP8", "video/rtx"]
    assert parsed.media[1].ice.usernameFragment == LOCAL.ufrag
    assert [one.ssrc for one in parsed.media[1].ssrc] == [1002, 1003]


def test_a_withdrawn_line_stays_in_its_place_and_is_inactive() -> None:
    withdrawn = OfferedMedia("0", "audio", 1000, 1001, active=False)
    parsed = SessionDescription.parse(to_offer(LOCAL, [withdrawn, VIDEO], version=2))
    assert [media.direction for media in parsed.media] == ["inactive", "sendonly"]


def test_simulcast_encodings_are_named_and_have_no_ssrc() -> None:
    offer = to_offer(LOCAL, [SIMULCAST], version=1)
    assert "a=simulcast:send q;h;f" in offer
    assert [line for line in offer.splitlines() if line.startswith("a=rid:")] == [
        "a=rid:q send",
        "a=rid:h send",
        "a=rid:f send",
    ]
    assert "a=ssrc" not in offer


def test_a_servers_description_is_read() -> None:
    offer = parse_description(SERVER_OFFER)
    assert (offer.ufrag, offer.pwd) == ("serv", "secret")
    assert offer.fingerprints == (("sha-256", ":".join(["CD"] * 32)),)
    video, audio = offer.media
    assert (video.mid, video.direction, audio.mid, audio.direction) == ("0", "sendonly", "1", "inactive")
    assert video.rtx_payload_types == {97: 96}
    assert set(video.extensions.values()) == {3}


def test_only_candidates_a_client_can_use_are_taken() -> None:
    assert parse_description(SERVER_OFFER).candidates == (
        Candidate("udp", "192.0.2.1", 40000),
        Candidate("tcp", "192.0.2.1", 40001),
    )


def test_the_answer_mirrors_the_offer() -> None:
    answer = parse_description(to_answer(LOCAL, parse_description(SERVER_OFFER), version=1))
    assert [media.direction for media in answer.media] == ["recvonly", "inactive"]
    assert [media.port for media in answer.media] == [9, 0]
    assert answer.media[0].payload_types == ["96", "97"]
    assert answer.ufrag == LOCAL.ufrag


@pytest.mark.parametrize("lacking", ["ice-ufrag", "ice-pwd"])
def test_a_description_without_credentials_is_refused(lacking: str) -> None:
    sdp = "\r\n".join(line for line in SERVER_OFFER.split("\r\n") if not line.startswith(f"a={lacking}"))
    with pytest.raises(ValueError, match=lacking):
        parse_description(sdp)


@given(st.text(max_size=200))
def test_reading_rubbish_raises_nothing_but_value_errors(text: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        parse_description(text)
