"""The descriptions a node writes, and what it reads from the answers to them. Pure.

Publishing, the client offers and `publish_answer` answers; subscribing, `subscribe_offer` offers and
`read_subscribe_answer` reads what the client made of it; a client that receives by offering (WHEP) gets a
`view_answer`. Each connection has one offerer, so offers never
cross. In both directions the node ends up as the passive side of DTLS, because the passive side picks the
SRTP profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from sfu.errors import SdpError
from sfu.rtp.negotiation import choose_publish, red_codec, subscribe_extensions, with_rtx
from sfu.rtp.parameters import (
    Codec,
    Direction,
    Extension,
    ExtensionUri,
    Kind,
    MediaSection,
    PublishParameters,
    Rid,
    SsrcGroup,
)
from sfu.rtp.view import ViewParameters
from sfu.webrtc.candidate import Candidate
from sfu.webrtc.session_description import SessionDescription

SESSION_ID = 1
"""Any number will do that stays the same for a connection (RFC 8866 section 5.2)."""
START_BITRATE = 1_000_000
"""Bits per second that a browser begins to send video with, before it knows its path. Without a word from us
Chromium begins with 300,000, which is its lowest encoding alone."""
ICE_OPTIONS = ("trickle",)
SCTP_PORT = 5000
DATA_PROTOCOLS = frozenset({"UDP/DTLS/SCTP", "TCP/DTLS/SCTP"})


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """The node's share of a transport: `fingerprint` is SHA-256."""

    ufrag: str
    pwd: str
    fingerprint: str
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class SubscribeSection:
    """One m-section of a subscribe offer. Its mid and kind never change; its content does.

    `codec` and `rtx_payload_type` are as from `subscribe_codec`. An inactive section waits to be used again.
    A `stopped` one was rejected by the client, and stays so.
    """

    mid: str
    kind: Kind
    codec: Codec
    rtx_payload_type: int | None
    ssrc: int
    rtx_ssrc: int | None
    cname: str
    stream_id: str
    track_id: str
    active: bool = True
    stopped: bool = False
    red_payload_type: int | None = None
    """Of redundancy offered with an audio codec."""


@dataclass(frozen=True, slots=True)
class SubscribeAnswer:
    """What a client said about one m-section. `extensions` are the URIs it wants."""

    mid: str
    accepted: bool
    extensions: frozenset[str] = frozenset()
    supports_rtx: bool = False
    supports_red: bool = False
    feedback: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ViewSection:
    """What is sent on one m-section that a client offered. Not `active`: nothing, ever."""

    parameters: ViewParameters
    ssrc: int
    rtx_ssrc: int
    stream_id: str
    active: bool


def data_section(offer: SessionDescription) -> MediaSection | None:
    """The m-section of data channels (RFC 8841) that is answered: the first in the bundle that we speak."""
    return next(
        (
            section
            for section in offer.sections
            if section.kind == "application"
            and not section.is_rejected
            and section.mid in offer.bundle
            and section.protocol in DATA_PROTOCOLS
            and section.sctp_port is not None
        ),
        None,
    )


def publish_answer(
    offer: SessionDescription,
    chosen: Mapping[str, PublishParameters],
    local: LocalTransport,
    *,
    max_message: int = 64 * 1024,
    session_version: int = 1,
) -> SessionDescription:
    """Answer a publish offer: receive on the sections in `chosen` (by mid), nothing on the others.

    Data channels are accepted where they are offered, with messages of at most `max_message` bytes.

    Raises `SdpError` when the offer cannot be answered: it wants us to be the active side of DTLS, or has
    sections in use without credentials or fingerprint.
    """
    if offer.setup == "passive":
        raise SdpError("the client must be the active side of DTLS: offer a=setup:actpass or active")
    check_transport(offer)
    data = data_section(offer)
    sections = [
        _answer_data(section, max_message)
        if section is data
        else _answer_section(section, offer, chosen.get(section.mid))
        for section in offer.sections
    ]
    return _describe(sections, local, "passive", session_version)


def view_answer(
    offer: SessionDescription, sections: Mapping[str, ViewSection], local: LocalTransport
) -> SessionDescription:
    """Answer an offer to receive: send on the active ones of `sections` (by mid), nothing on the others.

    Raises `SdpError` when the offer cannot be answered; see `publish_answer`.
    """
    if offer.setup == "passive":
        raise SdpError("the client must be the active side of DTLS: offer a=setup:actpass or active")
    check_transport(offer)
    answered = [_view_section(section, offer, sections.get(section.mid)) for section in offer.sections]
    return _describe(answered, local, "passive", 1)


def subscribe_offer(
    sections: Sequence[SubscribeSection], local: LocalTransport, *, session_version: int
) -> SessionDescription:
    """Offer what a client is to receive. `session_version` grows with every offer of a connection.

    The offer says actpass, as it has to (RFC 8842 section 5.2); clients answer active, and an answer of
    passive is refused by `read_subscribe_answer`.
    """
    candidates = candidates_of(local)
    offered = [offer_section(section, candidates) for section in sections]
    return describe_offer(offered, local, session_version=session_version)


def describe_offer(
    sections: Sequence[MediaSection], local: LocalTransport, *, session_version: int
) -> SessionDescription:
    """`subscribe_offer` of m-sections that `offer_section` made."""
    return _describe(sections, local, "actpass", session_version)


def read_subscribe_answer(
    answer: SessionDescription, offered: Sequence[SubscribeSection]
) -> dict[str, SubscribeAnswer]:
    """What the client accepted, by mid. Raises `SdpError` when it is no answer to this offer."""
    check_subscribe_answer(answer, [section.mid for section in offered])
    pairs = zip(answer.sections, offered, strict=True)
    mixed = answer.extmap_allow_mixed
    return {section.mid: read_subscribe_section(section, offer, mixed=mixed) for section, offer in pairs}


def check_subscribe_answer(answer: SessionDescription, mids: Sequence[str]) -> None:
    """Raises `SdpError` when it is no answer to an offer with these m-sections."""
    if [section.mid for section in answer.sections] != list(mids):
        raise SdpError("an answer must have the m-sections of its offer, in the same order")
    if any(not section.is_rejected for section in answer.sections):
        check_transport(answer)
        if answer.setup != "active":
            raise SdpError("the client must be the active side of DTLS: answer a=setup:active")


def check_transport(description: SessionDescription) -> None:
    """Raise `SdpError` unless a description with sections in use says how to reach and to know its author."""
    if all(section.is_rejected for section in description.sections):
        return
    if not description.ice_ufrag or not description.ice_pwd:
        raise SdpError("a description needs a=ice-ufrag and a=ice-pwd")
    if not description.fingerprints:
        raise SdpError("a description needs a=fingerprint")


def _describe(
    sections: Sequence[MediaSection], local: LocalTransport, setup: str, session_version: int
) -> SessionDescription:
    bundle = tuple(section.mid for section in sections if not section.is_rejected)
    # One section of a bundle would do for browsers; aiortc looks into the last one.
    candidates = candidates_of(local)
    return SessionDescription(
        ice_ufrag=local.ufrag,
        ice_pwd=local.pwd,
        fingerprints=(("sha-256", local.fingerprint),),
        setup="passive" if setup == "passive" else "actpass",
        ice_lite=True,
        bundle=bundle,
        sections=tuple(
            replace(section, candidates=candidates, end_of_candidates=True)
            if section.mid in bundle and not section.end_of_candidates
            else section
            for section in sections
        ),
        session_id=SESSION_ID,
        session_version=session_version,
        ice_options=ICE_OPTIONS,
        extmap_allow_mixed=True,
    )


def candidates_of(local: LocalTransport) -> tuple[str, ...]:
    return tuple(candidate.to_sdp() for candidate in local.candidates)


def _answer_section(
    offered: MediaSection, offer: SessionDescription, chosen: PublishParameters | None
) -> MediaSection:
    """Receive what was chosen; else keep the section, but inactive; else reject it."""
    bundled = offered.mid in offer.bundle
    parameters = chosen or choose_publish(offered)
    if offered.is_rejected or not bundled or not offered.rtcp_mux or parameters is None:
        return _rejected(offered)
    receives = chosen is not None and offered.direction.sends
    return MediaSection(
        mid=offered.mid,
        kind=offered.kind,
        protocol=offered.protocol,
        direction=Direction.RECVONLY if receives else Direction.INACTIVE,
        codecs=_answer_codecs(parameters),
        bandwidth=_bandwidth(parameters.max_bitrate),
        extensions=parameters.extensions,
        rids=tuple(Rid(rid, "recv") for rid in parameters.rids),
        simulcast_recv=parameters.rids,
        rtcp_rsize=offered.rtcp_rsize,
    )


def _view_section(
    offered: MediaSection, offer: SessionDescription, section: ViewSection | None
) -> MediaSection:
    if offered.is_rejected or offered.mid not in offer.bundle or not offered.rtcp_mux or section is None:
        return _rejected(offered)
    formats = section.parameters.formats.values()
    repairs = any(one.rtx_payload_type is not None for one in formats)
    ssrcs = (section.ssrc, section.rtx_ssrc) if repairs else (section.ssrc,)
    return MediaSection(
        mid=offered.mid,
        kind=offered.kind,
        protocol=offered.protocol,
        direction=Direction.SENDONLY if section.active else Direction.INACTIVE,
        codecs=section.parameters.codecs,
        extensions=section.parameters.extensions,
        ssrcs=ssrcs if section.active else (),
        ssrc_groups=(SsrcGroup("FID", ssrcs),) if section.active and repairs else (),
        cname=section.stream_id if section.active else None,
        msid=(section.stream_id, offered.mid) if section.active else None,
        rtcp_rsize=offered.rtcp_rsize,
    )


def _bandwidth(max_bitrate: int | None) -> tuple[tuple[str, int], ...]:
    """As kbit/s and as bit/s (RFC 8866 section 5.8, RFC 3890): browsers heed one or the other."""
    return () if max_bitrate is None else (("AS", max_bitrate // 1000), ("TIAS", max_bitrate))


def _answer_codecs(parameters: PublishParameters) -> tuple[Codec, ...]:
    """The codec and what goes with it. Redundancy stands first where the client wanted it so: it sends the
    first that is answered."""
    codec = parameters.codec
    if codec.mime.startswith("video/"):
        # Chromium's own, in kbit/s: what its encoder begins with, and what it may grow to.
        most = parameters.max_bitrate
        start = START_BITRATE if most is None else min(START_BITRATE, most)
        asked = [("x-google-start-bitrate", str(start // 1000))]
        if most is not None:
            asked.append(("x-google-max-bitrate", str(most // 1000)))
        codec = replace(codec, parameters=(*codec.parameters, *asked))
    codecs = with_rtx(codec, parameters.rtx_payload_type)
    if parameters.red_payload_type is None:
        return codecs
    red = red_codec(parameters.codec, parameters.red_payload_type)
    return (red, *codecs) if parameters.prefers_red else (*codecs, red)


def _answer_data(offered: MediaSection, max_message: int) -> MediaSection:
    return MediaSection(
        mid=offered.mid,
        kind="application",
        protocol=offered.protocol,
        formats=offered.formats[:1],
        rtcp_mux=False,
        sctp_port=SCTP_PORT,
        max_message_size=max_message,
    )


def _rejected(offered: MediaSection) -> MediaSection:
    return MediaSection(
        mid=offered.mid,
        kind=offered.kind,
        port=0,
        protocol=offered.protocol,
        direction=Direction.INACTIVE,
        codecs=offered.codecs[:1],
        formats=() if offered.codecs else offered.formats[:1],
        rtcp_mux=False,
    )


def offer_section(section: SubscribeSection, candidates: tuple[str, ...]) -> MediaSection:
    """One m-section of an offer, with our candidates as values of a=candidate."""
    codecs, extensions = _offered(section.codec, section.rtx_payload_type, section.red_payload_type)
    if section.stopped:
        return MediaSection(
            section.mid, section.kind, port=0, direction=Direction.INACTIVE, codecs=codecs, rtcp_mux=False
        )
    repaired = section.rtx_ssrc if section.rtx_payload_type is not None else None
    ssrcs = (section.ssrc,) if repaired is None else (section.ssrc, repaired)
    return MediaSection(
        mid=section.mid,
        kind=section.kind,
        direction=Direction.SENDONLY if section.active else Direction.INACTIVE,
        codecs=codecs,
        extensions=extensions,
        ssrcs=ssrcs if section.active else (),
        ssrc_groups=(SsrcGroup("FID", ssrcs),) if section.active and repaired is not None else (),
        cname=section.cname if section.active else None,
        msid=(section.stream_id, section.track_id) if section.active else None,
        rtcp_rsize=True,
        candidates=candidates,
        end_of_candidates=True,
    )


@lru_cache(maxsize=64)
def _offered(
    codec: Codec, rtx_payload_type: int | None, red_payload_type: int | None
) -> tuple[tuple[Codec, ...], tuple[Extension, ...]]:
    """The codecs and header extensions with which a codec is offered to receivers; there are few."""
    codecs = with_rtx(codec, rtx_payload_type)
    if red_payload_type is not None:
        codecs = (*codecs, red_codec(codec, red_payload_type))
    return codecs, subscribe_extensions(codec)


def read_subscribe_section(
    answered: MediaSection, offered: SubscribeSection, *, mixed: bool
) -> SubscribeAnswer:
    """What the client says about one m-section. It is accepted when the client receives on it under the
    payload type it was offered. `mixed`: it takes two-byte header extensions (RFC 8285 section 6)."""
    wanted = offered.codec
    codec = next((c for c in answered.codecs if c.payload_type == wanted.payload_type), None)
    same = codec is not None and codec.mime.lower() == wanted.mime.lower()
    if codec is None or not same or answered.is_rejected or not answered.direction.receives:
        return SubscribeAnswer(offered.mid, accepted=False)
    rtx = answered.rtx_of(codec.payload_type)
    return SubscribeAnswer(
        mid=offered.mid,
        accepted=True,
        extensions=frozenset(
            extension.uri
            for extension in answered.extensions
            if mixed or extension.uri != ExtensionUri.DEPENDENCY_DESCRIPTOR
        ),
        supports_rtx=rtx is not None and rtx.payload_type == offered.rtx_payload_type,
        supports_red=_takes_red(answered, offered),
        feedback=codec.feedback,
    )


def _takes_red(answered: MediaSection, offered: SubscribeSection) -> bool:
    return any(
        codec.payload_type == offered.red_payload_type and codec.mime.lower() == "audio/red"
        for codec in answered.codecs
    )
