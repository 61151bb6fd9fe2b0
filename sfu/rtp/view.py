"""What a client that offers to receive (WHEP) gets, under the client's own numbers. Pure.

An m-section is answered with every codec that both sides know, so that what it carries may change, for
example to another speaker's, without another offer. The client's payload types and extension ids hold;
towards it the forwarded extensions are renumbered (`ViewParameters.numbering`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sfu.rtp.negotiation import (
    MAX_ONE_BYTE_ID,
    PUBLISH_EXTENSIONS,
    SUBSCRIBE_EXTENSIONS,
    choose_feedback,
    codec_key,
    is_described,
    red_codec,
    red_of,
    with_rtx,
)
from sfu.rtp.parameters import Codec, Extension, ExtensionUri, MediaSection

DECODERS: dict[str, tuple[str, ...]] = {
    "h264/42e0": ("h264/42e0", "h264/4200", "h264/4d00", "h264/6400", "h264/640c"),
    "h264/4200": ("h264/4200", "h264/42e0"),
    "h264/4d00": ("h264/4d00", "h264/6400"),
    "h264/640c": ("h264/640c", "h264/6400"),
    "h265/1": ("h265/1", "h265/2"),
}
"""Who can decode a profile, best first (H.264 annex A.2; H.265 annex A.3). Baseline's own tools, which
constrained baseline lacks, no encoder of today uses."""


@dataclass(frozen=True, slots=True)
class ViewFormat:
    """A codec under the client's payload types."""

    codec: Codec
    rtx_payload_type: int | None


@dataclass(frozen=True, slots=True)
class ViewParameters:
    """What may be sent on one m-section. `formats` are by codec key, in the client's order."""

    formats: dict[str, ViewFormat]
    extensions: tuple[Extension, ...]
    red_payload_type: int | None = None
    """Of redundant audio, where the client knows it."""

    @property
    def codecs(self) -> tuple[Codec, ...]:
        """Those of `formats`, and what goes with them."""
        answered: list[Codec] = []
        for one in self.formats.values():
            answered += with_rtx(one.codec, one.rtx_payload_type)
        opus = self.formats.get("opus")
        if self.red_payload_type is not None and opus is not None:
            answered.append(red_codec(opus.codec, self.red_payload_type))
        return tuple(answered)

    def format_for(self, codec: Codec) -> ViewFormat | None:
        """Under what a producer's codec goes out; None when the client cannot decode it."""
        key = codec_key(codec)
        if key is None:
            return None
        usable = (self.formats.get(one) for one in DECODERS.get(key, (key,)))
        return next((one for one in usable if one is not None), None)

    @property
    def twcc_id(self) -> int | None:
        return self._id_of(ExtensionUri.TWCC)

    @property
    def numbering(self) -> bytes:
        """The client's id of each forwarded extension, by ours; 0 where it did not ask for it."""
        ids = bytearray(16)
        for uri, ours in SUBSCRIBE_EXTENSIONS.items():
            ids[ours] = self._id_of(uri) or 0
        return bytes(ids)

    def is_wide_with(self, codec: Codec) -> bool:
        """Whether packets of that codec go out in two-byte elements, with the dependency descriptor."""
        return is_described(codec.mime) and self._id_of(ExtensionUri.DEPENDENCY_DESCRIPTOR) is not None

    def _id_of(self, uri: str) -> int | None:
        return next((one.id for one in self.extensions if one.uri == uri), None)


def choose_view(section: MediaSection, *, mixed: bool = False) -> ViewParameters | None:
    """What to send on an m-section that a client offers to receive on; None without a codec in common.

    `mixed`: it takes two-byte elements beside one-byte ones (RFC 8285 section 6), which the dependency
    descriptor comes in.
    """
    wanted = PUBLISH_EXTENSIONS.get(section.kind, ())
    if mixed and section.kind == "video":
        wanted = (*wanted, ExtensionUri.DEPENDENCY_DESCRIPTOR)
    extensions = tuple(
        one
        for one in section.extensions
        if one.uri in wanted and one.uri in SUBSCRIBE_EXTENSIONS and one.id <= MAX_ONE_BYTE_ID
    )
    has_twcc = any(one.uri == ExtensionUri.TWCC for one in extensions)
    formats: dict[str, ViewFormat] = {}
    for codec in section.codecs:
        key = codec_key(codec) if codec.is_media else None
        if key is None or key in formats:
            continue
        rtx = section.rtx_of(codec.payload_type)
        answered = replace(codec, feedback=choose_feedback(codec, has_twcc=has_twcc))
        formats[key] = ViewFormat(answered, None if rtx is None else rtx.payload_type)
    return ViewParameters(formats, extensions, _red_of(section, formats)) if formats else None


def _red_of(section: MediaSection, formats: dict[str, ViewFormat]) -> int | None:
    opus = formats.get("opus")
    if opus is None:
        return None
    red = red_of(section, opus.codec)
    return None if red is None else red.payload_type
