"""Two people in their browsers see each other and hear each other."""

from __future__ import annotations

from playwright.async_api import expect

from tests.e2e.cast import Cast
from tests.e2e.eventually import eventually, settled
from tests.e2e.person import Person, tile_selector
from tests.e2e.pictures import ADA, GRACE


async def test_two_people_see_each_other_move(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.enter(GRACE)
    await ada.sees(grace)
    await grace.sees(ada)
    for one, other in ((ada, grace), (grace, ada)):
        await one.sees_moving(other)
        await one.sees_more_frames(other)


async def test_people_are_heard_until_they_mute_themselves_and_again_after(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.enter(GRACE)
    await _hears(ada, grace)
    await _hears(grace, ada)
    assert await _energy_grows(ada, grace)

    await grace.click("mic-toggle")
    await ada.page.locator(f'{tile_selector(grace)}[data-audio="off"]').wait_for()
    await eventually(
        lambda: ada.pitch_of(grace), lambda pitch: pitch is None, "Ada hears nothing of the muted Grace"
    )
    await settled(lambda: _packets(ada, grace), "nothing of a muted microphone arrives")

    await grace.click("mic-toggle")
    await _hears(ada, grace)


async def test_the_tile_of_who_speaks_is_marked(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.enter(GRACE)
    await ada.click("mic-toggle")
    await ada.page.locator(f'{tile_selector(grace)}[data-speaking="true"]').wait_for()
    await expect(ada.tile_of(ada)).to_have_attribute("data-speaking", "false")

    await grace.click("mic-toggle")
    await ada.page.locator(f'{tile_selector(grace)}[data-speaking="false"]').wait_for()


async def test_a_camera_that_is_turned_off_gives_way_to_initials_and_comes_back(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.enter(GRACE)
    await ada.sees(grace)
    await grace.click("camera-toggle")
    await ada.page.locator(f'{tile_selector(grace)}[data-video="off"]').wait_for()
    await expect(ada.tile_of(grace).locator("video")).to_have_count(0)
    await grace.click("camera-toggle")
    await ada.sees(grace)
    await ada.sees_moving(grace)


async def test_who_comes_later_sees_those_who_are_there_and_who_leaves_is_gone(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.enter(GRACE)
    await ada.sees(grace)
    again = await cast.enter(ADA)
    await again.sees(grace)
    await again.sees(ada)

    await grace.click("leave-button")
    await grace.see("ended")
    await ada.tile_of(grace).wait_for(state="detached")
    await ada.sees_more_frames(again)


async def _hears(one: Person, other: Person) -> None:
    """Until the pitch that is heard is that of the other's voice."""
    await eventually(
        lambda: one.pitch_of(other),
        lambda pitch: pitch is not None and abs(pitch - other.look.hertz) < 60,
        f"{one.look.name} hears {other.look.hertz} Hz of {other.look.name}",
    )


async def _energy_grows(one: Person, other: Person) -> bool:
    async def energy() -> float:
        return float((await one.received(other, "microphone")).get("totalAudioEnergy", 0.0))

    before = await energy()
    await eventually(energy, lambda now: now > before + 0.001, "the received audio's energy grows")
    return True


async def _packets(one: Person, other: Person) -> int:
    return int((await one.received(other, "microphone"))["packetsReceived"])
