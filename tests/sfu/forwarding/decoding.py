"""From the packets a receiver got back to pictures: depacketizing as the formats say, decoding by FFmpeg.

Strict where a browser is: a frame with a hole in it is not handed to the decoder, but fails the test.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from itertools import groupby

import av
from av.video.frame import VideoFrame

from sfu.codecs import vp8, vp9
from tests.sfu.forwarding.world import Received

_DECODERS = {
    "video/VP8": "libvpx",
    "video/VP9": "libvpx-vp9",
    "video/AV1": "libdav1d",
    "video/H264": "h264",
    "video/H265": "hevc",
}


def pictures(packets: Sequence[Received], unfinished: Container[int] = ()) -> list[list[Received]]:
    """The packets of each picture. Each must end with the marker, and the marker be nowhere else.

    Those at the timestamps `unfinished` are left out.
    """
    grouped = [list(group) for _, group in groupby(packets, key=lambda one: one.timestamp)]
    finished = [group for group in grouped if group[0].timestamp not in unfinished]
    for group in finished:
        marks = [one.marker for one in group]
        assert marks == [False] * (len(marks) - 1) + [True], f"markers of a picture: {marks}"
    return finished


def decode(mime: str, packets: Sequence[Received], unfinished: Container[int] = ()) -> list[VideoFrame]:
    """Every picture. Fails where one does not decode."""
    decoder = av.CodecContext.create(_DECODERS[mime], "r")
    frames: list[VideoFrame] = []
    for group in pictures(packets, unfinished):
        frames += decoder.decode(av.Packet(_assemble(mime, group)))
    frames += decoder.decode(None)
    return frames


def _assemble(mime: str, group: Sequence[Received]) -> bytes:
    if mime == "video/VP8":
        return b"".join(one.payload[vp8.parse_descriptor(one.payload).length :] for one in group)
    if mime == "video/VP9":
        return _vp9_superframe(group)
    if mime == "video/AV1":
        return _av1_unit(one.payload for one in group)
    if mime == "video/H265":
        return _h265_unit(one.payload for one in group)
    return _h264_unit(one.payload for one in group)


def _vp9_superframe(group: Sequence[Received]) -> bytes:
    """The layer frames of a picture and the index behind them (VP9 bitstream, annex B)."""
    layers: list[bytes] = []
    for one in group:
        descriptor = vp9.parse_descriptor(one.payload)
        if descriptor.starts_frame:
            layers.append(b"")
        layers[-1] += one.payload[descriptor.length :]
    if len(layers) == 1:
        return layers[0]
    marker = 0b110_11_000 | len(layers) - 1
    sizes = b"".join(len(layer).to_bytes(4, "little") for layer in layers)
    return b"".join(layers) + bytes((marker,)) + sizes + bytes((marker,))


def _av1_unit(payloads: Iterable[bytes]) -> bytes:
    """OBUs with their sizes, from the elements of the aggregation (AV1 RTP, section 4.4)."""
    elements: list[bytes] = []
    for payload in payloads:
        continues, count = payload[0] & 0x80, payload[0] >> 4 & 3
        position, index = 1, 0
        while position < len(payload):
            index += 1
            if count and index == count:
                size = len(payload) - position
            else:
                size, position = _leb128(payload, position)
            element = payload[position : position + size]
            position += size
            if index == 1 and continues:
                elements[-1] += element
            else:
                elements.append(element)
    return b"\x12\x00" + b"".join(_with_size(element) for element in elements if element)


def _with_size(obu: bytes) -> bytes:
    head = 2 if obu[0] & 0x04 else 1
    if obu[0] & 0x02:
        return obu
    size, encoded = len(obu) - head, b""
    while True:
        byte, size = size & 0x7F, size >> 7
        encoded += bytes((byte | (0x80 if size else 0),))
        if not size:
            return bytes((obu[0] | 0x02,)) + obu[1:head] + encoded + obu[head:]


def _leb128(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, position


def _h264_unit(payloads: Iterable[bytes]) -> bytes:
    """Annex B, from single NAL units, STAP-A and FU-A (RFC 6184)."""
    out = b""
    for payload in payloads:
        kind = payload[0] & 0x1F
        if kind == 24:
            position = 1
            while position < len(payload):
                size = payload[position] << 8 | payload[position + 1]
                out += b"\0\0\0\1" + payload[position + 2 : position + 2 + size]
                position += 2 + size
        elif kind == 28:
            if payload[1] & 0x80:
                out += b"\0\0\0\1" + bytes((payload[0] & 0xE0 | payload[1] & 0x1F,))
            out += payload[2:]
        else:
            out += b"\0\0\0\1" + payload
    return out


def _h265_unit(payloads: Iterable[bytes]) -> bytes:
    """Annex B, from single NAL units, aggregation packets and fragmentation units (RFC 7798)."""
    out = b""
    for payload in payloads:
        kind = payload[0] >> 1 & 0x3F
        if kind == 48:
            position = 2
            while position < len(payload):
                size = payload[position] << 8 | payload[position + 1]
                out += b"\0\0\0\1" + payload[position + 2 : position + 2 + size]
                position += 2 + size
        elif kind == 49:
            if payload[2] & 0x80:
                out += b"\0\0\0\1" + bytes((payload[0] & 0x81 | (payload[2] & 0x3F) << 1, payload[1]))
            out += payload[3:]
        else:
            out += b"\0\0\0\1" + payload
    return out
