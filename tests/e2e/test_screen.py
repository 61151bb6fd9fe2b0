"""A shared screen is seen large by the others, as it is, until it is stopped."""

from __future__ import annotations

from playwright.async_api import Page

from tests.e2e.browsers import SHARED_TITLE
from tests.e2e.cast import WINDOW, Cast
from tests.e2e.eventually import eventually
from tests.e2e.person import Person
from tests.e2e.pictures import ADA, GRACE, Rgb

ORANGE: Rgb = (230, 130, 20)
PURPLE: Rgb = (120, 30, 160)
SHARED = '[data-testid="screen-view"] .screen-main video'


async def test_a_shared_screen_is_large_and_right_for_the_others_until_it_ends(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.enter(GRACE)
    slides = await _open_slides(ada)
    await ada.page.bring_to_front()
    await ada.click("screen-toggle")

    await grace.see("screen-view")
    await grace.sees_colour(SHARED, ORANGE)
    await eventually(
        lambda: grace.page.locator(SHARED).bounding_box(),
        lambda box: box is not None and box["width"] > WINDOW["width"] / 2,
        "the screen is the largest thing on the page",
    )
    await grace.sees(ada)
    assert await _received_width(grace, ada) == await slides.evaluate("innerWidth")

    await slides.evaluate("colour => document.body.style.background = `rgb(${colour})`", list(PURPLE))
    await grace.sees_colour(SHARED, PURPLE)

    await ada.click("screen-toggle")
    for person in (ada, grace):
        await person.see_no("screen-view")
        await person.see("grid")
    await grace.sees(ada)
    assert await grace.frames_of(ada, "screen") == 0


async def test_a_screen_can_be_shared_again_and_ends_with_the_tab_that_is_shown(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.enter(GRACE)
    slides = await _open_slides(ada)
    await ada.page.bring_to_front()
    for _ in range(2):
        await ada.click("screen-toggle")
        await grace.sees_colour(SHARED, ORANGE)
        await ada.click("screen-stop")
        await grace.see_no("screen-view")
    await ada.click("screen-toggle")
    await grace.sees_colour(SHARED, ORANGE)
    await slides.close()
    for person in (ada, grace):
        await person.see_no("screen-view")


async def _open_slides(person: Person) -> Page:
    """The tab that is picked when the person shares a screen."""
    slides = await person.page.context.new_page()
    await slides.set_viewport_size({"width": 800, "height": 450})
    await slides.set_content(
        f"<title>{SHARED_TITLE}</title><body style='background: rgb{ORANGE}'><p>1</p><script>"
        "setInterval(() => { document.querySelector('p').textContent++; }, 100)</script>"
    )
    return slides


async def _received_width(person: Person, other: Person) -> int:
    async def width() -> int:
        return int((await person.received(other, "screen")).get("frameWidth", 0))

    return await eventually(width, lambda value: value >= 800, "the screen arrives at its full width")
