"""A browser behind a bottleneck is probed again and again, and its picture does not suffer from it."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from sfu.subscribe_transport import SubscribeTransport
from tests.e2e.eventually import eventually
from tests.support.chromium_media import ChromiumMedia, media_in
from tests.support.relay import Impairment, UdpRelay

pytestmark = pytest.mark.alone

LAYERS = [
    {"rid": "q", "scaleResolutionDownBy": 2, "maxBitrate": 150_000},
    {"rid": "h", "scaleResolutionDownBy": 1, "maxBitrate": 1_200_000},
]
LINE = Impairment(rate=600_000, delay=0.02, queue=0.5)
"""Enough for the lower layer with room for probes, not for the upper one."""
PATIENCE = 40.0
WATCHED = ("retransmittedPacketsReceived", "pliCount", "firCount")


async def test_padding_does_not_disturb_the_picture(plain_browser: Browser) -> None:
    async with media_in(plain_browser) as media:
        await _probed(media)


async def _probed(media: ChromiumMedia) -> None:
    await media.publish("video/VP8", LAYERS, busy=True)
    relay = UdpRelay.open(("127.0.0.1", media.link.node.ports.number), seed=3, down=LINE)
    try:
        await media.subscribe(through=relay.rewrite)
        transport = media.link.node.transports["ts"]
        assert isinstance(transport, SubscribeTransport)
        consumer = transport.consumers["cs"]

        async def narrow() -> bool:
            report = await media.received()
            return report.get("frameWidth") == 320 and report["framesDecoded"] > 30

        await eventually(narrow, bool, "the lower layer is shown", timeout=PATIENCE)
        before = await media.received()
        padded = consumer.leg.padding
        clusters = transport.bandwidth.prober.clusters

        async def probed() -> int:
            return transport.bandwidth.prober.clusters - clusters

        await eventually(probed, lambda times: times >= 3, "the path is probed three times", timeout=PATIENCE)
        after = await media.received()
        wanted = before["framesDecoded"] + 0.9 * (after["framesReceived"] - before["framesReceived"])
        # A busy machine decodes late.
        await eventually(
            media.received,
            lambda now: now["framesDecoded"] >= wanted > before["framesDecoded"],
            f"what arrived is decoded, {wanted:.0f} frames",
            timeout=PATIENCE,
        )
    finally:
        relay.close()
    assert consumer.leg.padding > padded
    seen = {name: after.get(name, 0) - before.get(name, 0) for name in WATCHED}
    assert seen["retransmittedPacketsReceived"] > 0, "padding is counted as retransmissions"
    assert seen["pliCount"] == seen["firCount"] == 0, f"no picture is lost: {seen}"


async def test_a_browser_that_publishes_is_asked_for_the_round_trip_and_answers(
    plain_browser: Browser,
) -> None:
    async with media_in(plain_browser) as media:
        producer = await media.publish("video/VP8", LAYERS, busy=True)
        await media.subscribe()

        async def asked() -> float | None:
            return producer.rtt

        rtt = await eventually(asked, lambda seen: seen is not None, "a round trip", timeout=PATIENCE)
        assert rtt is not None
        assert rtt >= 0.0
