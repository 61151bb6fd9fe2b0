"""Prints session descriptions. See `sfu.webrtc.sdp`.

The transport is repeated in every m-section, since some clients look for it there, even in rejected ones; the
candidates stand where the section says so, which for ours is the first of the bundle.

What m-sections of one kind have in common, codecs and header extensions, is printed once and remembered: a
description is mostly that, and with each change of a meeting all of it is said again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from sfu.errors import SdpError
from sfu.rtp.parameters import Codec, Extension, MediaSection
from sfu.webrtc.session_description import SessionDescription

NO_FORMAT = "0"
"""Something has to stand in an m-line, even of a section that was rejected for want of formats."""


KNOWN_PARTS = 256
MAX_KNOWN_LENGTH = 4096
"""Characters of a part that is remembered, so that those who want long ones fill nobody's memory."""

_P = TypeVar("_P", Codec, Extension)
_known: dict[tuple[Codec, ...] | tuple[Extension, ...], str] = {}


def to_sdp(description: SessionDescription) -> str:
    """Print a description. Raises `SdpError` when a value would break out of its line."""
    return Printer().to_sdp(description)


class Printer:
    """Prints the descriptions of one connection, one after the other: an m-section that is the same object as
    in the one before is not printed again."""

    def __init__(self) -> None:
        self._printed: dict[str, tuple[MediaSection, str, tuple[str, ...]]] = {}
        """By mid: the section, what stands before the transport, and what stands after it."""

    def to_sdp(self, description: SessionDescription) -> str:
        """Raises `SdpError` when a value would break out of its line."""
        parts = [_text(_session(description))]
        transports: dict[tuple[tuple[str, ...], bool], str] = {}
        for section in description.sections:
            reach = (section.candidates, section.end_of_candidates)
            if reach not in transports:
                transports[reach] = _text(_transport(section, description))
            known = self._printed.get(section.mid)
            if known is None or known[0] is not section:
                known = self._printed[section.mid] = (section, _text(_head(section)), _rest(section))
            parts += (known[1], transports[reach], *known[2])
        return "".join(parts)


def _rest(section: MediaSection) -> tuple[str, ...]:
    """What follows the transport. In parts, for most of it is shared with other sections."""
    about = (
        _text(_identity(section)),
        _known_part(section.extensions, _extension_lines),
        f"a={section.direction.value}\r\n",
    )
    if section.kind == "application":
        return (*about, _text(_data_channel(section)))
    codecs = _known_part(section.codecs, _codec_lines)
    return (*about, _text(_track(section)), codecs, _text(_streams(section)))


def _text(lines: Iterable[str]) -> str:
    printed = list(lines)
    text = "\r\n".join((*printed, ""))
    if not len(printed) == text.count("\n") == text.count("\r") or "\0" in text:
        raise SdpError("a value with a line break cannot be printed into a description")
    return text


def _known_part(values: tuple[_P, ...], lines: Callable[[tuple[_P, ...]], Iterator[str]]) -> str:
    if not values:
        return ""
    text = _known.get(values)
    if text is None:
        text = _text(lines(values))
        if len(text) <= MAX_KNOWN_LENGTH:
            if len(_known) >= KNOWN_PARTS:
                del _known[next(iter(_known))]
            _known[values] = text
    return text


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


def _head(section: MediaSection) -> Iterator[str]:
    formats = [str(codec.payload_type) for codec in section.codecs] or section.formats or (NO_FORMAT,)
    yield f"m={section.kind} {section.port} {section.protocol} {' '.join(formats)}"
    yield "c=IN IP4 0.0.0.0"
    for name, value in section.bandwidth:
        yield f"b={name}:{value}"


def _identity(section: MediaSection) -> Iterator[str]:
    yield f"a=mid:{section.mid}"
    if section.bundle_only:
        yield "a=bundle-only"


def _extension_lines(extensions: tuple[Extension, ...]) -> Iterator[str]:
    for extension in extensions:
        yield f"a=extmap:{extension.id} {extension.uri}"


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


def _track(section: MediaSection) -> Iterator[str]:
    if section.msid is not None:
        yield f"a=msid:{' '.join(word for word in section.msid if word)}"
    if section.rtcp_mux:
        yield "a=rtcp-mux"
    if section.rtcp_rsize:
        yield "a=rtcp-rsize"


def _codec_lines(codecs: tuple[Codec, ...]) -> Iterator[str]:
    for codec in codecs:
        channels = f"/{codec.channels}" if codec.channels != 1 else ""
        yield f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}"
        for feedback in codec.feedback:
            yield f"a=rtcp-fb:{codec.payload_type} {feedback}"
        if codec.parameters:
            yield f"a=fmtp:{codec.payload_type} {_parameters(codec.parameters)}"


def _streams(section: MediaSection) -> Iterator[str]:
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
