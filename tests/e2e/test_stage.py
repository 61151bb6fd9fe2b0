"""A webinar's stage, through the buttons of the page: ask, accept, join, leave, decline, invite, remove."""

from __future__ import annotations

from playwright.async_api import expect

from tests.e2e.cast import Cast
from tests.e2e.eventually import PATIENCE
from tests.e2e.person import Person, tile_selector
from tests.e2e.pictures import ADA, GRACE


async def test_a_viewer_asks_is_accepted_joins_the_stage_and_leaves_it(cast: Cast) -> None:
    host, viewer = await _webinar(cast)
    await viewer.sees(host)
    # A viewer has nothing to turn on.
    await expect(viewer.get("mic-toggle")).to_have_count(0)

    await viewer.click("stage-request")
    await host.see("stage-request-row")
    await viewer.click("stage-cancel")
    await host.see_no("stage-request-row")
    await viewer.click("stage-request")
    await host.click("stage-accept")
    await _join_stage(viewer)
    await host.sees(viewer)
    await host.sees_moving(viewer)
    await expect(host.tile_of(viewer)).to_have_attribute("data-audio", "on")

    await viewer.click("stage-leave")
    await host.tile_of(viewer).wait_for(state="detached")
    assert await host.frames_of(viewer) == 0
    await expect(viewer.get("mic-toggle")).to_have_count(0)
    assert await viewer.sdk("meeting.self.videoTrack === null && meeting.self.audioTrack === null")
    await viewer.sees_more_frames(host)


async def test_a_host_declines_a_request_and_invites_instead(cast: Cast) -> None:
    host, viewer = await _webinar(cast)
    await viewer.click("stage-request")
    await host.click("stage-deny")
    await viewer.is_told("declined")
    await viewer.see("stage-request")

    await host.click("stage-invite", of=viewer)
    await viewer.see("stage-dialog")
    await viewer.click("stage-decline")
    await viewer.see_no("stage-dialog")
    await expect(host.row_of(viewer).get_by_test_id("stage-invite")).to_have_count(1)
    assert (await viewer.sdk_error("meeting.stage.join()"))["name"] == "ActionInvalidForStageStatus"

    await host.click("stage-invite", of=viewer)
    await _join_stage(viewer)
    await host.sees(viewer)


async def test_a_host_takes_somebody_off_the_stage_and_out_of_the_meeting(cast: Cast) -> None:
    host, viewer = await _webinar(cast)
    await host.click("stage-invite", of=viewer)
    await _join_stage(viewer)
    await host.sees(viewer)

    await host.click("stage-remove", of=viewer)
    await viewer.is_told("took you off the stage")
    await host.tile_of(viewer).wait_for(state="detached")
    assert await viewer.sdk("meeting.stage.status") == "OFF_STAGE"
    assert await viewer.sdk("meeting.self.videoTrack === null")
    assert (await viewer.sdk_error("meeting.self.enableVideo()"))["name"] == "PermissionDenied"

    await host.click("kick-participant", of=viewer)
    ended = viewer.get("ended")
    await expect(ended).to_have_attribute("data-reason", "kicked")
    await expect(ended).to_contain_text("You were removed from the meeting")
    await host.row_of(viewer).wait_for(state="detached")


async def test_a_host_mutes_somebody_who_may_unmute_themselves(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.enter(GRACE)
    await ada.page.keyboard.press("p")
    # Also without a mouse: what comes into view with the pointer does so with the focus.
    await ada.row_of(grace).get_by_test_id("mute-participant").focus()
    await ada.page.keyboard.press("Enter")
    await grace.is_told("turned off your microphone")
    await expect(ada.tile_of(grace)).to_have_attribute("data-audio", "off")
    assert not await grace.sdk("meeting.self.audioEnabled")
    await grace.click("mic-toggle")
    await ada.page.locator(f'{tile_selector(grace)}[data-speaking="true"]').wait_for()


async def _webinar(cast: Cast) -> tuple[Person, Person]:
    """A presenter with the list of people open, and a viewer."""
    host = await cast.enter(ADA, "webinar_presenter")
    viewer = await cast.enter(GRACE, "webinar_viewer")
    await host.click("participants-toggle")
    await host.row_of(viewer).wait_for()
    return host, viewer


async def _join_stage(viewer: Person) -> None:
    """Through the dialog, with camera and microphone turned on in it."""
    dialog = viewer.get("stage-dialog")
    await dialog.wait_for(timeout=PATIENCE * 1000)
    await dialog.get_by_test_id("camera-toggle").click()
    await dialog.get_by_test_id("mic-toggle").click()
    await dialog.locator("video").wait_for()
    await expect(dialog.get_by_test_id("mic-toggle")).to_have_attribute("aria-pressed", "true")
    await dialog.get_by_test_id("stage-join").click()
    await viewer.see("stage-leave")
