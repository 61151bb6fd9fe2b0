"""Synthetic media: RTP payloads that look right to a server that reads descriptors, and mean nothing else.

Video is VP8 (RFC 7741) in frames of equal packets. A frame's first packet begins a partition, and says in
VP8's own first byte whether it is a key frame; picture id, TL0PICIDX and the temporal layer count as an
encoder's would. Audio is noise of Opus' size. Both end in a stamp (`sfu.bots.stamp`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from sfu.bots.stamp import STAMP_LENGTH, to_stamp

VIDEO_CLOCK_RATE = 90_000
AUDIO_CLOCK_RATE = 48_000
HD = (1280, 720)
DESCRIPTOR_LENGTH = 6
KEY_FRAME_HEADER_LENGTH = 10
MIN_VIDEO_PAYLOAD = DESCRIPTOR_LENGTH + KEY_FRAME_HEADER_LENGTH + STAMP_LENGTH
MIN_AUDIO_PAYLOAD = 1 + STAMP_LENGTH

X_BIT, S_BIT = 0x80, 0x10
I_BIT, L_BIT, T_BIT = 0x80, 0x40, 0x20
OPUS_TOC_20_MS_STEREO = 0xFC

_TEMPORAL_PATTERN = {1: (0,), 2: (0, 1), 3: (0, 2, 1, 2)}


def _key_header(width: int, height: int) -> bytes:
    """VP8's frame tag of a shown key frame, its start code, and the picture size (RFC 6386 section 9.1)."""
    return b"\x10\x00\x00\x9d\x01\x2a" + struct.pack("<HH", width, height)


class Vp8Frames:
    """Payloads of one VP8 encoding.

    `packets_per_frame` payloads of `payload_size` bytes each; `temporal_layers` is 1, 2 or 3. The first
    frame is a key frame, and so is the next one after `request_key_frame`.
    """

    def __init__(
        self,
        stream_id: int,
        *,
        packets_per_frame: int,
        payload_size: int,
        width: int = HD[0],
        height: int = HD[1],
        temporal_layers: int = 1,
    ) -> None:
        if payload_size < MIN_VIDEO_PAYLOAD:
            raise ValueError(f"a video payload needs at least {MIN_VIDEO_PAYLOAD} bytes")
        self.stream_id = stream_id
        self.packets_sent = 0
        self.key_frames = 0
        self.packets_per_frame = packets_per_frame
        self._size = payload_size
        self._pattern = _TEMPORAL_PATTERN[temporal_layers]
        self._picture = 0
        self._tl0 = 0
        self._step = 0
        self._key_frame_due = True
        self._key_header = _key_header(width, height)
        self._delta_header = b"\x11\x00\x00".ljust(KEY_FRAME_HEADER_LENGTH, b"\0")
        self._filling = bytes(payload_size - MIN_VIDEO_PAYLOAD)

    def request_key_frame(self) -> None:
        self._key_frame_due = True

    def resize(self, width: int, height: int) -> None:
        """Pictures of another size, from the next frame on."""
        self._key_header = _key_header(width, height)
        self._key_frame_due = True

    def next_frame(self, sent_ns: int) -> list[bytes]:
        """The payloads of one frame, first to last."""
        key, self._key_frame_due = self._key_frame_due, False
        if key:
            self._step = 0
            self.key_frames += 1
        temporal = self._pattern[self._step % len(self._pattern)]
        self._step += 1
        if temporal == 0:
            self._tl0 = (self._tl0 + 1) & 0xFF
        descriptor = struct.pack(
            "!BHBB", I_BIT | L_BIT | T_BIT, 0x8000 | self._picture, self._tl0, temporal << 6
        )
        self._picture = (self._picture + 1) & 0x7FFF
        header = self._key_header if key else self._delta_header
        body = descriptor + header + self._filling
        counter = self.packets_sent
        self.packets_sent = counter + self.packets_per_frame
        first = bytes((X_BIT | S_BIT,)) + body
        rest = bytes((X_BIT,)) + body
        return [
            (first if index == 0 else rest) + to_stamp(self.stream_id, counter + index, sent_ns)
            for index in range(self.packets_per_frame)
        ]


class OpusFrames:
    """Payloads of one Opus stream, one per 20 ms."""

    def __init__(self, stream_id: int, *, payload_size: int = 100) -> None:
        if payload_size < MIN_AUDIO_PAYLOAD:
            raise ValueError(f"an audio payload needs at least {MIN_AUDIO_PAYLOAD} bytes")
        self.stream_id = stream_id
        self.packets_per_frame = 1
        self.packets_sent = 0
        self._head = bytes((OPUS_TOC_20_MS_STEREO,)) + bytes(payload_size - MIN_AUDIO_PAYLOAD)

    def next_frame(self, sent_ns: int) -> list[bytes]:
        counter = self.packets_sent
        self.packets_sent = counter + 1
        return [self._head + to_stamp(self.stream_id, counter, sent_ns)]


FrameSource = Callable[[int], list[bytes]]
"""Gives the payloads of the next frame for a moment in nanoseconds."""
