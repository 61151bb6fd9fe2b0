"""A page that is reloaded comes back; a page that loses its socket goes on as if nothing had been."""

from __future__ import annotations

import json

from playwright.async_api import expect

from sfu.bot import Bot
from tests.e2e.cast import MEMBER, Cast
from tests.e2e.eventually import eventually
from tests.e2e.pictures import ADA, GRACE
from tests.support.line import line_to
from tests.support.world import OPTIONS


async def test_a_reloaded_page_is_back_in_by_itself_and_both_have_their_media_back(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.enter(GRACE)
    await ada.sees(grace)

    before = grace.peer_id
    await grace.page.reload()
    await grace.see("room")
    grace.peer_id = await grace.sdk("meeting.self.id")
    assert grace.peer_id != before
    await grace.sees(ada)
    await ada.sees(grace)
    await ada.sees_moving(grace)
    await expect(ada.get("tile").filter(has_text="Grace")).to_have_count(1)


async def test_a_lost_socket_is_resumed_with_nothing_missed_while_the_media_goes_on(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    async with line_to(cast.server.base_url) as line:
        grace = await cast.enter(GRACE, base_url=line.url)
        grace.tolerate("WebSocket connection to")
        await ada.sees(grace)
        await grace.sees(ada)
        tracks: dict[str, str | None] = await eventually(
            lambda: grace.evaluate(TRACKS),
            lambda now: len(now) == 2 and all(now.values()),
            "Grace has a track of all that Ada publishes",
        )

        line.cut()
        await expect(grace.get("connection-banner")).to_have_attribute("data-state", "reconnecting")
        token = await cast.organization.create_participant(cast.meeting_id, "Linus", MEMBER)
        linus = Bot(cast.server.base_url, token, OPTIONS)
        await linus.join()
        await ada.click("mic-toggle")
        await grace.sees_more_frames(ada, 15)
        await ada.sees_more_frames(grace, 15)
        await expect(ada.tile_of(grace)).to_contain_text("Reconnecting")
        await expect(ada.get("tile").filter(has_text="Linus")).to_have_count(1)
        await expect(grace.get("tile").filter(has_text="Linus")).to_have_count(0)

        await grace.evaluate(_WATCH_BANNERS)
        line.mend()
        # It goes by itself after a moment, in which nobody may have looked.
        await eventually(
            lambda: grace.evaluate("window.banners"),
            lambda states: "reconnected" in states,
            "Grace is told that she is connected again",
        )
        assert await grace.sdk("meeting.self.id") == grace.peer_id, "the same peer"
        await expect(grace.get("tile").filter(has_text="Linus")).to_have_count(1)
        await expect(grace.tile_of(ada)).to_have_attribute("data-audio", "off")
        await expect(ada.tile_of(grace)).not_to_contain_text("Reconnecting")
        after = await grace.page.evaluate(TRACKS)
        assert tracks.items() <= after.items(), f"a track changed: {json.dumps([tracks, after])}"
        await grace.sees_moving(ada)
        await linus.leave()
        await expect(grace.get("tile").filter(has_text="Linus")).to_have_count(0)


_WATCH_BANNERS = """
() => {
  window.banners = [];
  const look = () => {
    const state = document.querySelector('[data-testid="connection-banner"]')?.dataset.state;
    if (state !== undefined && state !== window.banners.at(-1)) window.banners.push(state);
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  look();
}
"""


async def test_what_was_being_answered_as_the_socket_went_is_seen_after_the_resume(cast: Cast) -> None:
    """The server makes no further offer before the one that is open has its answer."""
    ada = await cast.invite(ADA, "group_call_host")
    await ada.open()
    await ada.click("camera-toggle")
    await ada.go_in()
    grace = await cast.invite(GRACE)
    await grace.page.add_init_script(_LOSE_AN_ANSWER)
    await grace.join()
    await eventually(
        lambda: grace.evaluate(TRACKS),
        lambda tracks: len(tracks) == 1 and all(tracks.values()),
        "Grace has the track of Ada's microphone",
    )
    await grace.evaluate("() => { window.losing = true; }")
    await ada.click("camera-toggle")
    await grace.sees(ada)
    assert await grace.evaluate("window.losing") is False
    assert await grace.sdk("meeting.self.id") == grace.peer_id, "the same peer"


_LOSE_AN_ANSWER = """
const { WebSocket: Usual } = window;
window.WebSocket = class extends Usual {
  send(text) {
    if (!window.losing || !text.includes('"subscribe_answer"')) return super.send(text);
    window.losing = false;
    this.close();
  }
};
"""
TRACKS = """
() => Object.fromEntries(window.rostrum.participants.joined.toArray().flatMap((participant) =>
  [...participant.publications].map(([id, publication]) => [id, publication.track?.id ?? null])))
"""
