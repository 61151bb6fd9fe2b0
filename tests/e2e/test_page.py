"""The page itself: its errors can be read, its keys work, it fits a phone, it breaks no rule of its own."""

from __future__ import annotations

import base64
import json

import pytest
from playwright.async_api import expect

from tests.e2e.cast import Cast
from tests.e2e.eventually import eventually
from tests.e2e.person import Person, tile_selector
from tests.e2e.pictures import ADA, GRACE

PHONE = {"width": 390, "height": 844}
EXPIRED = (
    ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "HS256", "typ": "JWT"}, {"exp": 1_000_000_000, "participant_id": "x"})
    )
    + ".c2lnbmF0dXJl"
)


async def test_a_link_that_cannot_work_says_why(cast: Cast) -> None:
    person = await cast.invite(ADA)
    for token, title in (
        ("", "This link is not complete"),
        ("nonsense", "This link does not work"),
        (EXPIRED, "This link has expired"),
    ):
        person.token = token
        await person.page.goto("about:blank")  # another fragment alone loads nothing again
        await person.open()
        await expect(person.get("problem")).to_contain_text(title)


async def test_a_token_that_the_server_does_not_know_is_an_error_that_can_be_read(cast: Cast) -> None:
    person = await cast.invite(ADA)
    header, claims, signature = person.token.split(".")
    person.token = ".".join((header, claims, signature[::-1]))
    person.tolerate("status of 401")
    await person.open()
    await person.click("join-button")
    error = person.get("join-error")
    await expect(error).to_contain_text("token")
    assert len(await error.inner_text()) > 20
    await expect(person.get("join-button")).to_be_enabled()


async def test_keys_turn_things_on_and_off_and_open_what_there_is(cast: Cast) -> None:
    """Nothing of this may leave an error or a broken policy in the console: the end of each test looks."""
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.enter(GRACE)
    microphone = ada.get("mic-toggle")
    await expect(microphone).to_have_attribute("aria-pressed", "true")
    await ada.page.keyboard.press("m")
    await expect(microphone).to_have_attribute("aria-pressed", "false")
    await grace.page.locator(f'{tile_selector(ada)}[data-audio="off"]').wait_for()
    await ada.page.keyboard.press("m")
    await expect(microphone).to_have_attribute("aria-pressed", "true")
    await grace.page.locator(f'{tile_selector(ada)}[data-audio="on"]').wait_for()

    await ada.page.keyboard.press("v")
    await expect(ada.get("camera-toggle")).to_have_attribute("aria-pressed", "false")
    await grace.page.locator(f'{tile_selector(ada)}[data-video="off"]').wait_for()
    await ada.page.keyboard.press("p")
    await expect(ada.get("participants-panel")).to_contain_text("Grace")
    await ada.page.keyboard.press("?")
    await expect(ada.get("help-dialog")).to_be_visible()
    await ada.page.keyboard.press("Escape")
    await expect(ada.get("help-dialog")).to_have_count(0)
    await ada.page.keyboard.press(",")
    await expect(ada.get("settings-dialog")).to_be_visible()
    await ada.page.keyboard.press("Escape")
    await ada.page.keyboard.press("Shift+L")
    await expect(ada.get("ended")).to_contain_text("You left the meeting")
    await ada.click("rejoin-button")
    await ada.see("setup")


@pytest.mark.parametrize("preset", ["group_call_host", "webinar_presenter"])
async def test_on_a_phone_everything_is_within_reach(cast: Cast, preset: str) -> None:
    phone = await cast.invite(ADA, preset, viewport=PHONE)
    await phone.open()
    await phone.see("join-button")
    await _fits(phone, '[data-testid="setup"] button')
    await phone.click("join-button")
    await phone.see("room")
    await _fits(phone, ".control-bar button:not(.wide-only *)")
    await phone.click("participants-toggle")
    await phone.see("participants-panel")
    await _fits(phone, ".control-bar button:not(.wide-only *)")


async def _fits(phone: Person, buttons: str) -> None:
    """Until nothing scrolls sideways, and every button is whole within the window and not covered by another:
    what opens may still be on its way."""
    await eventually(
        lambda: phone.evaluate(_OUTSIDE, buttons),
        lambda outside: outside["count"] >= 3 and outside["bad"] == [] and outside["wide"] <= 0,
        "everything is within reach",
    )


_OUTSIDE = """
(selector) => {
  const buttons = [...document.querySelectorAll(selector)];
  const bad = buttons.filter((button) => {
    const { left, top, right, bottom, width } = button.getBoundingClientRect();
    if (width < 24 || left < 0 || top < 0 || right > innerWidth || bottom > innerHeight) return true;
    const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return !button.contains(hit);
  });
  return { count: buttons.length, bad: bad.map((button) => button.ariaLabel ?? button.textContent),
           wide: document.documentElement.scrollWidth - innerWidth };
}
"""
