"""What two sides say about media: codecs, header extensions, encodings, and one m-section of SDP as a value.

Nothing here parses or prints; `sfu.webrtc.sdp` does that and fills these in, `sfu.rtp.negotiation` chooses
among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

Kind = Literal["audio", "video"]
SectionKind = Literal["audio", "video", "application"]

NOT_MEDIA = frozenset({"rtx", "red", "ulpfec", "flexfec-03", "telephone-event", "cn"})
"""Names in rtpmap that help another codec, or are no codec at all."""


class Direction(Enum):
    """Of an m-section, as seen by whose description it is."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        return self in (Direction.SENDRECV, Direction.RECVONLY)


class ExtensionUri:
    """RTP header extensions by URI (RFC 8285 section 5)."""

    MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
    RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
    REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
    AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
    VIDEO_ORIENTATION = "urn:3gpp:video-orientation"
    TRANSMISSION_OFFSET = "urn:ietf:params:rtp-hdrext:toffset"
    TWCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
    ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
    ABS_CAPTURE_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
    PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
    VIDEO_CONTENT_TYPE = "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type"
    VIDEO_TIMING = "http://www.webrtc.org/experiments/rtp-hdrext/video-timing"
    COLOR_SPACE = "http://www.webrtc.org/experiments/rtp-hdrext/color-space"
    VIDEO_LAYERS_ALLOCATION = "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00"
    DEPENDENCY_DESCRIPTOR = (
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
    )


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type. `mime` is as in SDP, "video/VP8"; a parameter without "=" has the value None."""

    mime: str
    payload_type: int
    clock_rate: int
    channels: int = 1
    parameters: tuple[tuple[str, str | None], ...] = ()
    feedback: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """ "audio" or "video"."""
        return self.mime.partition("/")[0]

    @property
    def name(self) -> str:
        """The encoding's name as in rtpmap, "VP8"."""
        return self.mime.partition("/")[2]

    @property
    def is_media(self) -> bool:
        """Whether this carries media by itself, unlike rtx, red, fec and the like."""
        return self.name.lower() not in NOT_MEDIA

    def parameter(self, name: str) -> str | None:
        """The value of a format parameter; None when it is missing."""
        return next((value for key, value in self.parameters if key.lower() == name), None)


@dataclass(frozen=True, slots=True)
class Extension:
    id: int
    uri: str


@dataclass(frozen=True, slots=True)
class Rid:
    """One a=rid line (RFC 8851): `direction` is "send" or "recv", a restriction is ("max-width", "640")."""

    id: str
    direction: str
    restrictions: tuple[tuple[str, str | None], ...] = ()
    paused: bool = False


@dataclass(frozen=True, slots=True)
class SsrcGroup:
    """For example FID: a stream and its retransmissions (RFC 5576, RFC 4588)."""

    semantics: str
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MediaSection:
    """One m-section of a session description, without its share in the transport.

    `port` 0 means rejected, unless `bundle_only`. `simulcast_send` and `simulcast_recv` list rids in the
    order of a=simulcast. `msid` is (stream id, track id). `candidates` are values of a=candidate,
    `bandwidth` pairs such as ("AS", 500). `formats` holds the m-line's formats where they are not codecs.
    """

    mid: str
    kind: SectionKind
    port: int = 9
    protocol: str = "UDP/TLS/RTP/SAVPF"
    direction: Direction = Direction.SENDRECV
    codecs: tuple[Codec, ...] = ()
    formats: tuple[str, ...] = ()
    extensions: tuple[Extension, ...] = ()
    rids: tuple[Rid, ...] = ()
    simulcast_send: tuple[str, ...] = ()
    simulcast_recv: tuple[str, ...] = ()
    ssrcs: tuple[int, ...] = ()
    ssrc_groups: tuple[SsrcGroup, ...] = ()
    cname: str | None = None
    msid: tuple[str, str] | None = None
    rtcp_mux: bool = True
    rtcp_rsize: bool = False
    bundle_only: bool = False
    candidates: tuple[str, ...] = ()
    end_of_candidates: bool = False
    bandwidth: tuple[tuple[str, int], ...] = ()
    sctp_port: int | None = None
    max_message_size: int | None = None

    @property
    def is_rejected(self) -> bool:
        return self.port == 0 and not self.bundle_only

    def rtx_of(self, payload_type: int) -> Codec | None:
        """The retransmission format whose apt is `payload_type` (RFC 4588 section 8.6)."""
        wanted = str(payload_type)
        return next(
            (c for c in self.codecs if c.name.lower() == "rtx" and c.parameter("apt") == wanted), None
        )


@dataclass(frozen=True, slots=True)
class SendTerms:
    """What a client is asked to keep to in an answer: bits a second, and how Opus is to be encoded."""

    max_bitrate: int | None = None
    stereo: bool = False
    dtx: bool = False
    average_bitrate: int | None = None


@dataclass(frozen=True, slots=True)
class PublishParameters:
    """What a client will send on one m-section: numbers are the client's.

    `rids` are in the client's order; with simulcast there is no `ssrc`, packets say their rid. Without it
    `ssrc` and `rtx_ssrc` are there if the client announced them.
    """

    codec: Codec
    rtx_payload_type: int | None = None
    extensions: tuple[Extension, ...] = ()
    rids: tuple[str, ...] = ()
    ssrc: int | None = None
    rtx_ssrc: int | None = None
    red_payload_type: int | None = None
    """Of audio that may come with redundancy (RFC 2198)."""
    prefers_red: bool = False
    """The client put redundancy before the codec itself, so that it sends it."""
    max_bitrate: int | None = None
    """Of a video, bits a second."""

    def extension_id(self, uri: str) -> int | None:
        return next((extension.id for extension in self.extensions if extension.uri == uri), None)
