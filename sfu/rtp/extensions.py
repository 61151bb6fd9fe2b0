"""RTP header extensions (RFC 8285), and what stands in those the node reads or writes.

The block behind an RTP header starts with a profile: 0xBEDE means elements with a one-byte header (ids 1 to
14, 1 to 16 bytes), 0x1000 to 0x100F elements with a two-byte header (ids 1 to 255, 0 to 255 bytes).
"""

from __future__ import annotations

from collections.abc import Sequence

from sfu.errors import RtpError

ONE_BYTE_PROFILE = 0xBEDE
TWO_BYTE_PROFILE = 0x1000
TWO_BYTE_MASK = 0xFFF0
MAX_ELEMENTS = 32


def parse_extensions(profile: int, data: bytes) -> list[tuple[int, bytes]]:
    """The elements of an extension block as (id, value). Raises `RtpError`.

    A block of another profile is of a meaning we do not know: it has no elements.
    """
    if profile == ONE_BYTE_PROFILE:
        return _parse_one_byte(data)
    if profile & TWO_BYTE_MASK == TWO_BYTE_PROFILE:
        return _parse_two_byte(data)
    return []


def _parse_one_byte(data: bytes) -> list[tuple[int, bytes]]:
    elements: list[tuple[int, bytes]] = []
    offset, size = 0, len(data)
    while offset < size:
        byte = data[offset]
        offset += 1
        if byte == 0:
            continue
        id_ = byte >> 4
        if id_ == 15:
            # Reserved: whatever follows is not to be understood (RFC 8285 section 4.2).
            break
        end = offset + (byte & 0x0F) + 1
        if end > size or len(elements) == MAX_ELEMENTS:
            raise RtpError("a header extension is longer than its block, or there are too many")
        if id_:
            elements.append((id_, data[offset:end]))
        offset = end
    return elements


def _parse_two_byte(data: bytes) -> list[tuple[int, bytes]]:
    elements: list[tuple[int, bytes]] = []
    offset, size = 0, len(data)
    while offset < size:
        id_ = data[offset]
        offset += 1
        if id_ == 0:
            continue
        if offset == size:
            raise RtpError("a header extension is cut off")
        end = offset + 1 + data[offset]
        if end > size or len(elements) == MAX_ELEMENTS:
            raise RtpError("a header extension is longer than its block, or there are too many")
        elements.append((id_, data[offset + 1 : end]))
        offset = end
    return elements


def build_extensions(elements: Sequence[tuple[int, bytes]]) -> bytes:
    """Print a whole block, profile and length included; empty for no elements.

    One-byte headers are used where all elements fit them. Raises `RtpError` for an id or value that fits
    neither form.
    """
    if not elements:
        return b""
    if all(1 <= id_ <= 14 and 1 <= len(value) <= 16 for id_, value in elements):
        profile = ONE_BYTE_PROFILE
        data = b"".join(bytes([id_ << 4 | len(value) - 1]) + value for id_, value in elements)
    elif all(1 <= id_ <= 255 and len(value) <= 255 for id_, value in elements):
        profile = TWO_BYTE_PROFILE
        data = b"".join(bytes([id_, len(value)]) + value for id_, value in elements)
    else:
        raise RtpError("a header extension has an id or a length outside 1 to 255")
    data += bytes(-len(data) % 4)
    return profile.to_bytes(2, "big") + (len(data) // 4).to_bytes(2, "big") + data


def narrow(tail: bytes, leave_out: int) -> bytes:
    """Well-formed two-byte elements as one-byte ones, without padding.

    What does not fit that form is left out, and so is the element of id `leave_out`.
    """
    out = b""
    offset, size = 0, len(tail)
    while offset < size:
        id_ = tail[offset]
        if id_ == 0:
            offset += 1
            continue
        length = tail[offset + 1]
        if id_ != leave_out and id_ <= 14 and 1 <= length <= 16:
            out += bytes((id_ << 4 | length - 1,)) + tail[offset + 2 : offset + 2 + length]
        offset += 2 + length
    return out


def renumber(tail: bytes, ids: bytes) -> bytes:
    """One-byte elements under other ids: an element of id `i` gets `ids[i]`, or is blanked where that is 0.

    `tail` is a well-formed run of elements and padding; `ids` has 16 entries. The length stays.
    """
    out = bytearray(tail)
    offset, size = 0, len(tail)
    while offset < size:
        byte = tail[offset]
        end = offset + (byte & 0x0F) + 2 if byte else offset + 1
        if byte:
            id_ = ids[byte >> 4]
            if id_:
                out[offset] = id_ << 4 | byte & 0x0F
            else:
                out[offset:end] = bytes(end - offset)
        offset = end
    return bytes(out)


def renumber_wide(tail: bytes, ids: bytes) -> bytes:
    """`renumber` for two-byte elements; what has an id beyond 15 is blanked."""
    out = bytearray(tail)
    offset, size = 0, len(tail)
    while offset < size:
        id_ = tail[offset]
        end = offset + 2 + tail[offset + 1] if id_ else offset + 1
        if id_:
            theirs = ids[id_] if id_ < len(ids) else 0
            if theirs:
                out[offset] = theirs
            else:
                out[offset:end] = bytes(end - offset)
        offset = end
    return bytes(out)


def parse_audio_level(value: bytes) -> tuple[bool, int]:
    """(voice activity, level): 0 is loudest, 127 silence, in -dBov (RFC 6464). Raises `RtpError`."""
    if not value:
        raise RtpError("an audio level is empty")
    return bool(value[0] & 0x80), value[0] & 0x7F


def build_audio_level(level: int, *, voice: bool) -> bytes:
    return bytes([(0x80 if voice else 0) | level & 0x7F])


def parse_transport_sequence(value: bytes) -> int:
    """The transport-wide sequence number, 16 bits. Raises `RtpError`."""
    if len(value) < 2:
        raise RtpError("a transport-wide sequence number is not two bytes")
    return int.from_bytes(value[:2], "big")


def parse_text(value: bytes) -> str:
    """A mid or rid: ASCII (RFC 8843 section 15.2, RFC 8852). Raises `RtpError`."""
    try:
        return value.rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError as error:
        raise RtpError("a mid or rid is not ASCII") from error


def parse_video_orientation(value: bytes) -> tuple[int, bool, bool]:
    """(rotation clockwise in degrees, flipped, back camera) (3GPP TS 26.114). Raises `RtpError`."""
    if not value:
        raise RtpError("a video orientation is empty")
    return 90 * (value[0] & 3), bool(value[0] & 4), bool(value[0] & 8)


def parse_abs_send_time(value: bytes) -> float:
    """Seconds, modulo 64, in steps of 2^-18. Raises `RtpError`."""
    if len(value) != 3:
        raise RtpError("an absolute send time is not three bytes")
    return int.from_bytes(value, "big") / (1 << 18)


def build_abs_send_time(seconds: float) -> bytes:
    return (int(seconds * (1 << 18)) & 0xFFFFFF).to_bytes(3, "big")


def parse_playout_delay(value: bytes) -> tuple[float, float]:
    """(least, most) seconds between capture and render. Raises `RtpError`."""
    if len(value) != 3:
        raise RtpError("a playout delay is not three bytes")
    number = int.from_bytes(value, "big")
    return (number >> 12) / 100, (number & 0xFFF) / 100


def build_playout_delay(least: float, most: float) -> bytes:
    """Both in seconds, up to 40.95, in steps of 10 ms."""
    return (min(int(least * 100), 0xFFF) << 12 | min(int(most * 100), 0xFFF)).to_bytes(3, "big")
