"""Who may not publish cannot: not with the SDK, not with forged messages, not with forged SDP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import expect

from tests.e2e.cast import Cast
from tests.e2e.eventually import eventually, watch
from tests.e2e.person import Json, Person
from tests.e2e.pictures import ADA, GRACE

FORGER = Path(__file__).with_name("forger.js").read_text()
ENOUGH = 40
"""Packets sent by an attack that would have been seen by now."""


async def test_a_viewer_that_asks_its_sdk_to_publish_reads_why_it_may_not(cast: Cast) -> None:
    ada = await cast.enter(ADA, "webinar_presenter")
    viewer = await cast.enter(GRACE, "webinar_viewer")
    for call in ("enableVideo", "enableAudio"):
        error = await viewer.sdk_error(f"meeting.self.{call}()")
        assert error["name"] == "PermissionDenied"
        assert error["code"] == 2001
        assert "may not publish" in error["message"]
    assert not await viewer.sdk("meeting.self.videoEnabled || meeting.self.audioEnabled")
    assert await viewer.reports("publisher", "outbound-rtp") == []
    assert await _publications(ada, viewer.peer_id) == 0


async def test_forged_requests_of_a_viewer_are_refused(cast: Cast) -> None:
    ada = await cast.enter(ADA, "webinar_presenter")
    forger = await _forger(cast, "webinar_viewer")
    refusals = await forger.page.evaluate(
        "announcements => forger.tryToPublish(announcements)",
        [
            [{"line": 0, "source": "microphone", "kind": "audio"}],
            [{"line": 1, "source": "camera", "kind": "video"}],
            [{"line": 1, "source": "screen", "kind": "video"}],
            [{"line": 1, "source": "microphone", "kind": "video"}],
            [{"line": 1, "source": "anything", "kind": "video"}],
            [{"line": 0, "source": "anything", "kind": "audio"}],
        ],
    )
    assert refusals == ["PermissionDenied"] * 6

    own = forger.peer_id
    assert await _refusal(forger, "stage_join") == "ActionInvalidForStageStatus"
    assert await _refusal(forger, "stage_grant", peer_ids=[own]) == "PermissionDenied"
    assert await _refusal(forger, "stage_invite", peer_ids=[own]) == "PermissionDenied"
    assert await _refusal(forger, "stage_kick", peer_ids=[ada.peer_id]) == "PermissionDenied"
    assert await _refusal(forger, "kick", peer_ids=[ada.peer_id]) == "PermissionDenied"
    assert await _refusal(forger, "mute_peer", peer_ids=[ada.peer_id]) == "PermissionDenied"
    theirs = [one["publication_id"] for one in await _of_presenter(forger)]
    assert await _refusal(forger, "unpublish", publication_ids=theirs) is not None
    assert await _refusal(forger, "mute", publication_id=theirs[0]) is not None
    assert await _publications(ada, own) == 0
    assert await ada.sdk("meeting.self.audioEnabled && meeting.self.videoEnabled")


async def test_video_smuggled_onto_a_connection_with_only_a_microphone_goes_nowhere(cast: Cast) -> None:
    preset = await cast.make_preset(
        f"voice_only_{cast.meeting_id}",
        "group_call_participant",
        {
            "media": {
                "video": {"can_produce": "NOT_ALLOWED"},
                "screenshare": {"can_produce": "NOT_ALLOWED"},
            }
        },
    )
    witness = await cast.enter(ADA, "group_call_host")
    forger = await _forger(cast, preset)
    lie = [{"line": 1, "source": "microphone", "kind": "audio"}]
    refusals = await forger.page.evaluate("lie => forger.tryToPublish([lie])", lie)
    assert refusals[0] is not None, "a picture announced as a voice"
    assert await _publications(witness, forger.peer_id) == 0
    assert (await forger.page.evaluate("forger.publishMicrophone()"))["ok"]
    await eventually(lambda: _received(witness, "audio"), lambda count: count > 20, "the voice is heard")

    refusals = await forger.page.evaluate(
        "announcements => forger.tryToPublish(announcements)",
        [
            [{"line": 1, "source": "camera", "kind": "video"}],
            [{"line": 1, "source": "microphone", "kind": "video"}],
            [{"line": 1, "source": "screen", "kind": "video"}],
            [
                {"line": 1, "source": "camera", "kind": "video"},
                {"line": 0, "source": "second", "kind": "audio"},
            ],
        ],
    )
    assert refusals == ["PermissionDenied"] * 4

    for sent_before, tell_server in ((0, False), (ENOUGH, True)):
        await forger.page.evaluate(f"forger.smuggleVideo({{ tellServer: {str(tell_server).lower()} }})")
        await eventually(
            lambda: _sent(forger, "pc"),
            lambda sent, before=sent_before: sent >= before + ENOUGH,  # type: ignore[misc]
            "the forged connection sends video",
        )
        heard = await _received(witness, "audio")
        assert set(await watch(lambda: _received(witness, "video"), 1.0)) == {0}
        await eventually(
            lambda: _received(witness, "audio"),
            lambda now, heard=heard: now > heard,  # type: ignore[misc]
            "what is allowed goes on",
        )
        assert await _publications(witness, forger.peer_id) == 1


async def test_video_sent_back_on_the_connection_for_receiving_goes_nowhere(cast: Cast) -> None:
    ada = await cast.enter(ADA, "webinar_presenter")
    forger = await _forger(cast, "webinar_viewer")
    wanted = [{"publication_id": one["publication_id"]} for one in await _of_presenter(forger)]
    assert await _refusal(forger, "subscribe", subscriptions=wanted) is None
    await eventually(
        lambda: _sent(forger, "receiving"), lambda sent: sent >= ENOUGH, "the receiving connection sends"
    )
    assert set(await watch(lambda: _received(ada, "video"), 1.0)) == {0}
    assert await _publications(ada, forger.peer_id) == 0
    await eventually(
        lambda: forger.page.evaluate(
            "forger.receiving.getStats().then((reports) => Math.max(...[...reports.values()]"
            ".filter((one) => one.type === 'inbound-rtp').map((one) => one.framesDecoded ?? 0)))"
        ),
        lambda frames: frames > 10,
        "the forger still watches, which it may",
    )


async def test_the_node_drops_what_a_preset_change_takes_away(cast: Cast) -> None:
    """The permission goes while the page sends: the picture is gone for the others, and the page is told."""
    preset = await cast.make_preset(f"changing_{cast.meeting_id}", "group_call_participant", {})
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.enter(GRACE, preset)
    await ada.sees(grace)
    await cast.change_preset(preset, {"media": {"video": {"can_produce": "NOT_ALLOWED"}}})
    await grace.is_told("You may no longer use your camera")
    await ada.tile_of(grace).locator("video").wait_for(state="detached")
    assert not await grace.sdk("meeting.self.videoEnabled")
    assert (await grace.sdk_error("meeting.self.enableVideo()"))["name"] == "PermissionDenied"
    await expect(ada.tile_of(grace)).to_have_attribute("data-audio", "on")


async def test_a_camera_that_was_refused_is_seen_once_it_is_allowed(cast: Cast) -> None:
    """On the connection that carries the microphone, where a refused offer leaves its traces."""
    denied = {"media": {"video": {"can_produce": "NOT_ALLOWED"}}}
    preset = await cast.make_preset(f"later_{cast.meeting_id}", "group_call_participant", denied)
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.enter(GRACE, preset)
    await expect(ada.tile_of(grace)).to_have_attribute("data-audio", "on")
    for _ in range(2):
        assert (await grace.sdk_error("meeting.self.enableVideo()"))["name"] == "PermissionDenied"
    await cast.change_preset(preset, {"media": {"video": {"can_produce": "ALLOWED"}}})
    await grace.click("camera-toggle")
    await ada.sees(grace)
    await ada.sees_moving(grace)
    await expect(ada.tile_of(grace)).to_have_attribute("data-audio", "on")


async def _forger(cast: Cast, preset: str) -> Person:
    """Joined, without the SDK."""
    person = await cast.invite(GRACE, preset)
    await person.page.goto(f"{person.base_url}/meet/")
    await person.page.evaluate(f"() => {{ {FORGER} }}")
    assert await person.page.evaluate("token => (window.forger = new Forger(token)).join()", person.token)
    person.peer_id = await person.page.evaluate("forger.state.peer_id")
    return person


async def _of_presenter(forger: Person) -> list[Json]:
    """What the presenter publishes, which may be after the forger joined: picture and sound."""
    return await eventually(
        lambda: forger.page.evaluate("forger.publications"),
        lambda found: {one["kind"] for one in found} == {"audio", "video"},
        "the presenter publishes",
    )


async def _refusal(forger: Person, kind: str, **fields: Any) -> str | None:
    """The name of the error a forged request is answered with; of stage actions, that of the first peer."""
    response: Json = await forger.page.evaluate(
        "([kind, fields]) => forger.request(kind, fields)", [kind, fields]
    )
    if not response["ok"]:
        return str(response["error"]["name"])
    outcomes = [peer for peer in response["result"].get("peers", []) if not peer["ok"]]
    return str(outcomes[0]["error"]["name"]) if outcomes else None


async def _sent(forger: Person, connection: str) -> int:
    return int(await forger.page.evaluate("name => forger.videoSent(name)", connection))


async def _received(person: Person, kind: str) -> int:
    """Packets of a kind that arrived at somebody, from whomever."""
    reports = await person.reports("subscriber", "inbound-rtp")
    return sum(one["packetsReceived"] for one in reports if one["kind"] == kind)


async def _publications(person: Person, peer_id: str) -> int:
    """How many publications of a peer somebody knows, once they know the peer."""
    known: int | None = await eventually(
        lambda: person.sdk("meeting.participants.joined.get(argument)?.publications.size ?? null", peer_id),
        lambda count: count is not None,
        f"{person.look.name} knows {peer_id}",
    )
    assert known is not None
    return known
