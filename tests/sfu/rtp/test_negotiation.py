"""What is taken of an offer, and what receivers are given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.rtp.negotiation import (
    SUBSCRIBE_EXTENSIONS,
    choose_publish,
    codec_key,
    subscribe_codec,
    subscribe_extensions,
)
from sfu.rtp.parameters import Codec, Extension, ExtensionUri, MediaSection, Rid, SendTerms, SsrcGroup

OPUS = Codec("audio/opus", 109, 48000, 2, (("maxplaybackrate", "48000"), ("stereo", "1")), ("transport-cc",))
PCMU = Codec("audio/PCMU", 0, 8000)
VP8 = Codec(
    "video/VP8", 120, 90000, feedback=("nack", "nack pli", "ccm fir", "transport-cc", "goog-remb", "x")
)
VP9 = Codec("video/VP9", 121, 90000, parameters=(("profile-id", "0"),))
AV1 = Codec("video/AV1", 45, 90000)
RTX = Codec("video/rtx", 124, 90000, parameters=(("apt", "120"),))
TWCC = Extension(7, ExtensionUri.TWCC)
RID = Extension(8, ExtensionUri.RID)


def h264(profile: str | None, mode: str | None = "1") -> Codec:
    parameters = [("profile-level-id", profile), ("packetization-mode", mode)]
    return Codec("video/H264", 126, 90000, parameters=tuple(p for p in parameters if p[1] is not None))


def h265(**parameters: str) -> Codec:
    pairs = tuple((name.replace("_", "-"), value) for name, value in parameters.items())
    return Codec("video/H265", 49, 90000, parameters=pairs)


def section(*codecs: Codec, **fields: object) -> MediaSection:
    return MediaSection("0", codecs[0].kind, codecs=codecs, **fields)  # type: ignore[arg-type]


def test_the_clients_first_codec_that_we_know_is_chosen_with_its_retransmissions() -> None:
    chosen = choose_publish(section(Codec("video/H261", 31, 90000), VP8, VP9, RTX))
    assert chosen is not None
    assert chosen.codec.mime == "video/VP8"
    assert chosen.rtx_payload_type == 124


def test_retransmissions_of_another_codec_are_not_taken() -> None:
    chosen = choose_publish(section(VP9, VP8, RTX))
    assert chosen is not None
    assert (chosen.codec.mime, chosen.rtx_payload_type) == ("video/VP9", None)


def test_nothing_is_chosen_where_we_know_nothing() -> None:
    assert choose_publish(section(PCMU)) is None
    assert choose_publish(section(RTX)) is None
    assert choose_publish(MediaSection("0", "video")) is None
    assert choose_publish(MediaSection("0", "application")) is None


def test_a_codec_must_be_of_the_sections_kind() -> None:
    assert codec_key(Codec("audio/VP8", 96, 90000)) is None
    assert codec_key(Codec("video/opus", 96, 48000, 2)) is None


def test_feedback_is_what_both_know_and_transport_cc_needs_its_extension() -> None:
    with_extension = choose_publish(section(VP8, extensions=(TWCC,)))
    without = choose_publish(section(VP8))
    assert with_extension is not None
    assert without is not None
    assert with_extension.codec.feedback == ("nack", "nack pli", "ccm fir", "transport-cc")
    assert without.codec.feedback == ("nack", "nack pli", "ccm fir", "goog-remb")


def test_opus_is_answered_with_error_correction_and_the_clients_own_wishes() -> None:
    chosen = choose_publish(section(OPUS))
    assert chosen is not None
    assert dict(chosen.codec.parameters) == {"maxplaybackrate": "48000", "stereo": "1", "useinbandfec": "1"}


def test_opus_is_answered_on_the_terms_of_the_grant() -> None:
    chosen = choose_publish(section(OPUS), SendTerms(dtx=True))
    assert chosen is not None
    assert dict(chosen.codec.parameters) == {"maxplaybackrate": "48000", "useinbandfec": "1", "usedtx": "1"}
    assert subscribe_codec(chosen.codec)[0].parameter("stereo") is None

    chosen = choose_publish(section(OPUS), SendTerms(stereo=True, average_bitrate=256_000))
    assert chosen is not None
    answered = dict(chosen.codec.parameters)
    assert (answered["stereo"], answered["maxaveragebitrate"]) == ("1", "256000")
    assert "usedtx" not in answered
    assert subscribe_codec(chosen.codec)[0].parameter("sprop-stereo") == "1", "receivers are told"


def test_what_a_client_says_of_dtx_itself_is_kept() -> None:
    opus = Codec("audio/opus", 109, 48000, 2, (("usedtx", "0"),))
    chosen = choose_publish(section(opus), SendTerms(dtx=True))
    assert chosen is not None
    assert chosen.codec.parameter("usedtx") == "0"


@pytest.mark.parametrize("first", [True, False])
def test_redundancy_of_the_chosen_codec_is_taken_in_the_clients_order(first: bool) -> None:
    red = Codec("audio/red", 63, 48000, 2, (("109/109", None),))
    chosen = choose_publish(section(*((red, OPUS) if first else (OPUS, red))))
    assert chosen is not None
    assert (chosen.codec.mime, chosen.red_payload_type, chosen.prefers_red) == ("audio/opus", 63, first)


@pytest.mark.parametrize(
    "red",
    [
        Codec("audio/red", 63, 48000, 2, (("0/109", None),)),
        Codec("audio/red", 63, 48000, 2, (("110/110", None),)),
        Codec("audio/red", 63, 8000, 1, (("109/109", None),)),
        Codec("audio/red", 63, 48000, 2),
    ],
)
def test_redundancy_of_another_codec_is_not_taken(red: Codec) -> None:
    chosen = choose_publish(section(OPUS, red))
    assert chosen is not None
    assert chosen.red_payload_type is None


def test_simulcast_keeps_the_clients_order_and_at_most_three_encodings() -> None:
    rids = tuple(Rid(name, "send") for name in "abcd")
    chosen = choose_publish(
        section(VP8, rids=rids, simulcast_send=("a", "b", "c", "d"), extensions=(RID,), ssrcs=(1,))
    )
    assert chosen is not None
    assert chosen.rids == ("a", "b", "c")
    assert chosen.ssrc is None


def test_simulcast_needs_packets_that_name_their_encoding() -> None:
    chosen = choose_publish(section(VP8, simulcast_send=("a", "b")))
    assert chosen is not None
    assert chosen.rids == ()


def test_announced_ssrcs_are_taken_with_their_retransmissions() -> None:
    groups = (SsrcGroup("SIM", (5, 6)), SsrcGroup("FID", (7, 8)), SsrcGroup("FID", (5, 9)))
    chosen = choose_publish(section(VP8, RTX, ssrcs=(5, 9), ssrc_groups=groups))
    assert chosen is not None
    assert (chosen.ssrc, chosen.rtx_ssrc) == (5, 9)
    without_rtx = choose_publish(section(VP8, ssrcs=(5, 9), ssrc_groups=groups))
    assert without_rtx is not None
    assert (without_rtx.ssrc, without_rtx.rtx_ssrc) == (5, None)


def test_extensions_keep_the_clients_ids_and_fit_one_byte_headers() -> None:
    offered = (TWCC, Extension(15, ExtensionUri.MID), Extension(2, "urn:unknown"), RID)
    chosen = choose_publish(section(VP8, extensions=offered))
    assert chosen is not None
    assert chosen.extensions == (TWCC, RID)
    assert chosen.extension_id(ExtensionUri.TWCC) == 7
    assert chosen.extension_id(ExtensionUri.MID) is None


def test_the_dependency_descriptor_is_for_codecs_that_say_their_layers_nowhere_else() -> None:
    descriptor = Extension(12, ExtensionUri.DEPENDENCY_DESCRIPTOR)
    for codec, described in ((AV1, True), (h264("42e01f"), True), (h265(), True), (VP8, False), (VP9, False)):
        chosen = choose_publish(section(codec, extensions=(descriptor,)))
        assert chosen is not None
        assert (descriptor in chosen.extensions) is described
        uris = {extension.uri for extension in subscribe_extensions(codec)}
        assert (ExtensionUri.DEPENDENCY_DESCRIPTOR in uris) is described


@pytest.mark.parametrize(
    ("codec", "key"),
    [
        (h264("42e01f"), "h264/42e0"),
        (h264("42E034"), "h264/42e0"),
        (h264("42c01f"), "h264/42e0"),
        (h264("42001f"), "h264/4200"),
        (h264(None), "h264/4200"),
        (h264("4d001f"), "h264/4d00"),
        (h264("640032"), "h264/6400"),
        (h264("640c1f"), "h264/640c"),
        (h264("f4001f"), None),
        (h264("42e01f", "0"), None),
        (h264("42e01f", None), None),
        (h265(), "h265/1"),
        (h265(profile_id="1", tier_flag="0", level_id="180", tx_mode="SRST"), "h265/1"),
        (h265(profile_id="2"), "h265/2"),
        (h265(profile_id="3"), None),
        (h265(profile_space="1"), None),
        (h265(tier_flag="1"), None),
        (h265(tx_mode="MRST"), None),
        (h265(sprop_max_don_diff="1"), None),
        (Codec("video/vp9", 1, 90000), "vp9/0"),
        (Codec("video/VP9", 1, 90000, parameters=(("profile-id", "2"),)), "vp9/2"),
        (Codec("video/VP9", 1, 90000, parameters=(("profile-id", "1"),)), None),
        (Codec("video/AV1", 1, 90000, parameters=(("profile", "1"),)), None),
        (Codec("audio/opus", 1, 48000, 1), None),
        (Codec("video/h264/42e0", 1, 90000), None),
    ],
)
def test_codecs_are_told_apart_by_name_and_profile(codec: Codec, key: str | None) -> None:
    assert codec_key(codec) == key


def test_receivers_get_numbers_of_ours_and_one_meaning_for_each() -> None:
    seen: dict[int, str] = {}
    profiles = [h264(one) for one in ("42e01f", "42001f", "4d001f", "64001f", "640c1f")]
    for codec in (OPUS, VP8, VP9, AV1, *profiles, h265(), h265(profile_id="2")):
        ours, rtx = subscribe_codec(codec)
        assert ours.mime.lower() == codec.mime.lower()
        assert (rtx is None) == (codec.kind == "audio")
        for payload_type in (ours.payload_type, *(() if rtx is None else (rtx,))):
            assert payload_type not in seen
            assert not 64 <= payload_type <= 95, "would be taken for RTCP"
            seen[payload_type] = ours.mime
    assert subscribe_codec(h264("42e034")) == subscribe_codec(h264("42e01f"))


def test_extensions_towards_receivers_fit_one_byte_headers() -> None:
    ids = list(SUBSCRIBE_EXTENSIONS.values())
    assert len(set(ids)) == len(ids)
    assert all(1 <= id_ <= 14 for id_ in ids)
    audio = {extension.uri for extension in subscribe_extensions(OPUS)}
    assert ExtensionUri.AUDIO_LEVEL in audio
    assert ExtensionUri.VIDEO_ORIENTATION not in audio
    assert ExtensionUri.RID not in audio


@given(st.text(max_size=12), st.text(max_size=12), st.dictionaries(st.text(max_size=8), st.text(max_size=8)))
def test_any_codec_has_a_key_or_none(kind: str, name: str, parameters: dict[str, str]) -> None:
    for candidate in (f"{kind}/{name}", f"video/{name}", "video/H264", "video/H265", "video/VP9"):
        codec = Codec(candidate, 96, 90000, parameters=tuple(parameters.items()))
        if codec_key(codec) is not None:
            assert subscribe_codec(codec)[0].kind == codec.kind
