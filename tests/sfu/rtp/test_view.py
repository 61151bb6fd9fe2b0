"""What a client that offers to receive gets, under its own numbers."""

from __future__ import annotations

from sfu.rtp.extensions import TWO_BYTE_PROFILE, parse_extensions, renumber, renumber_wide
from sfu.rtp.negotiation import SUBSCRIBE_EXTENSIONS
from sfu.rtp.parameters import Codec, Extension, ExtensionUri, MediaSection
from sfu.rtp.view import ViewParameters, choose_view
from sfu.webrtc.sdp import parse_sdp
from tests.vectors import sdp as vectors


def h264(profile: str, payload_type: int = 126) -> Codec:
    parameters = (("profile-level-id", profile), ("packetization-mode", "1"))
    return Codec("video/H264", payload_type, 90000, parameters=parameters)


def chromium_view(kind: str) -> ViewParameters:
    offer = parse_sdp(vectors.read("chromium_view_offer"))
    chosen = choose_view(next(section for section in offer.sections if section.kind == kind))
    assert chosen is not None
    return chosen


def test_every_codec_that_both_sides_know_is_kept_under_the_clients_payload_types() -> None:
    video = chromium_view("video")
    numbers = {key: (one.codec.payload_type, one.rtx_payload_type) for key, one in video.formats.items()}
    assert numbers["vp8"] == (96, 97)
    assert numbers["vp9/0"] == (98, 99)
    assert numbers["av1/0"] == (45, 46)
    assert {"h264/42e0", "h264/4200"} <= set(numbers)


def test_the_clients_extension_ids_hold() -> None:
    audio = chromium_view("audio")
    assert audio.twcc_id == 3
    assert audio.numbering[SUBSCRIBE_EXTENSIONS[ExtensionUri.AUDIO_LEVEL]] == 1
    video = chromium_view("video")
    assert video.numbering[SUBSCRIBE_EXTENSIONS[ExtensionUri.VIDEO_ORIENTATION]] == 13
    assert video.numbering[SUBSCRIBE_EXTENSIONS[ExtensionUri.ABS_CAPTURE_TIME]] == 0


def test_a_profile_goes_to_whoever_can_decode_it() -> None:
    high = choose_view(MediaSection("0", "video", codecs=(h264("640c1f", 100),)))
    assert high is not None
    chosen = high.format_for(h264("42e01f"))
    assert chosen is not None and chosen.codec.payload_type == 100
    constrained = choose_view(MediaSection("0", "video", codecs=(h264("42e01f"),)))
    assert constrained is not None
    assert constrained.format_for(h264("640c1f")) is None
    assert constrained.format_for(Codec("video/VP8", 96, 90000)) is None


def test_h265_goes_to_whoever_offers_it_under_their_numbers_and_terms() -> None:
    main = Codec("video/H265", 49, 90000, parameters=(("level-id", "180"), ("profile-id", "1")))
    ten = Codec("video/H265", 51, 90000, parameters=(("profile-id", "2"),))
    plain = choose_view(MediaSection("0", "video", codecs=(main,)))
    deep = choose_view(MediaSection("0", "video", codecs=(ten,)))
    assert plain is not None and deep is not None
    answered = plain.format_for(Codec("video/H265", 114, 90000))
    assert answered is not None and answered.codec.payload_type == 49
    assert answered.codec.parameter("level-id") == "180", "the receiver's own upper bound"
    assert plain.format_for(ten) is None
    chosen = deep.format_for(main)
    assert chosen is not None and chosen.codec.payload_type == 51
    vp8 = choose_view(MediaSection("0", "video", codecs=(Codec("video/VP8", 96, 90000),)))
    assert vp8 is not None and vp8.format_for(main) is None


def test_nothing_is_chosen_where_there_is_no_codec_in_common() -> None:
    assert choose_view(MediaSection("0", "audio", codecs=(Codec("audio/PCMU", 0, 8000),))) is None
    assert choose_view(MediaSection("0", "application")) is None


def test_elements_are_renumbered_or_blanked_and_the_length_stays() -> None:
    ids = bytearray(16)
    ids[3], ids[6] = 1, 0
    tail = bytes((0x30, 0x85, 0x61, 0xAA, 0xBB, 0x00, 0x40, 0x01, 0x00))
    ids[4] = 13
    moved = renumber(tail, bytes(ids))
    assert len(moved) == len(tail)
    assert parse_extensions(0xBEDE, moved) == [(1, b"\x85"), (13, b"\x01")]


def test_wide_elements_are_renumbered_or_blanked_and_the_length_stays() -> None:
    ids = bytearray(16)
    ids[7] = 12
    tail = bytes((7, 3, 0xAA, 0xBB, 0xCC, 0, 4, 1, 0x01, 200, 2, 0x01, 0x02))
    moved = renumber_wide(tail, bytes(ids))
    assert len(moved) == len(tail)
    assert parse_extensions(TWO_BYTE_PROFILE, moved) == [(12, b"\xaa\xbb\xcc")]


def test_the_descriptor_is_for_who_offers_it_and_takes_both_forms_of_extensions() -> None:
    av1, vp8 = Codec("video/AV1", 45, 90000), Codec("video/VP8", 96, 90000)
    offered = (Extension(12, ExtensionUri.DEPENDENCY_DESCRIPTOR),)
    section = MediaSection("0", "video", codecs=(av1, vp8), extensions=offered)
    taken, one_byte_only = choose_view(section, mixed=True), choose_view(section)
    assert taken is not None and one_byte_only is not None
    assert taken.extensions == offered and one_byte_only.extensions == ()
    assert taken.numbering[SUBSCRIBE_EXTENSIONS[ExtensionUri.DEPENDENCY_DESCRIPTOR]] == 12
    assert taken.is_wide_with(av1) and not taken.is_wide_with(vp8)
    assert not one_byte_only.is_wide_with(av1)
