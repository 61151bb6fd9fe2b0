"""The meeting page with `&codec=VP9`: layers within one encoding, of which a small tile gets the lower."""

from __future__ import annotations

import pytest

from tests.e2e.cast import WINDOW, Cast
from tests.e2e.eventually import eventually
from tests.e2e.person import Person
from tests.e2e.pictures import ADA, GRACE, WIDTH

pytestmark = pytest.mark.alone

PATIENCE = 40.0
"""Seconds: an encoder of several layers first has to find the bandwidth for all of them."""
SMALL = {"width": 300, "height": 400}


async def test_a_small_tile_gets_the_lower_spatial_layer_of_a_vp9_camera(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.invite(GRACE)
    grace.token += "&codec=VP9"
    await grace.join()
    await ada.sees(grace)
    assert [one["codec"] for one in await _videos(ada)] == ["video/VP9"]
    await _arrives(ada, grace, WIDTH)

    await ada.page.set_viewport_size(SMALL)
    await _arrives(ada, grace, WIDTH // 2)
    await ada.sees(grace)
    await ada.sees_more_frames(grace, 5)

    await ada.page.set_viewport_size(WINDOW)
    await _arrives(ada, grace, WIDTH)
    await ada.sees_moving(grace)


async def _videos(person: Person) -> list[dict[str, object]]:
    found = await person.sdk("(await meeting.stats()).subscribe.inbound")
    return [one for one in found if one["kind"] == "video"]


async def _arrives(person: Person, other: Person, width: int) -> None:
    async def look() -> int:
        return int((await person.received(other, "camera")).get("frameWidth", 0))

    await eventually(look, lambda seen: seen == width, f"pictures {width} wide arrive", timeout=PATIENCE)
