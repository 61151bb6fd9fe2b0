"""Of a simulcast camera a receiver gets the layer it asks for; the picture goes on through every switch."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.cast import Cast
from tests.e2e.eventually import eventually
from tests.e2e.person import Json, Person, tile_selector
from tests.e2e.pictures import ADA, GRACE, WIDTH

pytestmark = pytest.mark.alone

LONGEST_FREEZE = 5.0
"""Seconds: less than until a key frame that nobody asks for, and more than a busy machine takes to draw."""

_WATCH = """
(selector) => {
  const video = document.querySelector(selector);
  const seen = (window.seen = { last: performance.now(), longest: 0, count: 0, layers: [] });
  const tick = () => {
    const now = performance.now();
    seen.longest = Math.max(seen.longest, now - seen.last);
    seen.last = now;
    seen.count += 1;
    video.requestVideoFrameCallback(tick);
  };
  video.requestVideoFrameCallback(tick);
}
"""


@pytest.mark.shows("Chromium", "simulcast VP8")
async def test_the_layer_follows_what_is_asked_for_both_ways_without_a_freeze(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.enter(GRACE)
    await ada.sees(grace)
    await _arrives(ada, grace, WIDTH)
    publication = await ada.sdk(
        "meeting.participants.joined.get(argument).publicationOf('camera').publication_id", grace.peer_id
    )
    await ada.page.evaluate(_WATCH, f"{tile_selector(grace)} video")
    await ada.sdk(
        "void meeting.participants.joined.get(argument).on('layerUpdate', (layer) =>"
        " window.seen.layers.push(layer.spatial))",
        grace.peer_id,
    )
    before = await ada.received(grace, "camera")

    for wanted, width in ((0, WIDTH // 2), (None, WIDTH), (0, WIDTH // 2), (1, WIDTH)):
        await ada.sdk("meeting.participants.setLayer(...argument)", [publication, wanted])
        await _arrives(ada, grace, width)
        await ada.sees(grace)
        await ada.sees_more_frames(grace, 5)

    seen: Json = await eventually(
        lambda: ada.page.evaluate("window.seen"),
        lambda now: _in_order([0, 1, 0, 1], now["layers"]),
        "she is told of the layers, each as asked for",
    )
    assert seen["longest"] < LONGEST_FREEZE * 1000, f"{seen}"
    await ada.sees_moving(grace)
    after = await ada.received(grace, "camera")
    assert after["pliCount"] - before["pliCount"] <= 4, "the decoder had to ask for key frames"
    # A busy machine decodes late; what matters is that everything received can be decoded.
    await eventually(
        lambda: ada.received(grace, "camera"),
        lambda now: now["framesDecoded"] >= after["framesReceived"] - now["framesDropped"] - 3,
        "every frame that was received is decoded",
    )


async def test_two_receivers_have_different_layers_of_one_camera(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.enter(GRACE)
    other = await cast.enter(ADA, viewport={"width": 640, "height": 480})
    # Two tiles of other people beside one's own are small in a small window: the page asks for little.
    await other.sees(grace)
    await eventually(
        lambda: asyncio.gather(_width(other, grace), _width(ada, grace)),
        lambda widths: widths == [WIDTH // 2, WIDTH],
        "each has a layer of its own at the same time",
    )


async def _arrives(person: Person, other: Person, width: int) -> None:
    await eventually(lambda: _width(person, other), lambda now: now == width, f"frames {width} wide arrive")


async def _width(person: Person, other: Person) -> int:
    return int((await person.received(other, "camera")).get("frameWidth", 0))


def _in_order(wanted: list[int], layers: list[int]) -> bool:
    """Perhaps with others in between, of a machine that is busy for a moment."""
    rest = iter(layers)
    return all(layer in rest for layer in wanted)
