"""Which of what a client offers is used, and under which numbers receivers get it. Pure.

Publishing: of each m-section one media codec is taken, the first of the client's that we know, with its
retransmission format, so that a Producer is of one codec for life. The payload types and extension ids are
the client's own.

Subscribing: payload types and extension ids are ours and the same for every receiver of the node. A packet's
header, but for SSRC and sequence number, is therefore the same for all of them, and the forwarding loop need
not know the receiver.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sfu.rtp.parameters import (
    Codec,
    Extension,
    ExtensionUri,
    MediaSection,
    PublishParameters,
    SendTerms,
)

MAX_ENCODINGS = 3

OPUS_PAYLOAD_TYPE = 111
RED_PAYLOAD_TYPE = 63
"""Of Opus and of redundant audio towards receivers."""

AUDIO_FEEDBACK = ("transport-cc",)
"""No NACK: what is late is of no use to a voice; redundancy (RED, Opus' own) repairs it."""
VIDEO_FEEDBACK = ("nack", "nack pli", "ccm fir", "transport-cc")
FALLBACK_FEEDBACK = "goog-remb"
"""Bandwidth estimation for clients that lack transport-wide feedback. Receivers are always offered both."""

PUBLISH_EXTENSIONS = {
    "audio": (
        ExtensionUri.MID,
        ExtensionUri.TWCC,
        ExtensionUri.AUDIO_LEVEL,
        ExtensionUri.ABS_CAPTURE_TIME,
    ),
    "video": (
        ExtensionUri.MID,
        ExtensionUri.RID,
        ExtensionUri.REPAIRED_RID,
        ExtensionUri.TWCC,
        ExtensionUri.VIDEO_ORIENTATION,
        ExtensionUri.PLAYOUT_DELAY,
        ExtensionUri.ABS_CAPTURE_TIME,
    ),
}
"""What is understood of a publisher's header extensions."""

DESCRIBED = frozenset({"video/av1", "video/h264", "video/h265"})
"""Codecs whose layers stand in the dependency descriptor alone. VP8 and VP9 say theirs in the payload, and a
receiver that is told twice believes the descriptor.

The templates of a key frame do not fit one-byte headers (RFC 8285), so all packets of these codecs are
forwarded with two-byte ones, to receivers that take both.
"""

SUBSCRIBE_EXTENSIONS: dict[str, int] = {
    ExtensionUri.MID: 1,
    ExtensionUri.TWCC: 2,
    ExtensionUri.AUDIO_LEVEL: 3,
    ExtensionUri.VIDEO_ORIENTATION: 4,
    ExtensionUri.PLAYOUT_DELAY: 5,
    ExtensionUri.ABS_CAPTURE_TIME: 6,
    ExtensionUri.DEPENDENCY_DESCRIPTOR: 7,
}
"""Ids of header extensions towards receivers: all fit one-byte headers."""

STEREO = (("stereo", "1"), ("sprop-stereo", "1"))
"""Opus to be sent, and to be expected, with two channels (RFC 7587 section 6.1)."""

MAX_ONE_BYTE_ID = 14


@dataclass(frozen=True, slots=True)
class _Format:
    """A codec towards receivers. Parameters that vary without a receiver caring (levels) are fixed here."""

    codec: Codec
    rtx_payload_type: int | None


def _audio(payload_type: int, name: str, channels: int, parameters: str) -> _Format:
    codec = Codec(f"audio/{name}", payload_type, 48000, channels, _parse(parameters), AUDIO_FEEDBACK)
    return _Format(codec, None)


def _video(payload_type: int, name: str, parameters: str = "") -> _Format:
    codec = Codec(
        f"video/{name}", payload_type, 90000, 1, _parse(parameters), (*VIDEO_FEEDBACK, FALLBACK_FEEDBACK)
    )
    return _Format(codec, payload_type + 1)


def _parse(parameters: str) -> tuple[tuple[str, str | None], ...]:
    pairs = (parameter.partition("=") for parameter in parameters.split(";") if parameter)
    return tuple((name, value) for name, _, value in pairs)


_H264 = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id="
_H265 = "level-id=93;tier-flag=0;tx-mode=SRST;profile-id="

_FORMATS: dict[str, _Format] = {
    "opus": _audio(OPUS_PAYLOAD_TYPE, "opus", 2, "minptime=10;useinbandfec=1"),
    "vp8": _video(96, "VP8"),
    "vp9/0": _video(98, "VP9", "profile-id=0"),
    "vp9/2": _video(100, "VP9", "profile-id=2"),
    "h264/42e0": _video(102, "H264", _H264 + "42e01f"),
    "h264/4200": _video(104, "H264", _H264 + "42001f"),
    "h264/4d00": _video(106, "H264", _H264 + "4d001f"),
    "h264/6400": _video(108, "H264", _H264 + "64001f"),
    "h264/640c": _video(112, "H264", _H264 + "640c1f"),
    "h265/1": _video(114, "H265", _H265 + "1"),
    "h265/2": _video(116, "H265", _H265 + "2"),
    "av1/0": _video(45, "AV1", "level-idx=5;profile=0;tier=0"),
}
"""Every codec that is forwarded, by its key. Payload types keep clear of 64 to 95 (RFC 5761 section 4)."""

H264_BASELINE = "42001f"
"""What H.264 without a profile-level-id means (RFC 6184 section 8.1)."""
H264_CONSTRAINED = {"42c0": "42e0"}
"""Profiles that are another one by other flags."""
H265_FIXED = {"profile-space": "0", "tier-flag": "0", "tx-mode": "SRST", "sprop-max-don-diff": "0"}
"""What H.265 means where it is left out (RFC 7798 section 7.1), and has to mean: the main tier, one stream,
and packets without decoding order numbers. The level is an upper bound on the receiver's side and its own."""


def codec_key(codec: Codec) -> str | None:
    """What distinguishes codecs for a receiver: name and profile. None: we do not forward this one."""
    name = codec.name.lower()
    key: str | None
    if "/" in name or (name == "opus" and (codec.clock_rate, codec.channels) != (48000, 2)):
        key = None
    elif name == "vp9":
        key = f"vp9/{codec.parameter('profile-id') or '0'}"
    elif name == "av1":
        key = f"av1/{codec.parameter('profile') or '0'}"
    elif name == "h264":
        profile = (codec.parameter("profile-level-id") or H264_BASELINE)[:4].lower()
        profile = H264_CONSTRAINED.get(profile, profile)
        key = f"h264/{profile}" if codec.parameter("packetization-mode") == "1" else None
    elif name == "h265":
        profile = codec.parameter("profile-id") or "1"
        key = f"h265/{profile}" if _has_defaults(codec, H265_FIXED) else None
    else:
        key = name
    known = _FORMATS.get(key) if key is not None else None
    return key if known is not None and known.codec.kind == codec.kind else None


def _has_defaults(codec: Codec, defaults: dict[str, str]) -> bool:
    return all((codec.parameter(name) or value).upper() == value for name, value in defaults.items())


def choose_publish(section: MediaSection, terms: SendTerms | None = None) -> PublishParameters | None:
    """Choose what a client may send on an m-section it offered; None when we forward none of its codecs.

    `terms` are what it is asked to keep to; without them Opus is answered as the client wished.
    """
    if section.kind == "application":
        return None
    offered = next((c for c in section.codecs if c.is_media and codec_key(c) is not None), None)
    if offered is None:
        return None
    extensions = _choose_extensions(section, offered)
    has_twcc = any(extension.uri == ExtensionUri.TWCC for extension in extensions)
    codec = replace(
        offered,
        parameters=_answer_parameters(offered, terms),
        feedback=choose_feedback(offered, has_twcc=has_twcc),
    )
    rtx = section.rtx_of(codec.payload_type)
    red = red_of(section, offered)
    rids = _choose_rids(section, extensions)
    ssrc = section.ssrcs[0] if section.ssrcs and not rids else None
    return PublishParameters(
        codec=codec,
        rtx_payload_type=None if rtx is None else rtx.payload_type,
        extensions=extensions,
        rids=rids,
        ssrc=ssrc,
        rtx_ssrc=None if ssrc is None or rtx is None else _rtx_ssrc(section, ssrc),
        red_payload_type=None if red is None else red.payload_type,
        max_bitrate=terms.max_bitrate if terms is not None and section.kind == "video" else None,
        prefers_red=red is not None and section.codecs.index(red) < section.codecs.index(offered),
    )


def with_rtx(codec: Codec, rtx_payload_type: int | None) -> tuple[Codec, ...]:
    """A codec, and the retransmissions of it (RFC 4588) as a payload type of their own."""
    if rtx_payload_type is None:
        return (codec,)
    apt = (("apt", str(codec.payload_type)),)
    return codec, Codec(f"{codec.kind}/rtx", rtx_payload_type, codec.clock_rate, parameters=apt)


def red_codec(codec: Codec, payload_type: int) -> Codec:
    """Redundancy for an audio codec as a payload type of its own: all its blocks are of that codec."""
    blocks = f"{codec.payload_type}/{codec.payload_type}"
    return Codec("audio/red", payload_type, codec.clock_rate, codec.channels, ((blocks, None),))


def supports_red(codec: Codec) -> bool:
    """Whether redundancy is offered with a codec towards receivers."""
    return codec_key(codec) == "opus"


def subscribe_codec(codec: Codec) -> tuple[Codec, int | None]:
    """A producer's codec as receivers get it, and the payload type of its retransmissions. Stereo is said.

    `codec` is one that `choose_publish` chose.
    """
    key = codec_key(codec)
    assert key is not None, f"{codec.mime} is not forwarded"
    known = _FORMATS[key].codec
    if key == "opus" and codec.parameter("stereo") == "1":
        known = replace(known, parameters=(*known.parameters, *STEREO))
    return known, _FORMATS[key].rtx_payload_type


def subscribe_extensions(codec: Codec) -> tuple[Extension, ...]:
    """The header extensions a receiver of `codec` gets."""
    wanted = set(understood_extensions(codec))
    return tuple(Extension(id_, uri) for uri, id_ in SUBSCRIBE_EXTENSIONS.items() if uri in wanted)


def red_of(section: MediaSection, codec: Codec) -> Codec | None:
    """The redundancy offered for `codec` (RFC 2198 section 5): the same clock, and no block of another."""
    blocks = str(codec.payload_type)
    for one in section.codecs:
        if one.mime.lower() != "audio/red" or (one.clock_rate, one.channels) != (
            codec.clock_rate,
            codec.channels,
        ):
            continue
        if one.parameters and set(one.parameters[0][0].split("/")) == {blocks}:
            return one
    return None


def is_described(mime: str) -> bool:
    """Whether packets of this codec may carry a dependency descriptor, and so have two-byte headers."""
    return mime.lower() in DESCRIBED


def understood_extensions(codec: Codec) -> tuple[str, ...]:
    """Of a publisher of `codec`."""
    known = PUBLISH_EXTENSIONS[codec.kind]
    return (*known, ExtensionUri.DEPENDENCY_DESCRIPTOR) if is_described(codec.mime) else known


def _choose_extensions(section: MediaSection, codec: Codec) -> tuple[Extension, ...]:
    wanted = understood_extensions(codec)
    return tuple(
        extension
        for extension in section.extensions
        if extension.uri in wanted and extension.id <= MAX_ONE_BYTE_ID
    )


def choose_feedback(codec: Codec, *, has_twcc: bool) -> tuple[str, ...]:
    known = AUDIO_FEEDBACK if codec.kind == "audio" else VIDEO_FEEDBACK
    chosen = [f for f in known if f in codec.feedback and (f != "transport-cc" or has_twcc)]
    if "transport-cc" not in chosen and FALLBACK_FEEDBACK in codec.feedback:
        chosen.append(FALLBACK_FEEDBACK)
    return tuple(chosen)


def _answer_parameters(codec: Codec, terms: SendTerms | None) -> tuple[tuple[str, str | None], ...]:
    """What the client said, as it is sent through untouched; Opus always with in-band error correction, and
    otherwise on the terms it may be sent on (RFC 7587 section 6.1)."""
    if codec.name.lower() != "opus":
        return codec.parameters
    decided: list[tuple[str, str | None]] = [("useinbandfec", "1")]
    dropped = {"useinbandfec"}
    if terms is not None:
        dropped |= {"stereo", "sprop-stereo", "maxaveragebitrate"}
        if terms.dtx and codec.parameter("usedtx") is None:
            decided.append(("usedtx", "1"))
        if terms.stereo:
            decided += STEREO
        if terms.average_bitrate is not None:
            decided.append(("maxaveragebitrate", str(terms.average_bitrate)))
    kept = [pair for pair in codec.parameters if pair[0].lower() not in dropped]
    return (*kept, *decided)


def _choose_rids(section: MediaSection, extensions: tuple[Extension, ...]) -> tuple[str, ...]:
    """The encodings of a simulcast, which only works where packets can name theirs."""
    if not any(extension.uri == ExtensionUri.RID for extension in extensions):
        return ()
    return section.simulcast_send[:MAX_ENCODINGS]


def _rtx_ssrc(section: MediaSection, ssrc: int) -> int | None:
    groups = (group.ssrcs for group in section.ssrc_groups if group.semantics == "FID")
    return next((ssrcs[1] for ssrcs in groups if len(ssrcs) == 2 and ssrcs[0] == ssrc), None)
