"""Reads session descriptions. See `sfu.webrtc.sdp`.

The text is cut into blocks, one for the session and one for each m-section, before any of it is understood;
each kind of attribute then has its own small function. Attributes nobody here knows are skipped, as SDP
demands; known ones that make no sense are errors.

An m-section that is the same but for its author's credentials is read once: answers of one kind of client
repeat each other, and with each change of a meeting themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import TypeVar, get_args

from sfu.errors import SdpError
from sfu.rtp.parameters import Codec, Direction, Extension, MediaSection, Rid, SectionKind, SsrcGroup
from sfu.webrtc.session_description import SessionDescription, Setup

MAX_LENGTH = 64 * 1024
MAX_SECTIONS = 128
MAX_LINE = 4096
MAX_PER_SECTION = 64
"""Codecs, extensions, rids, SSRCs and candidates of one section: each at most this many."""
MAX_EXTENSION_ID = 255
KNOWN_SECTIONS = 256
MAX_KNOWN_LENGTH = 4096
"""Characters of an m-section that is remembered, so that those who send long ones fill nobody's memory."""

_T = TypeVar("_T")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,64}")
_RID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_ICE = re.compile(r"[A-Za-z0-9+/=_-]{4,256}")
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){15,63}")
_CREDENTIALS = re.compile(r"\na=(?:ice-ufrag|ice-pwd|fingerprint|setup):[^\n\0]{0,4000}(?=\n|\Z)")
"""Lines that say who the author is, which `_section` has no use for."""
_DIRECTIONS = {direction.value: direction for direction in Direction}
_KINDS: dict[str, SectionKind] = {kind: kind for kind in get_args(SectionKind)}
_SETUPS: dict[str, Setup] = {setup: setup for setup in get_args(Setup)}


class _Block:
    """The session, or one m-section; `media` is the value of the m-line. Lines are cut where needed."""

    def __init__(self, text: str = "", *, is_media: bool = True) -> None:
        self.text = text
        self._is_media = is_media

    @property
    def media(self) -> str:
        return self.text.partition("\n")[0]

    @cached_property
    def lines(self) -> list[str]:
        """Without the m-line. Raises `SdpError` for what is no line."""
        lines = [line for line in self.text.split("\n")[self._is_media :] if line]
        for line in lines:
            if len(line) > MAX_LINE or line[1:2] != "=" or "\0" in line:
                raise SdpError("a line of a description is too long or not of the form x=...")
        return lines

    @cached_property
    def attributes(self) -> dict[str, list[str]]:
        attributes: dict[str, list[str]] = {}
        for line in self.lines:
            if line[0] == "a":
                name, _, argument = line[2:].partition(":")
                attributes.setdefault(name.strip(), []).append(argument.strip())
        return attributes

    @property
    def bandwidth(self) -> list[str]:
        return [line[2:] for line in self.lines if line[0] == "b"]

    @property
    def origin(self) -> str:
        return next((line[2:] for line in reversed(self.lines) if line[0] == "o"), "")

    def has(self, name: str) -> bool:
        return name in self.attributes

    def all(self, name: str) -> list[str]:
        return self.attributes.get(name, [])

    def first(self, name: str) -> str | None:
        return self.attributes[name][0] if name in self.attributes else None


def parse_sdp(text: str) -> SessionDescription:
    """Read a description. Raises `SdpError`, which says where the fault is."""
    session, media = _split(text)
    inherited = _direction(session)
    sections = tuple(_known_section(block, inherited, index) for index, block in enumerate(media))
    if len({section.mid for section in sections}) != len(sections):
        raise SdpError("two m-sections have the same mid")
    bundle = _bundle(session, sections)
    tagged = _tagged_block(bundle, sections, media)
    session_id, session_version = _origin(session.origin)
    return SessionDescription(
        ice_ufrag=_ice(tagged, session, "ice-ufrag"),
        ice_pwd=_ice(tagged, session, "ice-pwd"),
        fingerprints=tuple(_fingerprint(v) for v in tagged.all("fingerprint") or session.all("fingerprint")),
        setup=_setup(tagged.first("setup") or session.first("setup") or "actpass"),
        ice_lite=session.has("ice-lite"),
        bundle=bundle,
        sections=sections,
        session_id=session_id,
        session_version=session_version,
        ice_options=tuple((session.first("ice-options") or tagged.first("ice-options") or "").split()),
        extmap_allow_mixed=session.has("extmap-allow-mixed"),
    )


def _split(text: str) -> tuple[_Block, list[_Block]]:
    """Cut the text into the session's block and one for each m-section."""
    if len(text) > MAX_LENGTH:
        raise SdpError(f"a description is longer than {MAX_LENGTH} characters")
    # Without the last line's end, so that a section is the same text whether another follows it or not.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    session, *media = lines.split("\nm=")
    if session.partition("\n")[0] != "v=0":
        raise SdpError("a description begins with v=0")
    if len(media) > MAX_SECTIONS:
        raise SdpError(f"a description has more than {MAX_SECTIONS} m-sections")
    return _Block(session, is_media=False), [_Block(one) for one in media]


def _origin(value: str) -> tuple[int, int]:
    """Session id and version; zeros where they are missing."""
    words = value.split()
    if len(words) < 3:
        return 0, 0
    return _number(words[1], 2**64, "o="), _number(words[2], 2**64, "o=")


def _bundle(session: _Block, sections: tuple[MediaSection, ...]) -> tuple[str, ...]:
    mids = {section.mid for section in sections}
    for group in session.all("group"):
        semantics, *members = group.split() or [""]
        if semantics == "BUNDLE":
            if not mids.issuperset(members) or len(set(members)) != len(members):
                raise SdpError("the BUNDLE group names an m-section that is not there, or one twice")
            return tuple(members)
    return ()


def _tagged_block(bundle: tuple[str, ...], sections: tuple[MediaSection, ...], media: list[_Block]) -> _Block:
    """The block that describes the transport: of the first section in use, in the bundle if there is one."""
    by_mid = {section.mid: (section, block) for section, block in zip(sections, media, strict=True)}
    order = bundle or tuple(by_mid)
    in_use = [by_mid[mid][1] for mid in order if not by_mid[mid][0].is_rejected]
    with_ice = (block for block in in_use if block.has("ice-ufrag"))
    return next(with_ice, in_use[0] if in_use else _Block())


def _ice(tagged: _Block, session: _Block, name: str) -> str:
    value = tagged.first(name) or session.first(name) or ""
    if value and not _ICE.fullmatch(value):
        raise SdpError(f"a={name} is too short, too long or has characters it must not")
    return value


def _fingerprint(value: str) -> tuple[str, str]:
    algorithm, _, digest = value.partition(" ")
    if not _TOKEN.fullmatch(algorithm) or not _FINGERPRINT.fullmatch(digest.strip()):
        raise SdpError("a=fingerprint is not a hash function and octets in hexadecimal")
    return algorithm.lower(), digest.strip().upper()


def _setup(value: str) -> Setup:
    if value not in _SETUPS:
        raise SdpError("a=setup has an unknown value")
    return _SETUPS[value]


def _known_section(block: _Block, inherited: Direction | None, index: int) -> MediaSection:
    shared = _CREDENTIALS.sub("", block.text)
    read = _section if len(shared) <= MAX_KNOWN_LENGTH else _section.__wrapped__
    return read(shared, inherited, index)


@lru_cache(maxsize=KNOWN_SECTIONS)
def _section(text: str, inherited: Direction | None, index: int) -> MediaSection:
    """`inherited` is the direction that the session gives to all that name none."""
    block = _Block(text)
    if len(block.media) > MAX_LINE or "\0" in block.media:
        raise SdpError("an m-line is too long or has characters it must not")
    words = block.media.split()
    if len(words) < 4 or words[0] not in _KINDS:
        raise SdpError("an m-line is not audio, video or application with port, protocol and formats")
    kind = _KINDS[words[0]]
    codecs = () if kind == "application" else tuple(_codecs(kind, words[3:], block))
    simulcast_send, simulcast_recv, paused = _simulcast(block.first("simulcast"))
    ssrcs, cname, ssrc_msid = _ssrcs(block)
    msid = block.first("msid")
    return MediaSection(
        mid=_mid(block.first("mid"), index),
        kind=kind,
        port=_number(words[1].partition("/")[0], 65535, "m="),
        protocol=_token(words[2].replace("/", "."), "m=") and words[2],
        direction=_direction(block) or inherited or Direction.SENDRECV,
        codecs=codecs,
        formats=() if codecs else tuple(_token(word, "m=") for word in words[3:]),
        extensions=tuple(_extensions(block)),
        rids=tuple(_rid(value, paused) for value in _limited(block.all("rid"), "rid")),
        simulcast_send=simulcast_send,
        simulcast_recv=simulcast_recv,
        ssrcs=ssrcs,
        ssrc_groups=tuple(_ssrc_group(value) for value in _limited(block.all("ssrc-group"), "ssrc-group")),
        cname=cname,
        msid=ssrc_msid if msid is None else _msid(msid),
        rtcp_mux=block.has("rtcp-mux"),
        rtcp_rsize=block.has("rtcp-rsize"),
        bundle_only=block.has("bundle-only"),
        candidates=tuple(f"candidate:{value}" for value in _limited(block.all("candidate"), "candidate")),
        end_of_candidates=block.has("end-of-candidates"),
        bandwidth=tuple(_bandwidth(value) for value in _limited(block.bandwidth, "bandwidth")),
        sctp_port=_optional_number(block, "sctp-port", 65535),
        max_message_size=_optional_number(block, "max-message-size", 2**64),
    )


def _mid(value: str | None, index: int) -> str:
    return str(index) if value is None else _token(value, "a=mid")


def _direction(block: _Block) -> Direction | None:
    for name, direction in _DIRECTIONS.items():
        if block.has(name):
            return direction
    return None


def _codecs(kind: SectionKind, formats: list[str], block: _Block) -> Iterator[Codec]:
    """The codecs in the order of the m-line. A format without rtpmap is one we have no name for: left out."""
    names = dict(_keyed(block, "rtpmap"))
    parameters = dict(_keyed(block, "fmtp"))
    feedback: dict[str, list[str]] = {}
    for payload_type, value in _keyed(block, "rtcp-fb"):
        feedback.setdefault(payload_type, []).append(" ".join(value.split()))
    for payload_type in dict.fromkeys(_limited(formats, "format")):
        if payload_type not in names:
            continue
        name, _, rest = names[payload_type].partition("/")
        rate, _, channels = rest.partition("/")
        yield Codec(
            mime=f"{kind}/{_token(name, 'a=rtpmap')}",
            payload_type=_number(payload_type, 127, "m="),
            clock_rate=_number(rate, 2**32, "a=rtpmap"),
            channels=_number(channels, 255, "a=rtpmap") if channels else 1,
            parameters=_parameters(parameters.get(payload_type, "")),
            feedback=tuple(dict.fromkeys(feedback.get(payload_type, []) + feedback.get("*", []))),
        )


def _keyed(block: _Block, name: str) -> Iterator[tuple[str, str]]:
    """Attributes of the form "96 something", as pairs."""
    for value in _limited(block.all(name), name, 8 * MAX_PER_SECTION):
        key, _, rest = value.partition(" ")
        yield key, rest.strip()


def _parameters(text: str) -> tuple[tuple[str, str | None], ...]:
    """Format parameters: "a=1;b=2", or words without "=", as red and telephone-event have them."""
    parameters: list[tuple[str, str | None]] = []
    for part in text.split(";"):
        name, equals, value = part.strip().partition("=")
        if name:
            parameters.append((name.strip(), value.strip() if equals else None))
    return tuple(_limited(parameters, "format parameter"))


def _extensions(block: _Block) -> Iterator[Extension]:
    for value in _limited(block.all("extmap"), "extmap"):
        words = value.split()
        if len(words) < 2:
            raise SdpError("a=extmap is not a number and a URI")
        number, _, _ = words[0].partition("/")
        id_ = _number(number, 2**16, "a=extmap")
        if 0 < id_ <= MAX_EXTENSION_ID:
            yield Extension(id_, words[1])


def _rid(value: str, paused: frozenset[str]) -> Rid:
    words = value.split(None, 2)
    if len(words) < 2 or not _RID.fullmatch(words[0]) or words[1] not in ("send", "recv"):
        raise SdpError("a=rid is not an identifier and a direction")
    restrictions = _parameters(words[2]) if len(words) == 3 else ()
    return Rid(words[0], words[1], restrictions, words[0] in paused)


def _simulcast(value: str | None) -> tuple[tuple[str, ...], tuple[str, ...], frozenset[str]]:
    """The rids to send, those to receive, and which of all are paused (RFC 8853 section 5.1).

    Of alternatives for one stream the first is taken.
    """
    words = [] if value is None else value.split()
    if len(words) not in (0, 2, 4):
        raise SdpError("a=simulcast is not a direction and a list of streams, or two of them")
    lists: dict[str, tuple[str, ...]] = {"send": (), "recv": ()}
    paused: set[str] = set()
    for direction, streams in zip(words[::2], words[1::2], strict=True):
        if direction not in lists:
            raise SdpError("a=simulcast names an unknown direction")
        first = [stream.split(",")[0] for stream in _limited(streams.split(";"), "simulcast")]
        paused |= {rid[1:] for rid in first if rid.startswith("~")}
        lists[direction] = tuple(rid.removeprefix("~") for rid in first)
        if not all(_RID.fullmatch(rid) for rid in lists[direction]):
            raise SdpError("a=simulcast contains something that is not a rid")
    return lists["send"], lists["recv"], frozenset(paused)


def _ssrcs(block: _Block) -> tuple[tuple[int, ...], str | None, tuple[str, str] | None]:
    """The SSRCs in order, their cname, and the msid older clients attach to them."""
    ssrcs: dict[int, None] = {}
    cname: str | None = None
    msid: tuple[str, str] | None = None
    for number, attribute in _keyed(block, "ssrc"):
        ssrcs[_number(number, 2**32 - 1, "a=ssrc")] = None
        name, _, value = attribute.partition(":")
        if name == "cname" and cname is None:
            cname = value
        elif name == "msid" and msid is None:
            msid = _msid(value)
    return tuple(_limited(list(ssrcs), "ssrc")), cname, msid


def _ssrc_group(value: str) -> SsrcGroup:
    words = value.split()
    if len(words) < 2:
        raise SdpError("a=ssrc-group is not a name and SSRCs")
    return SsrcGroup(
        _token(words[0], "a=ssrc-group"), tuple(_number(w, 2**32 - 1, "a=ssrc-group") for w in words[1:])
    )


def _msid(value: str) -> tuple[str, str]:
    words = value.split()
    if not 1 <= len(words) <= 2:
        raise SdpError("a=msid is not a stream and a track")
    return words[0], words[1] if len(words) == 2 else ""


def _bandwidth(value: str) -> tuple[str, int]:
    name, _, number = value.partition(":")
    return _token(name, "b="), _number(number, 2**32, "b=")


def _optional_number(block: _Block, name: str, maximum: int) -> int | None:
    value = block.first(name)
    return None if value is None else _number(value, maximum, f"a={name}")


def _number(text: str, maximum: int, where: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20) or int(text) > maximum:
        raise SdpError(f"a number in {where} is missing or out of range")
    return int(text)


def _token(text: str, where: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise SdpError(f"a word in {where} is missing, too long or has characters it must not")
    return text


def _limited(values: list[_T], what: str, limit: int = MAX_PER_SECTION) -> list[_T]:
    if len(values) > limit:
        raise SdpError(f"an m-section has more than {limit} lines or values of {what}")
    return values
