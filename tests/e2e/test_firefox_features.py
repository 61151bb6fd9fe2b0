"""What else Firefox does with Rostrum, one thing at a time: codecs, ways through networks, encryption, WHIP.

The example pages come from a server on the test network: a page from a file has no address that Firefox could
look for a route to, so that it gathers nothing where there is no default route.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from aiohttp import web

from tests.e2e.eventually import eventually
from tests.e2e.firefox_cast import NODE, MixedCast, Theatre, needs_firefox
from tests.e2e.firefox_person import FirefoxPerson
from tests.e2e.person import Json
from tests.e2e.pictures import ADA, GRACE
from tests.e2e.test_codecs import PREFER
from tests.e2e.test_http_media import EXAMPLES, peer_of
from tests.e2e.test_network import goes_by
from tests.support import coturn
from tests.support.compat import note_lack

pytestmark = [needs_firefox, pytest.mark.clients]

LONG = 30.0
"""Seconds: two browsers encode and decode on few cores."""
CODECS = ("VP8", "VP9", "H264", "AV1")
SECRET = "&e2ee=correct%20horse%20battery%20staple"


@pytest_asyncio.fixture(loop_scope="session")
async def examples(stage: Theatre) -> AsyncIterator[str]:
    """Where the example pages are served, on the server's side of the cable."""
    app = web.Application()
    app.router.add_static("/", EXAMPLES)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, NODE, 0).start()
    yield f"http://{NODE}:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize("codec", ["VP9", "AV1"])
@pytest.mark.shows("Firefox", "publish {codec}")
async def test_what_firefox_encodes_is_seen(mixed: MixedCast, codec: str) -> None:
    ada = await mixed.chromium(ADA, "group_call_host")
    grace = await mixed.firefox(GRACE, script=PREFER % f"video/{codec}")
    await ada.sees(grace, timeout=LONG)
    await ada.sees_moving(grace)
    stats = await ada.sdk("(await meeting.stats()).subscribe.inbound")
    assert [one["codec"] for one in stats if one["kind"] == "video"] == [f"video/{codec}"]


@pytest.mark.parametrize("codec", ["VP9", "AV1"])
@pytest.mark.shows("Firefox", "subscribe {codec}")
async def test_firefox_sees_what_chromium_encodes(mixed: MixedCast, codec: str) -> None:
    ada = await mixed.chromium(ADA, "group_call_host", script=PREFER % f"video/{codec}")
    grace = await mixed.firefox(GRACE)
    await grace.sees(ada, timeout=LONG)
    await grace.sees_moving(ada)
    stats = await grace.sdk("(await meeting.stats()).subscribe.inbound")
    assert [one["codec"] for one in stats if one["kind"] == "video"] == [f"video/{codec}"]


@pytest.mark.shows("Firefox")
async def test_firefox_says_what_it_cannot_do(mixed: MixedCast) -> None:
    grace = await mixed.invite_firefox(GRACE)
    await grace.open()
    for side, verb in (("RTCRtpSender", "publish"), ("RTCRtpReceiver", "subscribe")):
        able = await grace.evaluate(
            f"['audio', 'video'].flatMap((kind) => {side}.getCapabilities(kind).codecs)"
            ".flatMap(({ mimeType }) => [mimeType])"
        )
        assert "video/VP8" in able
        if "audio/red" not in able:
            note_lack("Firefox", f"{verb} RED")
        for codec in CODECS:
            if f"video/{codec}" not in able:
                note_lack("Firefox", f"{verb} {codec}")
                if verb == "publish":
                    note_lack("Firefox", f"simulcast {codec}")
    mode = await grace.evaluate(
        "new RTCPeerConnection().addTransceiver('video',"
        " { sendEncodings: [{ scalabilityMode: 'L3T3_KEY' }] })"
        ".sender.getParameters().encodings[0].scalabilityMode ?? null"
    )
    if mode is None:
        note_lack("Firefox", "SVC VP9")
        note_lack("Firefox", "SVC AV1")


@pytest.mark.shows("Firefox", "ICE-TCP")
async def test_firefox_without_udp_takes_part_over_tcp(mixed: MixedCast) -> None:
    networks = mixed.theatre.networks
    networks.set_udp_blocked(blocked=True)
    try:
        ada = await mixed.chromium(ADA, "group_call_host")
        grace = await mixed.firefox(GRACE)
        await ada.sees(grace, timeout=LONG)
        await grace.sees(ada, timeout=LONG)
        await grace.sees_moving(ada)
        await goes_by(grace, "protocol", "tcp")
    finally:
        networks.set_udp_blocked(blocked=False)


@pytest.mark.skipif(coturn.why_not() is not None, reason=str(coturn.why_not()))
@pytest.mark.shows("Firefox", "relay")
async def test_firefox_takes_part_by_nothing_but_the_relay(mixed: MixedCast) -> None:
    ada = await mixed.chromium(ADA, "group_call_host")
    grace = await mixed.firefox(GRACE, link="&relay=1")
    await ada.sees(grace, timeout=LONG)
    await grace.sees(ada, timeout=LONG)
    await goes_by(grace, "candidateType", "relay")


@pytest.mark.shows("Firefox", "E2EE")
async def test_firefox_and_chromium_meet_encrypted_end_to_end(mixed: MixedCast) -> None:
    ada = await mixed.chromium(ADA, "group_call_host", link=SECRET)
    grace = await mixed.firefox(GRACE, link=SECRET)
    await ada.sees(grace, timeout=LONG)
    await grace.sees(ada, timeout=LONG)
    await ada.sees_moving(grace)
    await grace.hears(ada)
    assert await grace.sdk("meeting.encryption !== null")


@pytest.mark.shows("Firefox", "WHIP")
async def test_firefox_publishes_by_whip(mixed: MixedCast, examples: str) -> None:
    ada = await mixed.chromium(ADA, "group_call_host")
    grace = await mixed.invite_firefox(GRACE)
    await open_example(mixed, grace, f"{examples}/whip.html", f"/v2/whip/{mixed.cast.meeting_id}")
    grace.peer_id = await peer_of(ada, "Grace")
    await ada.sees(grace, timeout=LONG)
    await ada.sees_moving(grace)


@pytest.mark.shows("Firefox", "WHEP")
async def test_firefox_watches_by_whep(mixed: MixedCast, examples: str) -> None:
    await mixed.chromium(ADA, "group_call_host")
    grace = await mixed.invite_firefox(GRACE)
    await open_example(mixed, grace, f"{examples}/whep.html", f"/v2/whep/{mixed.cast.meeting_id}/Ada/camera")
    places: set[float] = set()

    async def look() -> int:
        glimpse = await grace.glimpse("video")
        if glimpse is not None and glimpse.bar is not None and glimpse.shows(ADA.rgb):
            places.add(round(glimpse.bar, 1))
        return len(places)

    await eventually(look, lambda count: count >= 3, "Grace sees Ada move", timeout=LONG)


async def test_the_report_has_what_firefox_says_of_its_machine_and_devices(mixed: MixedCast) -> None:
    grace = await mixed.firefox(GRACE)
    there = await grace.evaluate(
        "async () => (await navigator.mediaDevices.enumerateDevices()).map(({ label }) => label)"
    )
    path = f"/v2/sessions/peer-report/{grace.peer_id}"

    async def metadata() -> Json:
        found: Json = (await mixed.cast.organization.call("GET", path))["participant"]["peer_report"]
        known: Json = found["metadata"]
        return known

    def labels(one: Json) -> list[str]:
        updates = one["audio_devices_updates"] + one["video_devices_updates"]
        return [device["label"] for update in updates for device in update["added"]]

    told = await eventually(metadata, lambda one: sorted(labels(one)) == sorted(there), "devices are told")
    assert there and all(there)
    assert told["device_info"]["cpus"] == await grace.evaluate("navigator.hardwareConcurrency")
    assert told["device_info"]["memory"] is None, "it tells nobody"


async def open_example(mixed: MixedCast, fox: FirefoxPerson, page: str, path: str) -> None:
    given = urlencode({"endpoint": mixed.theatre.url + path, "token": fox.token})
    await fox.open(f"{page}#{given}")
