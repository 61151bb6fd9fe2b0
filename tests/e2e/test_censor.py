"""A moderator blocks a microphone: nothing of it is heard, and its owner cannot change that."""

from __future__ import annotations

from tests.e2e.cast import Cast
from tests.e2e.eventually import eventually, settled, watch
from tests.e2e.person import Person
from tests.e2e.pictures import ADA, GRACE


async def test_a_blocked_microphone_is_heard_again_only_after_the_moderator_allowed_it(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.enter(GRACE)
    await _hears(ada, grace)
    await ada.click("participants-toggle")
    await ada.click("block-audio-participant", of=grace)
    await grace.is_told("A host has blocked your microphone")
    quiet = await settled(lambda: _packets(ada, grace), "nothing of a blocked microphone arrives")

    await grace.click("mic-toggle")
    await grace.is_told("A moderator has blocked your microphone")
    assert not await grace.sdk("meeting.self.audioEnabled")
    refused = await grace.sdk_error(
        "meeting.connection.request({ type: 'unmute',"
        " publication_id: meeting.publisher.publicationId('microphone') })"
    )
    assert refused["name"] == "Censored", "the server refuses what the page does not offer"

    await ada.click("allow-audio-participant", of=grace)
    await grace.is_told("You may turn on your microphone again")
    still = await watch(lambda: _packets(ada, grace), 0.5)
    assert still[-1] == quiet, "a microphone was turned on from elsewhere"
    await grace.click("mic-toggle")
    await _hears(ada, grace)


async def _hears(person: Person, other: Person) -> None:
    await eventually(
        lambda: person.pitch_of(other),
        lambda pitch: pitch is not None and abs(pitch - other.look.hertz) < 40,
        f"{person.look.name} hears {other.look.name}",
    )


async def _packets(person: Person, other: Person) -> int:
    return int((await person.received(other, "microphone")).get("packetsReceived", 0))
