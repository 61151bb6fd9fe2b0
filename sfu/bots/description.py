"""The SDP a bot writes, and the little it reads of a server's.

Written by hand, line by line, as a browser of today prints it, and read without the server's own parser: so
a bot disagrees with a server that only understands itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["audio", "video"]

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

OPUS_PT = 111
VP8_PT = 96
VP8_RTX_PT = 97

EXTENSION_IDS = {AUDIO_LEVEL: 1, ABS_SEND_TIME: 2, TRANSPORT_CC: 3, MID: 4, RID: 10, REPAIRED_RID: 11}
AUDIO_EXTENSIONS = (AUDIO_LEVEL, ABS_SEND_TIME, TRANSPORT_CC, MID)
VIDEO_EXTENSIONS = (ABS_SEND_TIME, TRANSPORT_CC, MID, RID, REPAIRED_RID)


@dataclass(frozen=True, slots=True)
class LocalIce:
    """Our half of an association: ICE credentials and the certificate's SHA-256 fingerprint."""

    ufrag: str
    pwd: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class OfferedMedia:
    """One m-line to publish on. `rids` are simulcast encodings, lowest first; without, `ssrc` is named."""

    mid: str
    kind: Kind
    ssrc: int
    rtx_ssrc: int
    rids: tuple[str, ...] = ()
    active: bool = True


@dataclass(frozen=True, slots=True)
class Candidate:
    """A host candidate of the server."""

    transport: Literal["udp", "tcp"]
    address: str
    port: int


@dataclass(slots=True)
class RemoteMedia:
    """One m-line of a server's description."""

    kind: str
    mid: str
    port: int
    protocol: str
    payload_types: list[str]
    direction: str = "sendrecv"
    attributes: list[str] = field(default_factory=list)

    def values(self, name: str) -> list[str]:
        """Values of every `a=name:value` of this m-line."""
        prefix = name + ":"
        return [line[len(prefix) :] for line in self.attributes if line.startswith(prefix)]

    @property
    def extensions(self) -> dict[str, int]:
        """Header extension ids by URI."""
        found = {}
        for value in self.values("extmap"):
            number, uri = value.split()[:2]
            found[uri] = int(number.split("/")[0])
        return found

    @property
    def rtx_payload_types(self) -> dict[int, int]:
        """Payload type of a retransmission -> that of what it repeats."""
        names = {int(value.split()[0]): value.split()[1].lower() for value in self.values("rtpmap")}
        pairs = {}
        for value in self.values("fmtp"):
            number, _, parameters = value.partition(" ")
            if names.get(int(number), "").startswith("rtx/") and parameters.startswith("apt="):
                pairs[int(number)] = int(parameters[4:].split(";")[0])
        return pairs


@dataclass(slots=True)
class RemoteDescription:
    ufrag: str
    pwd: str
    fingerprints: tuple[tuple[str, str], ...]
    candidates: tuple[Candidate, ...]
    media: tuple[RemoteMedia, ...]
    lite: bool = True
    """RFC 8445 section 2.5: it only answers checks."""


def parse_description(sdp: str) -> RemoteDescription:
    """Read a server's offer or answer. Raises `ValueError` where it lacks what a client needs."""
    session: list[str] = []
    media: list[RemoteMedia] = []
    for line in sdp.splitlines():
        if line.startswith("m="):
            kind, port, protocol, *formats = line[2:].split()
            media.append(RemoteMedia(kind, "", int(port), protocol, formats))
        elif line.startswith("a="):
            (media[-1].attributes if media else session).append(line[2:])
    for one in media:
        one.mid = next(iter(one.values("mid")), "")
        for direction in ("sendrecv", "sendonly", "recvonly", "inactive"):
            if direction in one.attributes:
                one.direction = direction
    everything = session + [line for one in media for line in one.attributes]
    return RemoteDescription(
        ufrag=_first(everything, "ice-ufrag"),
        pwd=_first(everything, "ice-pwd"),
        fingerprints=_fingerprints(everything),
        candidates=_candidates(everything),
        media=tuple(media),
        lite="ice-lite" in session,
    )


def to_offer(local: LocalIce, media: Sequence[OfferedMedia], version: int) -> str:
    """A publish offer: every m-line bundled, sendonly while `active`, inactive after."""
    lines = _session_lines(version, [one.mid for one in media])
    for one in media:
        lines += _offered_lines(one, local)
    return "\r\n".join(lines) + "\r\n"


def to_answer(local: LocalIce, offer: RemoteDescription, version: int) -> str:
    """Accept everything a subscribe offer sends, with its own payload types and extensions."""
    lines = _session_lines(version, [one.mid for one in offer.media if one.port])
    for one in offer.media:
        direction = "recvonly" if one.direction in ("sendonly", "sendrecv") else "inactive"
        lines += [
            f"m={one.kind} {9 if one.port else 0} {one.protocol} {' '.join(one.payload_types)}",
            "c=IN IP4 0.0.0.0",
            "a=rtcp:9 IN IP4 0.0.0.0",
            *_ice_lines(local, setup="active"),
            f"a=mid:{one.mid}",
            f"a={direction}",
            "a=rtcp-mux",
            "a=rtcp-rsize",
        ]
        echoed = ("extmap:", "rtpmap:", "rtcp-fb:", "fmtp:")
        lines += ["a=" + line for line in one.attributes if line.startswith(echoed)]
    return "\r\n".join(lines) + "\r\n"


def _session_lines(version: int, mids: Iterable[str]) -> list[str]:
    return [
        "v=0",
        f"o=- 4611731400430051336 {version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {' '.join(mids)}",
        "a=extmap-allow-mixed",
        "a=msid-semantic: WMS",
    ]


def _ice_lines(local: LocalIce, setup: str) -> list[str]:
    return [
        f"a=ice-ufrag:{local.ufrag}",
        f"a=ice-pwd:{local.pwd}",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {local.fingerprint}",
        f"a=setup:{setup}",
    ]


def _offered_lines(media: OfferedMedia, local: LocalIce) -> list[str]:
    audio = media.kind == "audio"
    formats = f"{OPUS_PT}" if audio else f"{VP8_PT} {VP8_RTX_PT}"
    lines = [
        f"m={media.kind} 9 UDP/TLS/RTP/SAVPF {formats}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        *_ice_lines(local, setup="actpass"),
        f"a=mid:{media.mid}",
    ]
    extensions = AUDIO_EXTENSIONS if audio else VIDEO_EXTENSIONS
    lines += [f"a=extmap:{EXTENSION_IDS[uri]} {uri}" for uri in extensions]
    lines += [
        "a=sendonly" if media.active else "a=inactive",
        f"a=msid:- {media.kind}-{media.mid}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
    ]
    lines += _audio_codec() if audio else _video_codec()
    if media.rids:
        lines += [f"a=rid:{rid} send" for rid in media.rids]
        lines.append(f"a=simulcast:send {';'.join(media.rids)}")
    elif audio:
        lines.append(f"a=ssrc:{media.ssrc} cname:bot")
    else:
        lines.append(f"a=ssrc-group:FID {media.ssrc} {media.rtx_ssrc}")
        lines += [f"a=ssrc:{ssrc} cname:bot" for ssrc in (media.ssrc, media.rtx_ssrc)]
    return lines


def _audio_codec() -> list[str]:
    return [
        f"a=rtpmap:{OPUS_PT} opus/48000/2",
        f"a=rtcp-fb:{OPUS_PT} transport-cc",
        f"a=fmtp:{OPUS_PT} minptime=10;useinbandfec=1",
    ]


def _video_codec() -> list[str]:
    feedback = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
    return [
        f"a=rtpmap:{VP8_PT} VP8/90000",
        *(f"a=rtcp-fb:{VP8_PT} {name}" for name in feedback),
        f"a=rtpmap:{VP8_RTX_PT} rtx/90000",
        f"a=fmtp:{VP8_RTX_PT} apt={VP8_PT}",
    ]


def _first(lines: Sequence[str], name: str) -> str:
    prefix = name + ":"
    for line in lines:
        if line.startswith(prefix):
            return line[len(prefix) :].strip()
    raise ValueError(f"the server's SDP has no a={name}")


def _fingerprints(lines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    found = []
    for line in lines:
        if line.startswith("fingerprint:"):
            algorithm, _, value = line[len("fingerprint:") :].strip().partition(" ")
            found.append((algorithm, value))
    return tuple(dict.fromkeys(found))


def _candidates(lines: Sequence[str]) -> tuple[Candidate, ...]:
    """Host candidates, UDP ones and passive TCP ones, each once and in their order."""
    found: list[Candidate] = []
    for line in lines:
        if not line.startswith("candidate:"):
            continue
        parts = line[len("candidate:") :].split()
        transport = parts[2].lower()
        if transport == "udp":
            found.append(Candidate("udp", parts[4], int(parts[5])))
        elif transport == "tcp" and "passive" in parts:
            found.append(Candidate("tcp", parts[4], int(parts[5])))
    return tuple(dict.fromkeys(found))
