"""Of spatial and temporal layers a browser gets those it asks for; the picture goes on through every change.

At 640 x 360 Chromium makes two spatial layers, whatever it is asked for.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser

from tests.e2e.eventually import eventually
from tests.support.chromium_media import ChromiumMedia, media_in

pytestmark = pytest.mark.alone

PATIENCE = 30.0
"""Seconds: encoders of several layers share few cores with everything else."""

Json = dict[str, Any]


async def _arrives(media: ChromiumMedia, width: int, *, by: str = "subscriber") -> None:
    async def seen() -> int:
        return int((await media.received(by)).get("frameWidth", 0))

    await eventually(seen, lambda now: now == width, f"frames {width} wide arrive", timeout=PATIENCE)


async def _decodes(media: ChromiumMedia, more: int = 15) -> None:
    before = (await media.received())["framesDecoded"]

    async def decoded() -> int:
        return int((await media.received())["framesDecoded"]) - before

    await eventually(decoded, lambda now: now >= more, f"{more} more frames are decoded", timeout=PATIENCE)


async def _share_of_frames(media: ChromiumMedia) -> float:
    """Of the next frames that are encoded, how many arrive: a machine that is busy encodes fewer."""

    async def counts() -> tuple[int, int]:
        encoded = sum(int(one["framesEncoded"]) for one in await media.sent())
        return encoded, int((await media.received())["framesReceived"])

    encoded, received = await counts()
    after = await eventually(
        counts, lambda now: now[0] >= encoded + 30, "30 more frames are encoded", timeout=PATIENCE
    )
    return (after[1] - received) / (after[0] - encoded)


async def _layers_come(media: ChromiumMedia, count: int) -> None:
    """Until the publisher sends that many layers: its bandwidth estimate has to grow first."""
    assert media.producer is not None
    encoding = media.producer.encodings[0]

    async def known() -> int:
        return len(encoding.rates)

    await eventually(known, lambda now: now >= count, f"{count} layers are measured", timeout=PATIENCE)


MOST_FREEZES = {"video/VP9": 8, "video/AV1": 12}
"""Both are encoded in software, which halts by itself on a busy machine."""


@pytest.mark.parametrize(
    ("mime", "mode", "profile"),
    [
        pytest.param("video/VP9", "L3T3_KEY", "profile-id=0", marks=pytest.mark.shows("Chromium", "SVC VP9")),
        pytest.param("video/VP9", "L3T3", "profile-id=0", marks=pytest.mark.clients),
        pytest.param("video/AV1", "L3T3_KEY", None, marks=pytest.mark.shows("Chromium", "SVC AV1")),
    ],
)
async def test_spatial_and_temporal_layers_are_changed_both_ways(
    plain_browser: Browser, mime: str, mode: str, profile: str | None
) -> None:
    async with media_in(plain_browser) as media:
        encodings: list[Json] = [{"scalabilityMode": mode, "maxBitrate": 900_000}]
        await media.publish(mime, encodings, width=640, height=360, profile=profile)
        await media.subscribe()
        await _layers_come(media, 2 * int(mode[3]))
        await _arrives(media, 640)
        top = int(mode[3]) - 1
        requests = media.producer.encodings[0].keyframes.sent if media.producer is not None else 0
        before = await media.received()
        for spatial, width in ((0, 320), (1, 640), (0, 320), (1, 640)):
            await media.prefer(spatial, top)
            await _arrives(media, width)
            await _decodes(media)
        full = await _share_of_frames(media)
        await media.prefer(1, 0)
        await _decodes(media, 5)
        slow = await _share_of_frames(media)
        assert slow < full * 0.75, f"{slow:.0%} of the frames in the base layer, {full:.0%} of all"
        await media.prefer(1, top)
        await _decodes(media)
        after = await media.received()
        assert after["pliCount"] - before["pliCount"] <= 2, "the decoder had to ask for key frames"
        assert after["freezeCount"] - before.get("freezeCount", 0) <= MOST_FREEZES[mime], f"{after}"
        assert media.producer is not None
        assert media.producer.encodings[0].keyframes.sent - requests <= 10, "a storm of requests"


def _without_descriptor(sdp: str) -> str:
    return "".join(line for line in sdp.splitlines(keepends=True) if "dependency-descriptor" not in line)


@pytest.mark.parametrize("mode", ["L3T3_KEY", pytest.param("L2T2", marks=pytest.mark.clients)])
async def test_who_takes_no_descriptor_is_sent_the_lowest_spatial_layer_of_av1(
    plain_browser: Browser, mode: str
) -> None:
    """As a plain page that watches by WHEP is, which offers none: of both layers together it shows nothing,
    for what is left out has to leave no gap in the sequence numbers, and both make one picture. A player that
    offers it gets both."""
    async with media_in(plain_browser) as media:
        await media.publish("video/AV1", [{"scalabilityMode": mode, "maxBitrate": 900_000}])
        await media.subscribe(through=_without_descriptor)
        await _layers_come(media, 2 * int(mode[3]))
        await _arrives(media, 320)
        await _decodes(media)
        leg = media.link.node.consumers["cs"].leg
        assert leg.cut is not None and not leg.wide
        assert leg.cut.layer.spatial == 0
        await media.view()
        await _arrives(media, 640, by="viewer")
        full = await media.received()
        await media.prefer(1, 0)

        async def layer() -> tuple[int, int] | None:
            return None if leg.cut is None else tuple(leg.cut.layer)

        await eventually(layer, lambda now: now == (0, 0), "temporal layers are cut all the same")
        await _decodes(media, 5)
        after = await media.received()
        assert after["pliCount"] - full["pliCount"] <= 2, "the decoder had to ask for key frames"
