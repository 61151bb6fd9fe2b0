"""No more of a video is sent than can be seen: neither to who watches it, nor by who publishes it."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.e2e.cast import Cast
from tests.e2e.eventually import eventually, settled
from tests.e2e.person import Json, Person, tile_selector
from tests.e2e.pictures import ADA, GRACE, WIDTH

pytestmark = pytest.mark.alone

LARGE = {"width": 1280, "height": 720}
SMALL = {"width": 480, "height": 400}
"""A window whose tiles are smaller than half the camera's picture."""
STILL = 1.5
"""Seconds without a packet that are no accident at 15 frames a second."""


async def test_a_resized_window_gets_another_layer(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host", viewport=LARGE)
    grace = await cast.enter(GRACE)
    await _arrives(ada, grace, WIDTH)
    await ada.page.set_viewport_size(SMALL)
    await _arrives(ada, grace, WIDTH // 2)
    await ada.page.set_viewport_size(LARGE)
    await _arrives(ada, grace, WIDTH)
    await ada.sees_moving(grace)


async def test_a_video_out_of_sight_is_not_sent_and_comes_back_with_it(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.enter(GRACE)
    await ada.sees(grace)
    await _style(ada, grace, "display: none")
    await _stops(ada, grace)
    # Nothing lacks bandwidth.
    await expect(ada.get("tile-paused")).to_have_count(0)
    await _style(ada, grace, "")
    await ada.sees_more_frames(grace)
    await ada.sees_moving(grace)


async def test_a_layer_that_nobody_receives_is_not_sent_by_its_publisher(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host", viewport=SMALL)
    grace = await cast.enter(GRACE)
    await _arrives(ada, grace, WIDTH // 2)
    await _sends(grace, "video", [True, False])
    before = await settled(lambda: _packets(grace, "h"), "nothing of the upper layer is sent")
    await ada.sees_more_frames(grace, 20)
    assert await _packets(grace, "h") == before

    await ada.page.set_viewport_size(LARGE)
    await _arrives(ada, grace, WIDTH)
    await _sends(grace, "video", [True, True])
    await ada.sees_moving(grace)


async def test_who_is_alone_sends_nothing_until_somebody_comes(cast: Cast) -> None:
    grace = await cast.enter(GRACE, "group_call_host")
    await _sends(grace, "video", [False, False])
    await _sends(grace, "audio", [False])
    ada = await cast.enter(ADA)
    await ada.sees_moving(grace)
    await eventually(
        lambda: ada.pitch_of(grace), lambda pitch: pitch is not None, f"{ADA.name} hears {GRACE.name}"
    )
    await _sends(grace, "audio", [True])


async def _arrives(person: Person, other: Person, width: int) -> None:
    async def received() -> int:
        return int((await person.received(other, "camera")).get("frameWidth", 0))

    await eventually(received, lambda now: now == width, f"frames {width} wide arrive")


async def _stops(person: Person, other: Person) -> None:
    """Until no packet of the camera came for a while."""

    async def pause() -> float:
        report = await person.received(other, "camera")
        if "lastPacketReceivedTimestamp" not in report:
            return 0.0
        return float((report["timestamp"] - report["lastPacketReceivedTimestamp"]) / 1000)

    await eventually(pause, lambda seconds: seconds > STILL, "the packets of the camera stop")


async def _sends(person: Person, kind: str, wanted: list[bool]) -> None:
    """Until the browser encodes just these encodings, lowest first."""

    async def active() -> list[bool]:
        found: list[bool] = await person.page.evaluate(
            """(kind) => {
              const senders = window.rostrum.publisher.peerConnection?.getSenders() ?? [];
              const sender = senders.find((one) => one.track?.kind === kind);
              return sender?.getParameters().encodings.map((encoding) => encoding.active) ?? [];
            }""",
            kind,
        )
        return found

    await eventually(active, lambda now: now == wanted, f"{person.look.name} sends {kind} as {wanted}")


async def _packets(person: Person, rid: str) -> int:
    reports: list[Json] = await person.reports("publisher", "outbound-rtp")
    return sum(int(one["packetsSent"]) for one in reports if one.get("rid") == rid)


async def _style(person: Person, other: Person, style: str) -> None:
    await person.page.evaluate(
        "([selector, style]) => document.querySelector(selector).style.cssText = style",
        [f"{tile_selector(other)} video", style],
    )
