"""End-to-end encryption with a passphrase: who has it sees, who has another is told, the server is blind."""

from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path

import av
import pytest
from aiohttp.test_utils import TestServer
from aiortc import RTCRtpReceiver
from aiortc.rtp import RtpPacket
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from playwright.async_api import Page, expect

from examples.e2ee.__main__ import SDK, make_app
from sfu.codecs.vp8 import parse_descriptor
from tests.e2e.cast import Cast
from tests.e2e.eventually import eventually, watch
from tests.e2e.person import Json, Person, tile_selector
from tests.e2e.pictures import ADA, GRACE, LINUS, WIDTH, Look
from tests.support.aiortc_peer import AiortcPeer

pytestmark = pytest.mark.alone

SECRET = "correct horse battery staple"

WEB = Path(__file__).resolve().parent.parent.parent / "web"
NOTE = "[data-testid=tile-encrypted]"
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
    await person.open()
    await person.see("join-button")
    # Before anything is received: each failure is told once.
    await person.sdk(
        "void (window.failures = [],"
        " meeting.encryption?.on('failure', (failure) => window.failures.push(failure)))"
    )
    await person.go_in()
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


async def says(person: Person, other: Person, words: str) -> None:
    """The tile of somebody whose media cannot be opened, to who looks and to who listens."""
    tile = person.page.locator(tile_selector(other))
    await expect(tile.locator(NOTE)).to_have_text(words)
    await expect(tile).to_have_attribute("aria-label", re.compile(re.escape(words.lower())))
    await expect(tile.locator(".avatar")).to_be_visible()


async def width_of(person: Person, other: Person) -> int:
    return int((await person.received(other, "camera")).get("frameWidth", 0))


@pytest.mark.shows("Chromium", "E2EE")
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
    await says(linus, ada, "Encrypted with another passphrase")
    assert await linus.frames_of(ada) == 0
    await ada.sees_moving(grace)

    await linus.sdk("meeting.encryption.setPassphrase(argument)", SECRET)
    await linus.sees(ada)
    await expect(linus.page.locator(f"{tile_selector(ada)} {NOTE}")).to_have_count(0)
    # The others stopped receiving Linus when they could not open it; they ask again for it.
    await ada.sdk("meeting.encryption.setPassphrase(argument)", SECRET)
    await ada.sees(linus)


async def test_with_and_without_encryption_people_do_not_receive_each_other(cast: Cast) -> None:
    ada = await enters(cast, ADA, SECRET, "group_call_host")
    open_one = await enters(cast, GRACE, None)
    assert "not encrypted" in (await fails(ada, "not_encrypted"))["message"]
    await eventually(
        lambda: open_one.sdk(
            "meeting.participants.joined.get(argument)?.publicationOf('camera')?.encrypted ?? null",
            ada.peer_id,
        ),
        bool,
        "the one without knows that Ada's camera is encrypted",
    )

    async def received() -> int:
        return len(await open_one.reports("subscriber", "inbound-rtp"))

    assert not any(await watch(received, 1.0)), "what cannot be decoded is not asked for"
    await says(open_one, ada, "Encrypted: you need the passphrase")
    await says(ada, open_one, "Not encrypted, so not shown")


async def test_a_browser_with_the_older_streams_sends_and_receives(cast: Cast) -> None:
    ada = await enters(cast, ADA, SECRET, "group_call_host")
    grace = await enters(cast, GRACE, SECRET, script=OLDER_BROWSER)
    await ada.sees(grace)
    await grace.sees(ada)


def opened(frame: bytes, base_key: bytes) -> bytes:
    """A sealed VP8 frame, opened by what docs/protocol.md says and nothing of the SDK."""
    clear = 1 if frame[0] & 1 else 10
    prefix, sealed = frame[:clear], frame[clear:]
    kid_length = (sealed[0] >> 4 & 7) + 1 if sealed[0] & 0x80 else 0
    counter_length = (sealed[0] & 7) + 1 if sealed[0] & 8 else 0
    end = 1 + kid_length + counter_length
    kid = sealed[1 : 1 + kid_length] if kid_length else bytes([sealed[0] >> 4 & 7])
    counter = sealed[1 + kid_length : end] if counter_length else bytes([sealed[0] & 7])
    suffix = kid.rjust(8, b"\0") + b"\x00\x04"
    key = HKDF(SHA256(), 16, b"", b"SFrame 1.0 Secret key " + suffix).derive(base_key)
    salt = HKDF(SHA256(), 12, b"", b"SFrame 1.0 Secret salt " + suffix).derive(base_key)
    nonce = bytes(a ^ b for a, b in zip(salt, counter.rjust(12, b"\0"), strict=True))
    return prefix + AESGCM(key).decrypt(nonce, sealed[end:], sealed[:end] + prefix)


def assembled(packets: dict[int, RtpPacket]) -> bytes | None:
    """The VP8 frame of these packets, by sequence number; None while some are missing."""
    last = next((number for number, packet in packets.items() if packet.marker), None)
    if last is None:
        return None
    frame = b""
    for back in range(len(packets)):
        packet = packets.get((last - back) % 2**16)
        if packet is None:
            return None
        descriptor = parse_descriptor(packet.payload)
        frame = packet.payload[descriptor.length :] + frame
        if descriptor.start_of_partition and descriptor.partition == 0:
            return frame
    return None


def decoded(frame: bytes) -> tuple[int, int, int] | None:
    """The mean colour (YUV) of the upper part of a VP8 key frame; None for what is none."""
    try:
        (picture,) = av.CodecContext.create("vp8", "r").decode(av.Packet(frame))
    except (av.FFmpegError, ValueError):
        return None
    planes = picture.to_ndarray(format="yuv420p")
    height = planes.shape[0] * 2 // 3
    chroma = planes[height:].reshape(2, -1)
    upper = chroma.shape[1] // 3
    means = (planes[: height // 3].mean(), chroma[0, :upper].mean(), chroma[1, :upper].mean())
    return round(means[0]), round(means[1]), round(means[2])


async def test_what_the_server_forwards_is_a_picture_only_with_the_key(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subscriber gets what the server has: its payloads are noise, and with the key Grace's picture."""
    packets: dict[int, dict[int, RtpPacket]] = {}
    whole: list[bytes] = []
    receive = RTCRtpReceiver._handle_rtp_packet

    async def listen(self: RTCRtpReceiver, packet: RtpPacket, arrival_time_ms: int) -> None:
        if packet.payload_type == 96 and packet.payload:
            of_frame = packets.setdefault(packet.timestamp, {})
            of_frame[packet.sequence_number] = packet
            if (frame := assembled(of_frame)) is not None:
                whole.append(frame)
        await receive(self, packet, arrival_time_ms)

    monkeypatch.setattr(RTCRtpReceiver, "_handle_rtp_packet", listen)
    await enters(cast, GRACE, SECRET)
    eavesdropper = AiortcPeer(cast.server.base_url)
    try:
        await eavesdropper.join(
            await cast.organization.create_participant(cast.meeting_id, "Eve", "group_call_host")
        )

        async def key_frame() -> bytes | None:
            return next((frame for frame in whole if len(frame) > 100 and not frame[0] & 1), None)

        sealed = await eventually(key_frame, lambda frame: frame is not None, "a key frame at the subscriber")
    finally:
        await eavesdropper.close()
    assert sealed is not None
    salt = f"rostrum end-to-end {cast.meeting_id}".encode()
    base_key = PBKDF2HMAC(SHA256(), 32, salt, 600_000).derive(SECRET.encode())
    plain = opened(sealed, base_key)
    seen, there = decoded(sealed), decoded(plain)
    assert there is not None
    blue_and_red = (there[1] > 150, there[2] < 128)
    assert blue_and_red == (True, True), f"Grace's picture is blue; with the key it is {there}"
    assert seen is None or abs(seen[1] - there[1]) > 20, "without the key there is no picture of Grace"
    assert plain[10:26] not in sealed


async def test_the_example_page_works_with_the_sdk_as_built(cast: Cast) -> None:
    made = await asyncio.to_thread(
        subprocess.run, ["npm", "run", "--silent", "build:sdk"], cwd=WEB, check=False
    )
    assert made.returncode == 0
    assert (SDK / "rostrum.js").exists()
    async with TestServer(
        make_app(cast.organization, cast.meeting_id, cast.server.base_url), host="127.0.0.1"
    ) as server:
        pages = {look: await example(cast, str(server.make_url("/")), look) for look in (ADA, GRACE, LINUS)}
        for look, passphrase in ((ADA, SECRET), (GRACE, SECRET), (LINUS, "a guess")):
            await pages[look].fill("#name", look.name)
            await pages[look].fill("#passphrase", passphrase)
            await pages[look].click("button")
            await expect(pages[look].locator("#me")).to_be_visible()
        await expect(pages[LINUS].locator("#notice")).to_contain_text("cannot be decrypted")
        size = (
            "(name) => [...document.querySelectorAll('figure')].find((one) => one.textContent.includes(name))"
        )
        size += "?.querySelector('video').videoWidth ?? 0"
        assert await pages[LINUS].evaluate(size, "Ada") == 0

        async def width(look: Look, other: Look) -> int:
            return int(await pages[look].evaluate(_SIZE, other.name))

        for look, other in ((ADA, GRACE), (GRACE, ADA)):
            await eventually(
                lambda look=look, other=other: width(look, other),  # type: ignore[misc]
                lambda wide: wide > 0,
                f"{look.name} sees {other.name}",
            )
        await pages[LINUS].fill("#passphrase", SECRET)
        await pages[LINUS].click("button")
        await eventually(lambda: width(LINUS, ADA), lambda wide: wide > 0, "Linus sees Ada once corrected")
        for page in pages.values():
            await page.context.close()


_SIZE = """
(name) => {
  const tiles = [...document.querySelectorAll("figure")];
  return tiles.find((one) => one.textContent.includes(name))?.querySelector("video").videoWidth ?? 0;
}
"""


async def example(cast: Cast, url: str, look: Look) -> Page:
    browser = await cast.browsers.of(look)
    page = await (await browser.new_context(permissions=["camera", "microphone"])).new_page()
    await page.goto(url)
    return page
