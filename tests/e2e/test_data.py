"""Data messages between browsers, with the SDK: to all and to some, by both channels, through restarts."""

from __future__ import annotations

from typing import TypeVar

import pytest

from tests.e2e.cast import Cast
from tests.e2e.eventually import eventually
from tests.e2e.pictures import ADA, GRACE, LINUS
from tests.e2e.witness import Json, Witness

Somebody = TypeVar("Somebody", bound=Witness)

_LISTEN = """
meeting.data.open().then(() => {
  window.messages = [];
  window.drops = [];
  meeting.data.on("message", ({ from, topic, payload, reliable }) => {
    const text = new TextDecoder().decode(payload.slice(0, 64));
    window.messages.push({ from, topic, reliable, size: payload.length, text });
  });
  meeting.data.on("dropped", (drop) => window.drops.push(drop.reason));
})
"""


async def listens(person: Somebody) -> Somebody:
    await person.sdk(_LISTEN)
    return person


async def gets(person: Witness, text: str) -> Json:
    """The message of that text, once it is there."""

    async def find() -> Json | None:
        found: Json | None = await person.evaluate(
            "(text) => window.messages.find((one) => one.text === text) ?? null", text
        )
        return found

    message = await eventually(find, lambda one: one is not None, f"{person.look.name} gets {text!r}")
    assert message is not None
    return message


@pytest.mark.shows("Chromium", "data channels")
async def test_messages_reach_all_or_those_they_are_for_on_either_channel(cast: Cast) -> None:
    ada = await listens(await cast.enter(ADA, "group_call_host"))
    grace = await listens(await cast.enter(GRACE))
    viewer = await listens(await cast.enter(LINUS, "webinar_viewer"))

    await ada.sdk("meeting.data.send('to all', { topic: 'greeting' })")
    await ada.sdk("meeting.data.send('quick', { reliable: false })")
    await grace.sdk("meeting.data.send('between us', { to: [argument] })", ada.peer_id)
    await grace.sdk("meeting.data.send(new Uint8Array(65536).fill(65))")

    for person in (grace, viewer):
        greeting = {"from": ada.peer_id, "topic": "greeting", "reliable": True, "size": 6, "text": "to all"}
        assert await gets(person, "to all") == greeting
        assert (await gets(person, "quick"))["reliable"] is False
    assert (await gets(ada, "between us"))["from"] == grace.peer_id
    assert (await gets(viewer, "A" * 64))["size"] == 65_536
    assert not await viewer.page.evaluate("window.messages.some(({ text }) => text === 'between us')")

    too_large = await ada.sdk_error("meeting.data.send(new Uint8Array(65537))")
    assert too_large["name"] == "MessageTooLarge"
    refused = await viewer.sdk_error("meeting.data.send('may I?')")
    assert (refused["name"], refused["code"]) == ("PermissionDenied", 2001)


async def test_the_node_refuses_what_a_page_sends_without_permission(cast: Cast) -> None:
    ada = await listens(await cast.enter(ADA, "group_call_host"))
    viewer = await listens(await cast.enter(LINUS, "webinar_viewer"))
    await viewer.sdk("void Object.assign(meeting.self.permissions, { canSendData: true })")
    await viewer.sdk("meeting.data.send('forged')")

    async def drops() -> list[str]:
        return list(await viewer.page.evaluate("window.drops"))

    await eventually(drops, lambda reasons: "not_permitted" in reasons, "the viewer is told")
    assert not await ada.page.evaluate("window.messages.length")


@pytest.mark.shows("Chromium", "data channels")
async def test_channels_outlive_an_ice_restart_and_come_back_on_a_new_connection(cast: Cast) -> None:
    ada = await listens(await cast.enter(ADA, "group_call_host"))
    grace = await listens(await cast.enter(GRACE))

    await grace.sdk("meeting.publisher.restartIce()")
    await ada.sdk("meeting.data.send('after the restart')")
    await gets(grace, "after the restart")

    # What `media_reset` does to a client, without the loss of the worker that all tests here share.
    await grace.sdk("void meeting.resetMedia()")
    await grace.sdk("meeting.data.open()")
    await ada.sdk("meeting.data.send('on the new one')")
    await gets(grace, "on the new one")
