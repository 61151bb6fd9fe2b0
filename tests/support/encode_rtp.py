"""Encodes into tests/vectors/rtp what browsers do not send: other encoders, other packetizers, other modes.

    python -m tests.support.encode_rtp [name ...]

VP8 and H.264 are encoded by libvpx and libx264 and packetized by aiortc; H.265 by libx265, and packetized by
GStreamer; AV1 by SVT-AV1, and VP8 and VP9 with
temporal layers by libvpx, packetized here as the formats say. No encoder that FFmpeg wraps makes spatial
layers, so those of VP9 in non-flexible mode are Chromium's layer frames (`vp9_l3t3`) under new descriptors.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from av.video.frame import PictureType, VideoFrame

from sfu.codecs import vp9
from tests.support.gstreamer.process import FOLDER, PYTHON
from tests.vectors.rtp import Capture, Recorded, read, write

WIDTH, HEIGHT = 320, 180
PICTURES, KEY_EVERY = 72, 44
PAYLOAD = 400
FIRST_SEQUENCE, FIRST_PICTURE, FIRST_TL0 = 65500, 32740, 250
"""So that everything that counts wraps within a capture."""
APART = 900_000
"""Of the timestamps of two encodings, which begin anywhere."""
PATTERN = (0, 2, 1, 2)
"""Temporal layers of a group of four pictures."""
GROUP = bytes((4, 0x04, 4, 0x54, 1, 0x34, 2, 0x58, 1, 2))
"""Of the scalability structure: four pictures, and what each refers to (RFC 9628 section 4.2.1)."""
_LAYERED = {
    "error-resilient": "default",
    "ts-parameters": "ts_number_layers=3:ts_target_bitrate=80,120,200:ts_rate_decimator=4,2,1:"
    "ts_periodicity=4:ts_layer_id=0,2,1,2:ts_layering_mode=3",
}
_X265 = "log-level=error:info=0:open-gop=0:scenecut=0"
_REALTIME = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "drop-threshold": "0"}


class LayerFrame(NamedTuple):
    temporal: int
    spatial: int
    predicted: bool
    depends_on_lower: bool
    sizes: tuple[tuple[int, int], ...]
    """Of all spatial layers, where a key picture begins."""
    data: bytes


def _pictures() -> Iterator[VideoFrame]:
    """A square that moves before a gradient."""
    across = np.linspace(0, 200, WIDTH, dtype=np.uint8)
    for number in range(PICTURES):
        image = np.stack(
            [np.tile(np.roll(across, 2 * number + 40 * one), (HEIGHT, 1)) for one in range(3)], 2
        )
        left = 5 * number % (WIDTH - 40)
        image[60:100, left : left + 40] = (250, 40, 3 * number % 250)
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24").reformat(
            format="yuv420p"
        )
        frame.pts = number
        frame.pict_type = PictureType.I if number % KEY_EVERY == 0 else PictureType.NONE
        yield frame


def _encode(
    encoder: str, options: dict[str, str], profile: str | None = None, *, scale_down_by: int = 1
) -> list[bytes]:
    context = av.VideoCodecContext.create(encoder, "w")
    context.width, context.height = WIDTH // scale_down_by, HEIGHT // scale_down_by
    context.pix_fmt = "yuv420p"
    context.time_base, context.framerate = Fraction(1, 30), Fraction(30)
    context.bit_rate, context.gop_size = 200_000, KEY_EVERY
    context.options = options
    if profile is not None:
        context.profile = profile
    found: list[bytes] = []
    for picture in _pictures():
        frame = picture
        if scale_down_by > 1:
            frame = picture.reformat(width=context.width, height=context.height)
            frame.pict_type = picture.pict_type
        found += [bytes(packet) for packet in context.encode(frame)]
    found += [bytes(packet) for packet in context.encode(None)]
    assert len(found) == PICTURES, f"{encoder} made {len(found)} of {PICTURES} pictures"
    return found


def _pieces(data: bytes) -> list[bytes]:
    return [data[start : start + PAYLOAD] for start in range(0, len(data), PAYLOAD)]


def _vp8_by_aiortc() -> list[list[bytes]]:
    frames = _encode("libvpx", _REALTIME)
    return [Vp8Encoder._packetize(data, FIRST_PICTURE + n & 0x7FFF) for n, data in enumerate(frames)]


def _h264_by_aiortc(profile: str) -> list[list[bytes]]:
    options = {"tune": "zerolatency", "preset": "veryfast", "forced-idr": "1"}
    frames = _encode("libx264", options, profile)
    return [H264Encoder._packetize(H264Encoder._split_bitstream(data)) for data in frames]


def _h265_by_gstreamer(parameters: str, tune: dict[str, str], *, scale_down_by: int = 1) -> list[list[bytes]]:
    options = {"preset": "veryfast", "forced-idr": "1", "x265-params": _X265 + parameters}
    lines = "".join(
        data.hex() + "\n" for data in _encode("libx265", options | tune, scale_down_by=scale_down_by)
    )
    done = subprocess.run(
        [PYTHON, str(FOLDER / "packetize.py"), str(PAYLOAD)],
        input=lines,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = [[bytes.fromhex(one) for one in json.loads(line)] for line in done.stdout.splitlines()]
    assert len(found) == PICTURES, f"{len(found)} of {PICTURES} pictures were packetized"
    return found


def _vp8_in_layers() -> list[list[bytes]]:
    """RFC 7741 section 4.2, with TID; no picture claims to be a way up (Y)."""
    found = []
    tl0 = FIRST_TL0 - 1
    for number, data in enumerate(_encode("libvpx", _REALTIME | _LAYERED)):
        temporal = PATTERN[number % 4]
        tl0 += temporal == 0
        picture = 0x8000 | FIRST_PICTURE + number & 0x7FFF
        rest = bytes((0xE0, picture >> 8, picture & 0xFF, tl0 & 0xFF, temporal << 6))
        found.append(
            [bytes((0x90 if n == 0 else 0x80,)) + rest + piece for n, piece in enumerate(_pieces(data))]
        )
    return found


def _vp9_in_groups(pictures: Sequence[Sequence[LayerFrame]]) -> list[list[bytes]]:
    """RFC 9628 in non-flexible mode: F is clear, TL0PICIDX counts, the structure says what refers to what."""
    found = []
    tl0 = FIRST_TL0 - 1
    for number, picture in enumerate(pictures):
        tl0 += picture[0].temporal == 0
        found.append(
            [
                payload
                for frame in picture
                for payload in _vp9_frame(frame, FIRST_PICTURE + number & 0x7FFF, tl0 & 0xFF)
            ]
        )
    return found


def _vp9_frame(frame: LayerFrame, picture: int, tl0: int) -> list[bytes]:
    pieces = _pieces(frame.data)
    switching = frame.temporal > 0
    layers = frame.temporal << 5 | switching << 4 | frame.spatial << 1 | frame.depends_on_lower
    payloads = []
    for position, piece in enumerate(pieces):
        first, last = position == 0, position == len(pieces) - 1
        structure = b""
        if first and frame.sizes:
            structure = bytes((len(frame.sizes) - 1 << 5 | 0x18,))
            structure += b"".join(w.to_bytes(2, "big") + h.to_bytes(2, "big") for w, h in frame.sizes) + GROUP
        head = 0xA0 | frame.predicted << 6 | first << 3 | last << 2 | bool(structure) << 1
        payloads.append(bytes((head, 0x80 | picture >> 8, picture & 0xFF, layers, tl0)) + structure + piece)
    return payloads


def _vp9_by_libvpx() -> list[list[bytes]]:
    frames = _encode("libvpx-vp9", _REALTIME | _LAYERED)
    pictures = []
    for number, data in enumerate(frames):
        key = number % KEY_EVERY == 0
        temporal = 0 if key else PATTERN[number % 4]
        pictures.append([LayerFrame(temporal, 0, not key, False, ((WIDTH, HEIGHT),) if key else (), data)])
    return _vp9_in_groups(pictures)


def _vp9_by_chromium() -> list[list[bytes]]:
    pictures: list[list[LayerFrame]] = []
    for _, group in itertools.groupby(read("vp9_l3t3").packets, key=lambda one: one.timestamp):
        frames: list[LayerFrame] = []
        for one in group:
            told = vp9.parse_descriptor(one.payload)
            data = one.payload[told.length :]
            if told.starts_frame:
                sizes = told.scalability.sizes if told.scalability is not None and not told.predicted else ()
                frames.append(
                    LayerFrame(
                        told.temporal, told.spatial, told.predicted, told.depends_on_lower, sizes, data
                    )
                )
            else:
                frames[-1] = frames[-1]._replace(data=frames[-1].data + data)
        pictures.append(frames)
    start = next(n for n, frames in enumerate(pictures) if not frames[0].predicted)
    return _vp9_in_groups(pictures[start:])


def _av1_by_svt() -> list[list[bytes]]:
    """AV1 RTP section 4: one OBU for each element, without sizes, and fragments of the last."""
    frames = _encode("libsvtav1", {"preset": "12", "svtav1-params": "pred-struct=1:rc=2"})
    return [_av1_unit(data) for data in frames]


def _av1_unit(data: bytes) -> list[bytes]:
    payloads = []
    obus = [obu for obu in _obus(data) if obu[0] >> 3 & 0x0F != 2]
    starts_sequence = any(obu[0] >> 3 & 0x0F == 1 for obu in obus)
    for obu in obus:
        pieces = _pieces(obu)
        for position, piece in enumerate(pieces):
            head = (position > 0) << 7 | (position < len(pieces) - 1) << 6 | 1 << 4
            head |= (starts_sequence and not payloads) << 3
            payloads.append(bytes((head,)) + piece)
    return payloads


def _obus(data: bytes) -> Iterator[bytes]:
    """Without their size fields."""
    position = 0
    while position < len(data):
        head = 2 if data[position] & 0x04 else 1
        size = shift = 0
        after = position + head
        while True:
            byte = data[after]
            after += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        yield (
            bytes((data[position] & ~0x02,))
            + data[position + 1 : position + head]
            + data[after : after + size]
        )
        position = after + size


class Wanted(NamedTuple):
    mime: str
    origin: str
    make: Callable[[], list[list[bytes]]]
    make_lower: Callable[[], list[list[bytes]]] | None = None
    """Of a simulcast: its lower encoding."""


WANTED: dict[str, Wanted] = {
    "vp8_libvpx": Wanted("video/VP8", "libvpx, packetized by aiortc", _vp8_by_aiortc),
    "vp8_libvpx_l1t3": Wanted("video/VP8", "libvpx with ts_layering_mode=3", _vp8_in_layers),
    "h264_baseline": Wanted(
        "video/H264", "libx264 baseline, packetized by aiortc", lambda: _h264_by_aiortc("baseline")
    ),
    "h264_high": Wanted("video/H264", "libx264 high, packetized by aiortc", lambda: _h264_by_aiortc("high")),
    "h265_main": Wanted(
        "video/H265",
        "libx265 main, packetized by GStreamer",
        lambda: _h265_by_gstreamer("", {"tune": "zerolatency"}),
    ),
    "h265_l1t2": Wanted(
        "video/H265",
        "libx265 with every other picture in a second temporal layer, packetized by GStreamer; times are in "
        "the order of decoding",
        lambda: _h265_by_gstreamer(":bframes=1:b-adapt=0:temporal-layers=2:rc-lookahead=5", {}),
    ),
    "h265_simulcast": Wanted(
        "video/H265",
        "libx265 main in two sizes, packetized by GStreamer",
        lambda: _h265_by_gstreamer("", {"tune": "zerolatency"}),
        lambda: _h265_by_gstreamer("", {"tune": "zerolatency"}, scale_down_by=2),
    ),
    "vp9_groups_l1t3": Wanted("video/VP9", "libvpx-vp9, non-flexible mode", _vp9_by_libvpx),
    "vp9_groups_l3t3": Wanted("video/VP9", "layer frames of vp9_l3t3 in non-flexible mode", _vp9_by_chromium),
    "av1_svt": Wanted("video/AV1", "SVT-AV1, without dependency descriptor", _av1_by_svt),
}


def _capture(name: str) -> Capture:
    wanted = WANTED[name]
    makes = [one for one in (wanted.make_lower, wanted.make) if one is not None]
    packets: list[Recorded] = []
    for encoding, make in enumerate(makes):
        sequence = FIRST_SEQUENCE
        for number, payloads in enumerate(make()):
            stamp, at = 3000 * number + APART * encoding, round(number / 30, 4)
            for position, payload in enumerate(payloads):
                last = position == len(payloads) - 1
                packets.append(Recorded(encoding, sequence, last, stamp, at, b"", payload))
                sequence = sequence + 1 & 0xFFFF
    packets.sort(key=lambda one: (one.at, one.encoding))
    return Capture(name, wanted.mime, f"{wanted.origin}; {av.__name__} {av.__version__}", tuple(packets))


def _main(names: list[str]) -> None:
    for name in names or list(WANTED):
        capture = _capture(name)
        size = write(capture)
        print(f"{name}: {len(capture.packets)} packets, {size} bytes; {capture.origin}")  # noqa: T201


if __name__ == "__main__":
    _main(sys.argv[1:])
