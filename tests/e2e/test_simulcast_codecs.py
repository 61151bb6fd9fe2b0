"""Simulcast of every codec Chromium sends so: a receiver gets the encoding it asks for, both ways."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser

from tests.e2e.eventually import eventually
from tests.support.chromium_media import ChromiumMedia, media_in

pytestmark = pytest.mark.clients

PATIENCE = 30.0
"""Seconds: two encoders and a decoder share few cores."""
ENCODINGS: list[dict[str, Any]] = [
    {"rid": "q", "scaleResolutionDownBy": 2, "maxBitrate": 200_000, "scalabilityMode": "L1T1"},
    {"rid": "h", "scaleResolutionDownBy": 1, "maxBitrate": 600_000, "scalabilityMode": "L1T1"},
]


@pytest.mark.parametrize("codec", ["H264", "VP9", "AV1"])
@pytest.mark.shows("Chromium", "simulcast {codec}")
async def test_each_encoding_arrives_when_it_is_asked_for(plain_browser: Browser, codec: str) -> None:
    async with media_in(plain_browser) as media:
        profile = {"VP9": "profile-id=0", "H264": "packetization-mode=1"}.get(codec)
        producer = await media.publish(f"video/{codec}", ENCODINGS, profile=profile)
        assert len(producer.encodings) == 2
        await media.subscribe()
        for spatial, width in ((1, 640), (0, 320), (1, 640)):
            await media.prefer(spatial, 2)
            await _arrives(media, width)
        assert {one["rid"] for one in await media.sent()} == {"q", "h"}


async def _arrives(media: ChromiumMedia, width: int) -> None:
    async def seen() -> int:
        return int((await media.received()).get("frameWidth", 0))

    await eventually(seen, lambda now: now == width, f"frames {width} wide arrive", timeout=PATIENCE)
    before = (await media.received())["framesDecoded"]

    async def decoded() -> int:
        return int((await media.received())["framesDecoded"]) - before

    await eventually(decoded, lambda now: now >= 10, "more frames are decoded", timeout=PATIENCE)
