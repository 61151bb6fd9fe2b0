"""End-to-end encryption with a passphrase: who has it sees, who has another is told, the server is blind."""

from __future__ import annotations

import pytest

from tests.e2e.cast import Cast
from tests.e2e.eventually import eventually, watch
from tests.e2e.person import Json, Person, tile_selector
from tests.e2e.pictures import ADA, GRACE, LINUS, WIDTH, Look

SECRET = "correct horse battery staple"

OLDER_BROWSER = "delete window.RTCRtpScriptTransform;"


async def enters(
    cast: Cast,
    look: Look,
    passphrase: str | None,
    preset: str = "group_call_participant",
    *,
    script: str = "",
) -> Person:
    """Somebody who joins with the passphrase in the link, and hears of failures."""
    person = await cast.invite(look, preset)
    if passphrase is not None:
        person.token += f"&e2ee={passphrase.replace(' ', '%20')}"
    if script:
        await person.page.add_init_script(script)
    await person.join()
    await person.sdk(
        "void (window.failures = [],"
        " meeting.encryption?.on('failure', (failure) => window.failures.push(failure)))"
    )
    return person


async def fails(person: Person, reason: str) -> Json:
    async def find() -> Json | None:
        found: Json | None = await person.page.evaluate(
            "(reason) => window.failures.find((one) => one.reason === reason) ?? null", reason
        )
        return found

    failure = await eventually(find, lambda one: one is not None, f"{person.look.name} is told of {reason}")
    assert failure is not None
    return failure


async def width_of(person: Person, other: Person) -> int:
    return int((await person.received(other, "camera")).get("frameWidth", 0))


async def test_who_has_the_passphrase_sees_and_hears_and_layers_switch(cast: Cast) -> None:
    ada = await enters(cast, ADA, SECRET, "group_call_host")
    grace = await enters(cast, GRACE, SECRET)
    await ada.sees(grace)
    await grace.sees(ada)
    await ada.sees_moving(grace)

    async def pitch() -> float | None:
        return await ada.pitch_of(grace)

    await eventually(
        pitch, lambda hertz: hertz is not None and abs(hertz - GRACE.hertz) < 60, "Grace's voice"
    )

    publication = await ada.sdk(
        "meeting.participants.joined.get(argument).publicationOf('camera').publication_id", grace.peer_id
    )
    for wanted, width in ((0, WIDTH // 2), (1, WIDTH), (0, WIDTH // 2)):
        await ada.sdk("meeting.participants.setLayer(...argument)", [publication, wanted])
        await eventually(
            lambda: width_of(ada, grace),
            lambda now, width=width: now == width,  # type: ignore[misc]
            f"frames {width} wide",
        )
        await ada.sees(grace)
        await ada.sees_more_frames(grace, 5)


async def test_another_passphrase_shows_nothing_says_why_and_works_once_corrected(cast: Cast) -> None:
    ada = await enters(cast, ADA, SECRET, "group_call_host")
    grace = await enters(cast, GRACE, SECRET)
    linus = await enters(cast, LINUS, "a guess")
    await ada.sees(grace)
    failure = await fails(linus, "wrong_key")
    assert "passphrase" in failure["message"]
    assert (await fails(ada, "wrong_key"))["message"].startswith("What Linus sends")

    async def looks() -> bool:
        return await linus.glimpse(f"{tile_selector(ada)} video") is not None

    assert not any(await watch(looks, 1.0)), "not even garbage is shown"
    assert await linus.frames_of(ada) == 0
    await ada.sees_moving(grace)

    await linus.sdk("meeting.encryption.setPassphrase(argument)", SECRET)
    await linus.sees(ada)
    # The others stopped receiving Linus when they could not open it; they ask again for it.
    await ada.sdk("meeting.encryption.setPassphrase(argument)", SECRET)
    await ada.sees(linus)


async def test_with_and_without_encryption_people_do_not_receive_each_other(cast: Cast) -> None:
    ada = await enters(cast, ADA, SECRET, "group_call_host")
    open_one = await enters(cast, GRACE, None)
    assert "not encrypted" in (await fails(ada, "not_encrypted"))["message"]
    encrypted = await open_one.sdk(
        "meeting.participants.joined.get(argument).publicationOf('camera')?.encrypted", ada.peer_id
    )
    assert encrypted is True

    async def received() -> int:
        return len(await open_one.reports("subscriber", "inbound-rtp"))

    assert not any(await watch(received, 1.0)), "what cannot be decoded is not asked for"


@pytest.mark.parametrize("older", ["sender", "receiver"])
async def test_browsers_with_the_older_streams_take_part(cast: Cast, older: str) -> None:
    ada = await enters(
        cast, ADA, SECRET, "group_call_host", script=OLDER_BROWSER if older == "receiver" else ""
    )
    grace = await enters(cast, GRACE, SECRET, script=OLDER_BROWSER if older == "sender" else "")
    await ada.sees(grace)
    await grace.sees(ada)
