"""A browser that watches a page of people, or who spoke last, and is sent no other video."""

from __future__ import annotations

import pytest

from tests.e2e.cast import MEMBER, Cast
from tests.e2e.eventually import eventually
from tests.e2e.person import Person
from tests.e2e.pictures import ADA, GRACE

pytestmark = pytest.mark.alone

SMALL = {"width": 480, "height": 400}
"""Three browsers draw without a GPU: little is enough."""
EVERYBODY = {"grace": True, "other": True}
"""What the page itself chooses, each time that it hears of somebody: a test chooses after that."""


async def test_a_page_of_people_is_what_is_received_and_turning_it_exchanges_them(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host", viewport=SMALL)
    grace = await cast.enter(GRACE, viewport=SMALL)
    other = await cast.enter(ADA, viewport=SMALL)
    await _watches(ada, EVERYBODY, grace, other)
    await ada.sdk("meeting.participants.setView({ mode: 'page', peerIds: [argument] })", other.peer_id)
    await _watches(ada, {"grace": False, "other": True}, grace, other)
    await ada.sdk("meeting.participants.setView({ mode: 'page', peerIds: [argument] })", grace.peer_id)
    await _watches(ada, {"grace": True, "other": False}, grace, other)
    await ada.sees(grace)
    await ada.sdk("meeting.participants.setView({ mode: 'manual' })")
    await _watches(ada, EVERYBODY, grace, other)


async def test_the_page_turns_its_pages_under_the_limit_of_the_preset(cast: Cast) -> None:
    limits = {"max_video_streams": {"mobile": 1, "desktop": 1}}
    ada = await cast.enter(ADA, await cast.make_preset("one-by-one", MEMBER, config=limits), viewport=SMALL)
    grace = await cast.enter(GRACE, viewport=SMALL)
    other = await cast.enter(ADA, viewport=SMALL)
    # Her own tile is the first page.
    await _watches(ada, {"grace": False, "other": False}, grace, other)
    await ada.page.get_by_test_id("page-next").click()
    await _watches(ada, {"grace": True, "other": False}, grace, other)
    await ada.sees(grace)
    await ada.page.get_by_test_id("page-next").click()
    await _watches(ada, {"grace": False, "other": True}, grace, other)
    await ada.page.get_by_test_id("page-previous").click()
    await ada.sees(grace)


async def test_the_one_who_spoke_last_is_shown(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host", viewport=SMALL)
    grace = await cast.enter(GRACE, viewport=SMALL)
    other = await cast.enter(ADA, viewport=SMALL)
    await _watches(ada, EVERYBODY, grace, other)
    for person in (ada, grace, other):
        await person.sdk("meeting.self.disableAudio()")
    await ada.sdk("meeting.participants.setView({ mode: 'speakers', count: 1 })")
    await other.sdk("meeting.self.enableAudio()")
    await _watches(ada, {"grace": False, "other": True}, grace, other)
    await other.sdk("meeting.self.disableAudio()")
    await grace.sdk("meeting.self.enableAudio()")
    await _watches(ada, {"grace": True, "other": False}, grace, other)
    await ada.sees(grace)


async def _watches(person: Person, wanted: dict[str, bool], grace: Person, other: Person) -> None:
    """Until just those cameras are received."""

    async def present() -> dict[str, bool]:
        has = "meeting.participants.joined.get(argument).videoTrack !== null"
        return {"grace": await person.sdk(has, grace.peer_id), "other": await person.sdk(has, other.peer_id)}

    await eventually(present, lambda now: now == wanted, f"{person.look.name} receives {wanted}")
