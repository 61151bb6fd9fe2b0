"""Answers to publishers and offers to subscribers, from and for what browsers really say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sfu.errors import SdpError
from sfu.rtp.negotiation import choose_publish, subscribe_codec
from sfu.rtp.parameters import Codec, Direction, ExtensionUri, PublishParameters, Rid
from sfu.webrtc.candidate import host_candidates
from sfu.webrtc.description import (
    LocalTransport,
    SubscribeSection,
    publish_answer,
    read_subscribe_answer,
    subscribe_offer,
)
from sfu.webrtc.sdp import SessionDescription, parse_sdp, to_sdp
from tests.vectors.sdp import read

LOCAL = LocalTransport(
    "node", "n" * 24, ":".join(["AB"] * 32), tuple(host_candidates(["192.0.2.1"], 40000, tcp=True))
)
ALL_CODECS = (
    Codec("audio/opus", 1, 48000, 2),
    Codec("video/VP8", 1, 90000),
    Codec("video/VP9", 1, 90000),
    Codec("video/VP9", 1, 90000, parameters=(("profile-id", "2"),)),
    *(
        Codec("video/H264", 1, 90000, parameters=(("packetization-mode", "1"), ("profile-level-id", profile)))
        for profile in ("42e01f", "42001f", "4d001f", "64001f", "640c1f")
    ),
    Codec("video/AV1", 1, 90000),
)


def choose_all(offer: SessionDescription) -> dict[str, PublishParameters]:
    chosen = {section.mid: choose_publish(section) for section in offer.sections}
    return {mid: parameters for mid, parameters in chosen.items() if parameters is not None}


def subscription(index: int, codec: Codec) -> SubscribeSection:
    ours, rtx = subscribe_codec(codec)
    return SubscribeSection(
        mid=str(index),
        kind="audio" if ours.kind == "audio" else "video",
        codec=ours,
        rtx_payload_type=rtx,
        ssrc=1000 + index,
        rtx_ssrc=None if rtx is None else 2000 + index,
        cname="node",
        stream_id="peer",
        track_id=f"track-{index}",
    )


def test_a_simulcast_offer_is_answered_with_one_codec_and_the_clients_rids() -> None:
    offer = parse_sdp(read("chromium_publish_offer"))
    answer = parse_sdp(to_sdp(publish_answer(offer, choose_all(offer), LOCAL)))
    audio, video = answer.sections
    assert (answer.setup, answer.ice_lite, answer.bundle) == ("passive", True, ("0", "1"))
    assert (answer.ice_ufrag, answer.ice_pwd) == (LOCAL.ufrag, LOCAL.pwd)
    assert answer.fingerprints == (("sha-256", LOCAL.fingerprint),)
    candidates = tuple(candidate.to_sdp() for candidate in LOCAL.candidates)
    assert (audio.candidates, video.candidates) == (candidates, candidates)
    assert "trickle" in answer.ice_options
    assert [codec.mime for codec in audio.codecs] == ["audio/opus", "audio/red"]
    assert [(c.mime, c.payload_type) for c in video.codecs] == [("video/VP8", 96), ("video/rtx", 97)]
    assert (audio.direction, video.direction) == (Direction.RECVONLY, Direction.RECVONLY)
    assert video.simulcast_recv == ("l", "m", "h")
    assert video.rids == (Rid("l", "recv"), Rid("m", "recv"), Rid("h", "recv"))
    assert all(section.rtcp_mux and section.rtcp_rsize for section in answer.sections)


def test_sections_that_were_not_chosen_are_inactive_and_can_be_used_later() -> None:
    offer = parse_sdp(read("chromium_publish_offer"))
    chosen = choose_all(offer)
    del chosen["1"]
    answer = publish_answer(offer, chosen, LOCAL)
    assert [section.direction for section in answer.sections] == [Direction.RECVONLY, Direction.INACTIVE]
    assert not answer.sections[1].is_rejected
    assert answer.sections[1].codecs


def test_data_channels_are_accepted_with_the_largest_message_we_take() -> None:
    offer = parse_sdp(read("chromium_publish_reoffer"))
    answer = publish_answer(offer, choose_all(offer), LOCAL, max_message=70_000)
    assert [section.port for section in answer.sections] == [9, 9, 9, 9]
    assert answer.bundle == ("0", "1", "2", "3")
    assert answer.sections[1].direction is Direction.INACTIVE, "the client sends nothing there"
    data = answer.sections[3]
    assert (data.protocol, data.formats) == ("UDP/DTLS/SCTP", ("webrtc-datachannel",))
    assert (data.sctp_port, data.max_message_size) == (5000, 70_000)
    assert parse_sdp(to_sdp(answer)) == answer


@pytest.mark.parametrize("change", [{"protocol": "DTLS/SCTP"}, {"sctp_port": None}, {"port": 0}])
def test_data_channels_that_we_do_not_speak_are_rejected_and_leave_the_bundle(change: Any) -> None:
    offer = parse_sdp(read("chromium_publish_reoffer"))
    offer = replace(offer, sections=(*offer.sections[:3], replace(offer.sections[3], **change)))
    answer = publish_answer(offer, choose_all(offer), LOCAL)
    assert answer.sections[3].is_rejected
    assert answer.bundle == ("0", "1", "2")


def test_of_two_m_lines_for_data_channels_the_first_is_answered() -> None:
    offer = parse_sdp(read("chromium_publish_reoffer"))
    second = replace(offer.sections[3], mid="4")
    offer = replace(offer, bundle=(*offer.bundle, "4"), sections=(*offer.sections, second))
    answer = publish_answer(offer, choose_all(offer), LOCAL)
    assert [section.is_rejected for section in answer.sections[3:]] == [False, True]


def test_a_section_without_a_codec_of_ours_is_rejected_and_the_next_carries_the_candidates() -> None:
    offer = parse_sdp(read("chromium_publish_offer"))
    audio = replace(offer.sections[0], codecs=(Codec("audio/PCMU", 0, 8000),))
    offer = replace(offer, sections=(audio, offer.sections[1]))
    answer = publish_answer(offer, choose_all(offer), LOCAL)
    assert answer.sections[0].is_rejected
    assert answer.bundle == ("1",)
    assert answer.sections[0].candidates == ()
    assert answer.sections[1].candidates
    assert parse_sdp(to_sdp(answer)) == answer


def test_sections_outside_the_bundle_or_without_rtcp_mux_are_rejected() -> None:
    offer = parse_sdp(read("chromium_publish_offer"))
    alone = replace(offer, bundle=("0",))
    assert publish_answer(alone, choose_all(alone), LOCAL).sections[1].is_rejected
    unmuxed = replace(offer, sections=(offer.sections[0], replace(offer.sections[1], rtcp_mux=False)))
    assert publish_answer(unmuxed, choose_all(unmuxed), LOCAL).sections[1].is_rejected


def test_firefoxs_offer_is_answered() -> None:
    offer = parse_sdp(read("firefox_publish_offer"))
    answer = publish_answer(offer, choose_all(offer), LOCAL, session_version=4)
    assert answer.session_version == 4
    assert answer.sections[1].simulcast_recv == ("q", "h")
    assert {e.uri for e in answer.sections[1].extensions} >= {ExtensionUri.RID, ExtensionUri.TWCC}
    assert parse_sdp(to_sdp(answer)) == answer


@pytest.mark.parametrize(
    "change", [{"setup": "passive"}, {"ice_ufrag": ""}, {"ice_pwd": ""}, {"fingerprints": ()}]
)
def test_an_offer_that_cannot_lead_to_a_connection_is_refused(change: dict[str, object]) -> None:
    offer = replace(parse_sdp(read("chromium_publish_offer")), **change)  # type: ignore[arg-type]
    with pytest.raises(SdpError):
        publish_answer(offer, choose_all(offer), LOCAL)


def test_an_offer_to_subscribe_says_what_a_receiver_needs() -> None:
    offer = subscribe_offer(
        [subscription(0, ALL_CODECS[0]), subscription(1, ALL_CODECS[1])], LOCAL, session_version=3
    )
    assert (offer.setup, offer.ice_lite, offer.session_version) == ("actpass", True, 3)
    audio, video = offer.sections
    assert (audio.ssrcs, video.ssrcs) == ((1000,), (1001, 2001))
    assert video.ssrc_groups[0].ssrcs == (1001, 2001)
    assert video.msid == ("peer", "track-1")
    assert video.direction is Direction.SENDONLY
    assert video.rtx_of(video.codecs[0].payload_type) is not None
    assert parse_sdp(to_sdp(offer)) == offer


def test_an_ended_subscription_keeps_its_section_and_says_nothing_of_its_source() -> None:
    ended = replace(subscription(0, ALL_CODECS[1]), active=False)
    offer = subscribe_offer([ended, subscription(1, ALL_CODECS[1])], LOCAL, session_version=1)
    section = offer.sections[0]
    assert (section.direction, section.ssrcs, section.msid) == (Direction.INACTIVE, (), None)
    assert offer.bundle == ("0", "1")
    assert parse_sdp(to_sdp(offer)) == offer


def test_a_stopped_section_stays_rejected() -> None:
    stopped = replace(subscription(0, ALL_CODECS[1]), stopped=True)
    offer = subscribe_offer([stopped, subscription(1, ALL_CODECS[1])], LOCAL, session_version=1)
    assert offer.sections[0].is_rejected
    assert offer.bundle == ("1",)
    assert offer.sections[1].candidates
    assert parse_sdp(to_sdp(offer)) == offer


def offered_to_chromium() -> list[SubscribeSection]:
    """What `chromium_subscribe_answer` answered: every codec of ours, the third section inactive."""
    sections = [subscription(index, codec) for index, codec in enumerate(ALL_CODECS)]
    sections[2] = replace(sections[2], active=False)
    return sections


def test_chromiums_answer_says_what_it_can_decode() -> None:
    answers = read_subscribe_answer(parse_sdp(read("chromium_subscribe_answer")), offered_to_chromium())
    # This build of Chromium decodes no high profile of H.264; the third section was not active.
    assert [mid for mid, answer in answers.items() if not answer.accepted] == ["2", "7", "8"]
    assert answers["1"].supports_rtx
    assert not answers["0"].supports_rtx
    assert "transport-cc" in answers["1"].feedback
    assert ExtensionUri.TWCC in answers["1"].extensions


def test_firefoxs_answer_says_what_it_takes() -> None:
    offered = [subscription(index, codec) for index, codec in enumerate(ALL_CODECS[:2])]
    audio, video = read_subscribe_answer(parse_sdp(read("firefox_subscribe_answer")), offered).values()
    assert audio.accepted
    assert not audio.supports_red
    assert video.accepted
    assert video.supports_rtx
    assert {"transport-cc", "goog-remb"} <= set(video.feedback)
    assert ExtensionUri.TWCC in audio.extensions & video.extensions


def test_an_answer_from_the_wrong_side_or_to_another_offer_is_refused() -> None:
    answer = parse_sdp(read("chromium_subscribe_answer"))
    offered = offered_to_chromium()
    for wrong in (
        replace(answer, setup="passive"),
        replace(answer, setup="actpass"),
        replace(answer, ice_ufrag=""),
        replace(answer, fingerprints=()),
        replace(answer, sections=answer.sections[:-1]),
        replace(answer, sections=answer.sections[::-1]),
    ):
        with pytest.raises(SdpError):
            read_subscribe_answer(wrong, offered)


def test_a_section_answered_with_another_payload_type_or_codec_is_not_accepted() -> None:
    answer = parse_sdp(read("chromium_subscribe_answer"))
    vp8 = answer.sections[1]
    for codec in (replace(vp8.codecs[0], payload_type=50), replace(vp8.codecs[0], mime="video/VP9")):
        changed = replace(
            answer, sections=(answer.sections[0], replace(vp8, codecs=(codec,)), *answer.sections[2:])
        )
        assert not read_subscribe_answer(changed, offered_to_chromium())["1"].accepted


def test_an_answer_that_rejects_everything_needs_no_transport() -> None:
    offered = [subscription(0, ALL_CODECS[0])]
    rejected = parse_sdp("v=0\r\nm=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n")
    assert not read_subscribe_answer(rejected, offered)["0"].accepted
