"""Firefox, as Debian has it, and Chromium in one meeting, through the page that people use."""

from __future__ import annotations

import pytest

from tests.e2e.eventually import eventually, settled
from tests.e2e.firefox_cast import MixedCast, needs_firefox
from tests.e2e.firefox_person import VOICE
from tests.e2e.pictures import ADA, GRACE, WIDTH
from tests.e2e.test_data import gets, listens
from tests.e2e.witness import Witness

pytestmark = [needs_firefox, pytest.mark.alone]

LONG = 30.0
"""Seconds: two browsers encode and decode on few cores."""


@pytest.mark.shows("Firefox", "publish VP8", "subscribe VP8", "publish Opus", "subscribe Opus")
async def test_firefox_and_chromium_see_and_hear_each_other_until_one_mutes_and_leaves(
    mixed: MixedCast,
) -> None:
    ada = await mixed.chromium(ADA, "group_call_host")
    grace = await mixed.firefox(GRACE)
    for one, other in ((ada, grace), (grace, ada)):
        await one.sees(other, timeout=LONG)
        await one.sees_moving(other)
    await grace.hears(ada)
    await eventually(
        lambda: ada.pitch_of(grace),
        lambda pitch: pitch is not None and abs(pitch - VOICE.hertz) < 60,
        "Ada hears the note of Grace's microphone",
    )
    await ada.click("mic-toggle")
    await grace.see_tile(ada, "data-audio", "off")
    await settled(lambda: _packets(grace, ada), "nothing of a muted microphone arrives")

    await grace.click("mic-toggle")
    await _tile_says(ada, grace, "data-audio", "off")
    await grace.click("mic-toggle")
    await _tile_says(ada, grace, "data-audio", "on")
    await _tile_says(ada, grace, "data-speaking", "true")

    await grace.click("camera-toggle")
    await _tile_says(ada, grace, "data-video", "off")
    await grace.click("camera-toggle")
    await ada.sees(grace)
    await ada.sees_moving(grace)

    await grace.click("leave-button")
    await grace.see('[data-testid="ended"]')
    await ada.tile_of(grace).wait_for(state="detached")


@pytest.mark.clients
@pytest.mark.shows("Firefox", "data channels", "ICE restart")
async def test_firefoxs_media_and_messages_go_on_through_ice_restarts_of_both_connections(
    mixed: MixedCast,
) -> None:
    ada = await listens(await mixed.chromium(ADA, "group_call_host"))
    grace = await listens(await mixed.firefox(GRACE))
    await ada.sees(grace, timeout=LONG)
    await grace.sees(ada, timeout=LONG)
    await grace.sdk("meeting.data.send('before')")
    assert (await gets(ada, "before"))["reliable"] is True
    await ada.sdk("meeting.data.send('quick', { reliable: false })")
    assert (await gets(grace, "quick"))["reliable"] is False

    for side in ("publisher", "subscriber"):
        before = await _credentials(grace, side)
        await grace.sdk(f"meeting.{side}.restartIce()")
        await eventually(
            lambda side=side: _credentials(grace, side),
            lambda now, before=before: now != before,
            f"new credentials of the {side}",
        )
    await ada.sees_more_frames(grace, 15)
    await grace.sees_more_frames(ada, 15)
    await ada.sdk("meeting.data.send(new Uint8Array(65536).fill(65))")
    assert (await gets(grace, "A" * 64))["size"] == 65_536
    await grace.sdk("meeting.data.send('after', { to: [argument] })", ada.peer_id)
    await gets(ada, "after")


@pytest.mark.clients
@pytest.mark.shows("Firefox", "simulcast VP8")
async def test_of_firefoxs_simulcast_a_receiver_gets_the_layer_it_asks_for(mixed: MixedCast) -> None:
    ada = await mixed.chromium(ADA, "group_call_host")
    grace = await mixed.firefox(GRACE)
    await ada.sees(grace, timeout=LONG)
    await _arrives(ada, grace, WIDTH)
    publication = await ada.sdk(
        "meeting.participants.joined.get(argument).publicationOf('camera').publication_id", grace.peer_id
    )
    for layer, width in ((0, WIDTH // 2), (1, WIDTH), (0, WIDTH // 2)):
        await ada.sdk("meeting.participants.setLayer(...argument)", [publication, layer])
        await _arrives(ada, grace, width)
        await ada.sees(grace)
        await ada.sees_more_frames(grace, 5)
    sent = await grace.reports("publisher", "outbound-rtp")
    assert {one["rid"] for one in sent if one["kind"] == "video"} == {"q", "h"}


async def _tile_says(one: Witness, other: Witness, attribute: str, value: str) -> None:
    await eventually(
        lambda: one.evaluate(
            "([peer, name]) => document.querySelector(`[data-testid=tile][data-peer-id=${peer}]`)"
            "?.getAttribute(name) ?? null",
            [other.peer_id, attribute],
        ),
        lambda seen: seen == value,
        f"{other.look.name}'s tile says {attribute}={value}",
    )


async def _packets(one: Witness, other: Witness) -> int:
    return int((await one.received(other, "microphone"))["packetsReceived"])


async def _credentials(one: Witness, side: str) -> str | None:
    ufrag: str | None = await one.evaluate(
        "(side) => window.rostrum[side].peerConnection?.currentLocalDescription?.sdp"
        ".match(/ice-ufrag:(.*)/)[1] ?? null",
        side,
    )
    return ufrag


async def _arrives(one: Witness, other: Witness, width: int) -> None:
    async def received() -> int:
        return int((await one.received(other, "camera")).get("frameWidth", 0))

    await eventually(received, lambda now: now == width, f"frames {width} wide arrive", timeout=LONG)
