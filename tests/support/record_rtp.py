"""Records what Chromium sends into tests/vectors/rtp.

    python -m tests.support.record_rtp [name ...]

Each capture is the packets of one producer as the node took them, authenticated and decrypted: the payload,
and the forwarded header extensions in the two-byte form, the dependency descriptor first. About six seconds
with a key frame asked for in the middle; small pictures, to keep the files small.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from sfu.forwarding.encoding import Encoding
from tests.support.chromium_media import ChromiumMedia, Refused, chromium_media
from tests.vectors.rtp import CAPTURES, Capture, Recorded, write

SECONDS = 6.0
KEYFRAME_AFTER = 3.0
MAX_PACKETS = 450

_SIMULCAST = [
    {"rid": "h", "scaleResolutionDownBy": 2, "maxBitrate": 100_000},
    {"rid": "f", "maxBitrate": 250_000},
]


def _svc(mode: str, bitrate: int = 200_000) -> list[dict[str, Any]]:
    return [{"scalabilityMode": mode, "maxBitrate": bitrate}]


def _simulcast(mode: str) -> list[dict[str, Any]]:
    return [{**one, "scalabilityMode": mode} for one in _SIMULCAST]


VP9 = {"mime": "video/VP9", "profile": "profile-id=0"}
AV1 = {"mime": "video/AV1"}
LARGE = {"width": 960, "height": 540}
"""Chromium gives VP9 no spatial layer below 240 x 135."""
MIDDLE = {"width": 480, "height": 270}
TWO = {"width": 640, "height": 360}
"""Chromium sends no second encoding of less."""

WANTED: dict[str, dict[str, Any]] = {
    "vp8_simulcast": {"mime": "video/VP8", **TWO, "encodings": _simulcast("L1T3")},
    "vp9_l1t3": {**VP9, "encodings": _svc("L1T3")},
    "vp9_l3t3": {**VP9, **LARGE, "encodings": _svc("L3T3", 900_000)},
    "vp9_l3t3_key": {**VP9, **LARGE, "encodings": _svc("L3T3_KEY", 900_000)},
    "vp9_simulcast": {**VP9, **TWO, "encodings": _simulcast("L1T2")},
    "av1_l1t3": {**AV1, "encodings": _svc("L1T3")},
    "av1_l2t2": {**AV1, **MIDDLE, "encodings": _svc("L2T2", 300_000)},
    "av1_l3t3_key": {**AV1, **MIDDLE, "encodings": _svc("L3T3_KEY", 300_000)},
    "av1_simulcast": {**AV1, **TWO, "encodings": _simulcast("L1T2")},
    "vp8_l1t3": {"mime": "video/VP8", "encodings": _svc("L1T3")},
    "h264_l1t3": {"mime": "video/H264", "encodings": _svc("L1T3")},
    "h264_simulcast": {"mime": "video/H264", **TWO, "encodings": _SIMULCAST},
}


async def _record(name: str) -> Capture:
    packets: list[Recorded] = []
    seen: set[tuple[int, int]] = set()
    plain_take = Encoding.take

    def take(
        self: Encoding,
        sequence: int,
        marker: int,
        timestamp: int,
        words: int,
        tail: bytes,
        payload: bytes,
        now: float,
    ) -> bool:
        if (self.spatial, sequence) not in seen:
            # Chromium probes the path with packets that it sent before.
            seen.add((self.spatial, sequence))
            packets.append(Recorded(self.spatial, sequence, bool(marker), timestamp, now, tail, payload))
        return plain_take(self, sequence, marker, timestamp, words, tail, payload, now)

    wanted = {"width": 320, "height": 180} | WANTED[name]
    size = f"{wanted['width']}x{wanted['height']}"
    mime = wanted.pop("mime")
    async with chromium_media() as media:
        Encoding.take = take  # type: ignore[method-assign]
        try:
            version = media.page.context.browser
            await media.publish(mime, wanted.pop("encodings"), **wanted)
            await asyncio.sleep(KEYFRAME_AFTER)
            await _request_keyframes(media)
            await asyncio.sleep(SECONDS - KEYFRAME_AFTER)
        finally:
            Encoding.take = plain_take  # type: ignore[method-assign]
    assert version is not None
    packets = packets[:MAX_PACKETS]
    if not packets:
        raise Refused("no packets came")
    start = packets[0].at
    return Capture(
        name=name,
        mime=mime,
        origin=f"Chromium {version.version}, {WANTED[name]['encodings']}, {size}",
        packets=tuple(one._replace(at=round(one.at - start, 4)) for one in packets),
    )


async def _request_keyframes(media: ChromiumMedia) -> None:
    assert media.producer is not None
    transport = media.link.node.transports["tp"]
    for encoding in media.producer.encodings:
        if encoding.stream.ssrc:
            transport.association.send_rtcp(_pli(encoding.stream.ssrc))


def _pli(ssrc: int) -> bytes:
    from sfu.rtp.rtcp import Pli

    return Pli(1, ssrc).to_bytes()


async def _main(names: list[str]) -> None:
    CAPTURES.mkdir(exist_ok=True)
    for name in names or list(WANTED):
        try:
            capture = await _record(name)
        except Refused as refusal:
            print(f"{name}: {refusal}")  # noqa: T201
            continue
        size = write(capture)
        print(f"{name}: {len(capture.packets)} packets, {size} bytes; {capture.origin}")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
