"""Prints session descriptions. See `sfu.webrtc.sdp`.

The transport is repeated in every m-section, since some clients look for it there, even in rejected ones; the
candidates stand where the section says so, which for ours is the first of the bundle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sfu.errors import SdpError
from sfu.rtp.parameters import Codec, MediaSection
from sfu.webrtc.session_description import SessionDescription

NO_FORMAT = "0"
"""Something has to stand in an m-line, even of a section that was rejected for want of formats."""


def to_sdp(description: SessionDescription) -> str:
    """Print a description. Raises `SdpError` when a value would break out of its line."""
    lines = list(_session(description))
    for section in description.sections:
        lines += _section(section, description)
    if any(character in line for line in lines for character in "\r\n\0"):
        raise SdpError("a value with a line break cannot be printed into a description")
    return "".join(f"{line}\r\n" for line in lines)


def _session(description: SessionDescription) -> Iterator[str]:
    yield "v=0"
    yield f"o=- {description.session_id} {description.session_version} IN IP4 127.0.0.1"
    yield "s=-"
    yield "t=0 0"
    if description.bundle:
        yield f"a=group:BUNDLE {' '.join(description.bundle)}"
    if description.extmap_allow_mixed:
        yield "a=extmap-allow-mixed"
    yield "a=msid-semantic: WMS *"
    if description.ice_lite:
        yield "a=ice-lite"
    if description.ice_options:
        yield f"a=ice-options:{' '.join(description.ice_options)}"


def _section(section: MediaSection, description: SessionDescription) -> Iterator[str]:
    formats = [str(codec.payload_type) for codec in section.codecs] or section.formats or (NO_FORMAT,)
    yield f"m={section.kind} {section.port} {section.protocol} {' '.join(formats)}"
    yield "c=IN IP4 0.0.0.0"
    for name, value in section.bandwidth:
        yield f"b={name}:{value}"
    yield from _transport(section, description)
    yield f"a=mid:{section.mid}"
    if section.bundle_only:
        yield "a=bundle-only"
    for extension in section.extensions:
        yield f"a=extmap:{extension.id} {extension.uri}"
    yield f"a={section.direction.value}"
    if section.kind == "application":
        yield from _data_channel(section)
    else:
        yield from _media(section)


def _transport(section: MediaSection, description: SessionDescription) -> Iterator[str]:
    if description.ice_ufrag:
        yield f"a=ice-ufrag:{description.ice_ufrag}"
        yield f"a=ice-pwd:{description.ice_pwd}"
    for algorithm, value in description.fingerprints:
        yield f"a=fingerprint:{algorithm} {value}"
    yield f"a=setup:{description.setup}"
    for candidate in section.candidates:
        yield f"a={candidate}"
    if section.end_of_candidates:
        yield "a=end-of-candidates"


def _data_channel(section: MediaSection) -> Iterator[str]:
    if section.sctp_port is not None:
        yield f"a=sctp-port:{section.sctp_port}"
    if section.max_message_size is not None:
        yield f"a=max-message-size:{section.max_message_size}"


def _media(section: MediaSection) -> Iterator[str]:
    if section.msid is not None:
        yield f"a=msid:{' '.join(word for word in section.msid if word)}"
    if section.rtcp_mux:
        yield "a=rtcp-mux"
    if section.rtcp_rsize:
        yield "a=rtcp-rsize"
    for codec in section.codecs:
        yield from _codec(codec)
    for rid in section.rids:
        restrictions = f" {_parameters(rid.restrictions)}" if rid.restrictions else ""
        yield f"a=rid:{rid.id} {rid.direction}{restrictions}"
    yield from _simulcast(section)
    for group in section.ssrc_groups:
        yield f"a=ssrc-group:{group.semantics} {' '.join(str(ssrc) for ssrc in group.ssrcs)}"
    for ssrc in section.ssrcs:
        yield f"a=ssrc:{ssrc} cname:{section.cname or '-'}"
        if section.msid is not None:
            yield f"a=ssrc:{ssrc} msid:{' '.join(word for word in section.msid if word)}"


def _codec(codec: Codec) -> Iterator[str]:
    channels = f"/{codec.channels}" if codec.channels != 1 else ""
    yield f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}"
    for feedback in codec.feedback:
        yield f"a=rtcp-fb:{codec.payload_type} {feedback}"
    if codec.parameters:
        yield f"a=fmtp:{codec.payload_type} {_parameters(codec.parameters)}"


def _parameters(parameters: Iterable[tuple[str, str | None]]) -> str:
    return ";".join(name if value is None else f"{name}={value}" for name, value in parameters)


def _simulcast(section: MediaSection) -> Iterator[str]:
    paused = {rid.id for rid in section.rids if rid.paused}
    lists = [
        f"{direction} {';'.join(f'~{rid}' if rid in paused else rid for rid in rids)}"
        for direction, rids in (("send", section.simulcast_send), ("recv", section.simulcast_recv))
        if rids
    ]
    if lists:
        yield f"a=simulcast:{' '.join(lists)}"
