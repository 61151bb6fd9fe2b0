"""The waiting room, through the buttons of the page: one waits and is let in, another is turned away."""

from __future__ import annotations

from playwright.async_api import expect

from tests.e2e.cast import MEMBER, Cast
from tests.e2e.eventually import eventually
from tests.e2e.person import Person
from tests.e2e.pictures import ADA, GRACE

# Asked for again and again from here: a page's policy forbids the `eval` that Playwright's
# `wait_for_function` polls with, which is seen only where the first answer is no.
PREVIEW_WIDTH = "() => document.querySelector('[data-testid=preview] video')?.videoWidth ?? 0"


async def test_one_who_waits_is_let_in_and_another_is_turned_away(cast: Cast) -> None:
    preset = await cast.make_preset("waits", MEMBER, {"waiting_room_type": "SKIP_ON_ACCEPT"})
    host = await cast.enter(ADA, "group_call_host")
    guest = await _knock(cast, preset)
    await expect(guest.get("meeting-title")).to_have_text("A play")
    await eventually(lambda: guest.evaluate(PREVIEW_WIDTH), lambda width: width > 0, "the preview plays")
    assert await guest.sdk("[meeting.self.waitlistStatus, meeting.participants.joined.size]") == [
        "waiting",
        0,
    ]

    await expect(host.get("waiting-notice")).to_contain_text(GRACE.name)
    await host.click("waiting-admit")
    await guest.see("room")
    guest.peer_id = await guest.sdk("meeting.self.id")
    await host.see_no("waiting-notice")
    await host.sees(guest)
    await guest.sees(host)
    await host.sees_moving(guest)
    await guest.sees_moving(host)

    await host.page.keyboard.press("p")
    other = await _knock(cast, preset)
    await expect(host.get("waiting-row")).to_contain_text(GRACE.name)
    await host.click("waiting-deny")
    await expect(other.get("ended")).to_have_attribute("data-reason", "rejected")
    await expect(other.get("rejoin-button")).to_have_count(0)
    await host.see_no("waiting-list")


async def _knock(cast: Cast, preset: str) -> Person:
    person = await cast.invite(GRACE, preset)
    await person.open()
    await person.click("join-button")
    await person.see("waiting")
    return person
