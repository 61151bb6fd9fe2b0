"""Session descriptions: browsers' are understood, ours are printed as they expect, nonsense is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from aiortc.sdp import SessionDescription as AiortcDescription
from hypothesis import given, settings
from hypothesis import strategies as st

from sfu.errors import SdpError
from sfu.rtp.parameters import Codec, Direction, Extension, ExtensionUri, MediaSection, Rid, SsrcGroup
from sfu.webrtc.sdp import Printer, SessionDescription, parse_sdp, to_sdp
from sfu.webrtc.sdp_parser import MAX_LENGTH, MAX_PER_SECTION, MAX_SECTIONS
from tests.vectors.sdp import NAMES, read

every_vector = pytest.mark.parametrize("name", NAMES)


def minimal(*lines: str, media: str = "m=audio 9 UDP/TLS/RTP/SAVPF 111") -> str:
    start = ["v=0", "o=- 1 2 IN IP4 0.0.0.0", "s=-", "t=0 0", media, "a=mid:0", "a=rtpmap:111 opus/48000/2"]
    return "".join(f"{line}\r\n" for line in [*start, *lines])


def test_chromiums_simulcast_offer_is_understood() -> None:
    offer = parse_sdp(read("chromium_publish_offer"))
    audio, video = offer.sections
    assert offer.bundle == ("0", "1")
    assert offer.setup == "actpass"
    assert len(offer.ice_ufrag) == 4
    assert [algorithm for algorithm, _ in offer.fingerprints] == ["sha-256"]
    assert offer.extmap_allow_mixed
    assert (audio.kind, audio.direction, audio.codecs[0].mime) == ("audio", Direction.SENDONLY, "audio/opus")
    assert audio.codecs[0].parameters == (("minptime", "10"), ("useinbandfec", "1"))
    assert video.simulcast_send == ("l", "m", "h")
    assert [(rid.id, rid.direction) for rid in video.rids] == [("l", "send"), ("m", "send"), ("h", "send")]
    assert video.ssrcs == ()
    assert video.codecs[0].feedback == ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
    rtx = video.rtx_of(96)
    assert rtx is not None
    assert rtx.payload_type == 97
    assert ExtensionUri.RID in {extension.uri for extension in video.extensions}


def test_chromiums_data_channel_and_stopped_sections_are_understood() -> None:
    offer = parse_sdp(read("chromium_publish_reoffer"))
    assert [section.kind for section in offer.sections] == ["audio", "video", "video", "application"]
    data = offer.sections[3]
    assert data.formats == ("webrtc-datachannel",)
    assert data.sctp_port == 5000
    assert offer.section("1") is offer.sections[1]
    assert offer.section("9") is None


def test_firefoxs_offer_takes_its_transport_from_the_first_section_of_the_bundle() -> None:
    offer = parse_sdp(read("firefox_publish_offer"))
    assert offer.ice_ufrag == "e4aefc1c"
    assert offer.fingerprints[0][1].startswith("CD:53")
    audio, video = offer.sections
    assert audio.cname == "{9fcae3af-5b7b-41f7-9224-eec929eaa065}"
    assert video.simulcast_send == ("q", "h")
    assert [rid.paused for rid in video.rids] == [False, False]
    assert len(video.ssrcs) == 4, "it declares those of its encodings, too"
    assert Extension(9, ExtensionUri.RID) in video.extensions


def test_an_encoding_that_is_offered_as_paused_is_known_to_be() -> None:
    lines = ("a=rid:hi send", "a=rid:lo send", "a=simulcast:send hi;~lo")
    (section,) = parse_sdp(minimal(*lines)).sections
    assert section.simulcast_send == ("hi", "lo")
    assert [rid.paused for rid in section.rids] == [False, True]


@every_vector
def test_what_is_read_is_printed_and_read_again(name: str) -> None:
    once = parse_sdp(read(name))
    assert parse_sdp(to_sdp(once)) == once


@every_vector
def test_aiortc_reads_what_we_print(name: str) -> None:
    ours = parse_sdp(read(name))
    theirs = AiortcDescription.parse(to_sdp(ours))
    assert [media.rtp.muxId for media in theirs.media] == [section.mid for section in ours.sections]
    for media, section in zip(theirs.media, ours.sections, strict=True):
        assert [codec.payloadType for codec in media.rtp.codecs] == [c.payload_type for c in section.codecs]
        extensions = [Extension(e.id, e.uri) for e in media.rtp.headerExtensions]
        assert extensions == list(section.extensions)
        assert media.ice is not None
        assert media.ice.usernameFragment == ours.ice_ufrag
        assert media.dtls is not None


FULL = SessionDescription(
    ice_ufrag="abcd",
    ice_pwd="p" * 24,
    fingerprints=(("sha-256", ":".join(["AB"] * 32)), ("sha-384", ":".join(["CD"] * 48))),
    setup="passive",
    ice_lite=True,
    bundle=("a", "b"),
    sections=(
        MediaSection(
            "a",
            "audio",
            direction=Direction.SENDONLY,
            codecs=(
                Codec("audio/opus", 111, 48000, 2, (("stereo", "1"),), ("transport-cc",)),
                Codec("audio/telephone-event", 101, 8000, 1, (("0-15", None),)),
            ),
            extensions=(Extension(1, ExtensionUri.MID), Extension(200, ExtensionUri.AUDIO_LEVEL)),
            ssrcs=(5,),
            cname="name",
            msid=("stream", "track"),
            rtcp_rsize=True,
            candidates=("candidate:1 1 udp 1 192.0.2.1 9 typ host",),
            end_of_candidates=True,
            bandwidth=(("AS", 500), ("TIAS", 500_000)),
        ),
        MediaSection(
            "b",
            "video",
            direction=Direction.RECVONLY,
            codecs=(Codec("video/VP8", 96, 90000), Codec("video/rtx", 97, 90000, 1, (("apt", "96"),))),
            rids=(Rid("h", "recv"), Rid("l", "recv", (("max-width", "320"),), paused=True)),
            simulcast_send=("x",),
            simulcast_recv=("h", "l"),
            ssrcs=(1, 2),
            ssrc_groups=(SsrcGroup("FID", (1, 2)),),
            cname="name",
            bundle_only=True,
            port=0,
        ),
        MediaSection("c", "video", port=0, formats=("0",), direction=Direction.INACTIVE, rtcp_mux=False),
        MediaSection(
            "d",
            "application",
            protocol="UDP/DTLS/SCTP",
            formats=("webrtc-datachannel",),
            rtcp_mux=False,
            sctp_port=5000,
            max_message_size=262144,
        ),
    ),
    session_id=7,
    session_version=9,
    ice_options=("trickle", "renomination"),
    extmap_allow_mixed=True,
)


def test_everything_a_description_can_say_survives_printing() -> None:
    assert parse_sdp(to_sdp(FULL)) == FULL
    assert FULL.candidates == FULL.sections[0].candidates


def test_lines_end_as_the_rfc_wants_and_may_end_otherwise() -> None:
    text = to_sdp(FULL)
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n")
    assert parse_sdp(text.replace("\r\n", "\n")) == FULL


def test_a_section_that_changed_is_printed_anew_and_the_transport_always() -> None:
    printer = Printer()
    assert printer.to_sdp(FULL) == to_sdp(FULL)
    first, *others = FULL.sections
    changed = replace(FULL, ice_ufrag="another", sections=(replace(first, cname="else"), *others))
    assert printer.to_sdp(changed) == to_sdp(changed)
    assert printer.to_sdp(FULL) == to_sdp(FULL)


@pytest.mark.parametrize("injected", ["x\r\na=evil", "x\na=evil", "x\ra=evil", "x\0"])
def test_a_value_cannot_break_out_of_its_line(injected: str) -> None:
    section = MediaSection("a", "audio", cname=injected, ssrcs=(1,))
    with pytest.raises(SdpError):
        to_sdp(SessionDescription(sections=(section,)))


@pytest.mark.parametrize("injected", ["x\r\na=evil", "x\na=evil", "x\0"])
def test_nor_can_one_of_a_part_that_is_remembered(injected: str) -> None:
    codec = Codec("audio/opus", 111, 48000, 2, ((injected, None),))
    section = MediaSection("a", "audio", codecs=(codec,))
    for _ in range(2):
        with pytest.raises(SdpError):
            to_sdp(SessionDescription(sections=(section,)))


@pytest.mark.parametrize("hidden", ["a=setup:active\0", "a=ice-pwd:" + "x" * 5000, "a=setup:active\0\r\na=x"])
def test_what_is_left_out_of_comparison_is_looked_at_all_the_same(hidden: str) -> None:
    with pytest.raises(SdpError):
        parse_sdp(answer_of("aaaa") + hidden + "\r\n")


@given(st.text(max_size=300))
@settings(max_examples=200)
def test_any_text_raises_nothing_but_sdp_error(text: str) -> None:
    attribute, media = minimal("a=" + text), minimal(media="m=" + text)
    for candidate in (text, "v=0\r\n" + text, minimal(text), attribute, media):
        survive(candidate)


@given(st.sampled_from(NAMES), st.data())
@settings(max_examples=300)
def test_a_damaged_description_raises_nothing_but_sdp_error(name: str, data: st.DataObject) -> None:
    lines = read(name).splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(lines) - 1))
        damage = data.draw(st.sampled_from(["drop", "double", "cut", "insert", "swap"]))
        if damage == "drop":
            del lines[index]
        elif damage == "double":
            lines.insert(index, lines[index])
        elif damage == "cut":
            lines[index] = lines[index][: data.draw(st.integers(0, 30))]
        elif damage == "insert":
            position = data.draw(st.integers(0, len(lines[index])))
            lines[index] = lines[index][:position] + data.draw(st.text(max_size=5)) + lines[index][position:]
        else:
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[index], lines[other] = lines[other], lines[index]
    survive("\r\n".join(lines))


HEAD = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"


def answer_of(ufrag: str, *, direction: str = "", session: str = "") -> str:
    digest = ":".join([ufrag[:2]] * 32)
    return (
        f"{HEAD}{session}a=group:BUNDLE 0\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\n"
        f"a=ice-ufrag:{ufrag}\r\na=ice-pwd:{ufrag * 6}\r\n"
        f"a=fingerprint:sha-256 {digest}\r\na=setup:active\r\n{direction}"
    )


def test_sections_alike_but_for_their_authors_are_read_once_and_authors_are_kept_apart() -> None:
    first, second = parse_sdp(answer_of("aaaa")), parse_sdp(answer_of("bbbb"))
    assert first.sections[0] is second.sections[0]
    assert (first.ice_ufrag, second.ice_ufrag) == ("aaaa", "bbbb")
    assert (first.ice_pwd, second.ice_pwd) == ("aaaa" * 6, "bbbb" * 6)
    assert first.fingerprints != second.fingerprints


def test_a_section_that_was_read_before_has_the_direction_of_its_own_session() -> None:
    texts = [answer_of("aaaa", session=f"a={one}\r\n" if one else "") for one in ("", "recvonly", "inactive")]
    directions = [parse_sdp(text).sections[0].direction for text in texts]
    assert directions == [Direction.SENDRECV, Direction.RECVONLY, Direction.INACTIVE]
    own = answer_of("aaaa", session="a=recvonly\r\n", direction="a=sendonly\r\n")
    assert parse_sdp(own).sections[0].direction is Direction.SENDONLY


def test_long_sections_are_not_remembered() -> None:
    long = answer_of("aaaa") + "".join(f"a=x-{number}:{'y' * 400}\r\n" for number in range(12))
    assert parse_sdp(long).sections[0] is not parse_sdp(long).sections[0]


def survive(text: str) -> None:
    """Parsing gives a description whose print reads the same, or raises `SdpError`."""
    try:
        once = parse_sdp(text)
    except SdpError:
        return
    again = parse_sdp(to_sdp(once))
    assert parse_sdp(to_sdp(again)) == again
    assert [s.mid for s in again.sections] == [s.mid for s in once.sections]


@pytest.mark.parametrize(
    "line",
    [
        "a=fingerprint:sha-256 nonsense",
        "a=fingerprint:sha-256 AB",
        "a=ice-ufrag:abc",
        "a=ice-ufrag:" + "a" * 257,
        "a=ice-pwd:sp ace",
        "a=setup:both",
        "a=rtpmap:111 opus/x",
        "a=rtpmap:111 opus",
        "a=extmap:1",
        "a=extmap:x urn:x",
        "a=rid:h",
        "a=rid:h sideways",
        "a=rid:h! send",
        "a=simulcast:send",
        "a=simulcast:sideways h",
        "a=simulcast:send h;;l",
        "a=ssrc:4294967296 cname:x",
        "a=ssrc:x cname:x",
        "a=ssrc-group:FID",
        "a=msid:a b c",
        "a=sctp-port:x",
        "b=AS:x",
        "nonsense",
        "a=x\0",
        "a=" + "x" * 5000,
    ],
)
def test_attributes_that_make_no_sense_are_refused(line: str) -> None:
    parse_sdp(minimal())
    with pytest.raises(SdpError):
        parse_sdp(minimal(line))


@pytest.mark.parametrize(
    "media",
    [
        "m=audio 9 UDP/TLS/RTP/SAVPF",
        "m=text 9 UDP/TLS/RTP/SAVPF 96",
        "m=audio 70000 UDP/TLS/RTP/SAVPF 96",
        "m=audio x UDP/TLS/RTP/SAVPF 96",
        "m=",
    ],
)
def test_m_lines_that_make_no_sense_are_refused(media: str) -> None:
    with pytest.raises(SdpError):
        parse_sdp(minimal(media=media))


def test_sizes_are_bounded() -> None:
    for text in (
        "v=0\r\n" + "a=x\r\n" * (MAX_LENGTH // 5),
        "v=0\r\n" + "m=audio 9 RTP 0\r\n" * (MAX_SECTIONS + 1),
        minimal(*(f"a=ssrc:{n} cname:x" for n in range(MAX_PER_SECTION + 1))),
        minimal(*(f"a=rid:r{n} send" for n in range(MAX_PER_SECTION + 1))),
        minimal(*(f"a=extmap:{n + 1} urn:x" for n in range(MAX_PER_SECTION + 1))),
        minimal(media="m=audio 9 RTP " + " ".join(str(n) for n in range(MAX_PER_SECTION + 1))),
    ):
        with pytest.raises(SdpError):
            parse_sdp(text)


def test_a_bundle_names_sections_that_are_there_once_each() -> None:
    sections = "m=audio 9 RTP 0\r\na=mid:x\r\nm=audio 9 RTP 0\r\na=mid:y\r\n"
    assert parse_sdp(f"v=0\r\na=group:BUNDLE x y\r\n{sections}").bundle == ("x", "y")
    for group in ("x z", "x x"):
        with pytest.raises(SdpError):
            parse_sdp(f"v=0\r\na=group:BUNDLE {group}\r\n{sections}")
    with pytest.raises(SdpError):
        parse_sdp("v=0\r\n" + sections.replace("mid:y", "mid:x"))


def test_the_transport_is_read_from_the_first_section_in_use() -> None:
    text = (
        "v=0\r\na=group:BUNDLE a b\r\n"
        "m=audio 0 RTP 0\r\na=mid:a\r\na=ice-ufrag:dead\r\na=ice-pwd:" + "x" * 22 + "\r\n"
        "m=audio 9 RTP 0\r\na=mid:b\r\na=ice-ufrag:live\r\na=ice-pwd:" + "y" * 22 + "\r\na=setup:active\r\n"
    )
    description = parse_sdp(text)
    assert (description.ice_ufrag, description.setup) == ("live", "active")


def test_feedback_for_all_formats_belongs_to_each() -> None:
    (section,) = parse_sdp(minimal("a=rtcp-fb:* nack", "a=rtcp-fb:111 transport-cc")).sections
    assert section.codecs[0].feedback == ("transport-cc", "nack")


def test_of_alternative_streams_of_a_simulcast_the_first_counts() -> None:
    (section,) = parse_sdp(minimal("a=simulcast:recv x send ~a,b;c", "a=rid:a send")).sections
    assert (section.simulcast_send, section.simulcast_recv) == (("a", "c"), ("x",))
    assert section.rids[0].paused
