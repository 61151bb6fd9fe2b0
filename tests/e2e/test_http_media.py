"""The example pages: plain RTCPeerConnections that publish by WHIP and watch by WHEP, among people."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.async_api import Response

from tests.e2e.cast import Cast
from tests.e2e.eventually import eventually
from tests.e2e.person import Person
from tests.e2e.pictures import ADA, GRACE, LINUS

EXAMPLES = Path(__file__).parent.parent.parent / "examples"

KEEP_CONNECTIONS = """
window.connections = [];
const Original = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Original {
  constructor(...given) { super(...given); window.connections.push(this); }
};
"""

_ARRIVED = """
async () => {
  const reports = [...(await window.connections[0].getStats()).values()];
  const inbound = reports.filter(({ type }) => type === "inbound-rtp");
  return Object.fromEntries(inbound.map((one) => [one.kind, one.framesDecoded ?? one.packetsReceived]));
}
"""


async def open_example(person: Person, page: str, path: str) -> None:
    await person.page.add_init_script(KEEP_CONNECTIONS)
    given = urlencode({"endpoint": person.base_url + path, "token": person.token})
    await person.page.goto(f"{(EXAMPLES / page).as_uri()}#{given}")


async def peer_of(watcher: Person, name: str) -> str:
    """The peer id of somebody in the roster."""
    found = await eventually(
        lambda: watcher.sdk(
            "meeting.participants.joined.toArray().find(({ name }) => name === argument)?.id", name
        ),
        bool,
        f"{name} in the roster of {watcher.look.name}",
    )
    return str(found)


@pytest.mark.shows("Chromium", "WHIP", "WHEP")
async def test_a_page_publishes_by_whip_and_another_watches_by_whep(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace, linus = await cast.invite(GRACE), await cast.invite(LINUS)
    await open_example(grace, "whip.html", f"/v2/whip/{cast.meeting_id}")
    grace.peer_id = await peer_of(ada, "Grace")
    await ada.sees(grace)
    await ada.sees_moving(grace)

    await open_example(linus, "whep.html", f"/v2/whep/{cast.meeting_id}/Grace/camera")
    await linus.sees_colour("video", GRACE.rgb)
    before = await linus.page.evaluate(_ARRIVED)
    await eventually(
        lambda: linus.page.evaluate(_ARRIVED),
        lambda now: all(now.get(kind, 0) > before.get(kind, 0) + 10 for kind in ("video", "audio")),
        "pictures and sound go on",
    )

    await grace.page.get_by_role("button", name="Stop").click()
    await eventually(
        lambda: ada.sdk("meeting.participants.joined.get(argument) !== undefined", grace.peer_id),
        lambda there: not there,
        "Grace is gone",
    )


@pytest.mark.shows("Chromium", "WHIP", "ICE restart")
async def test_a_publishing_page_restarts_ice_and_its_picture_goes_on(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.invite(GRACE)
    locations: list[str] = []

    def note(response: Response) -> None:
        if response.request.method == "POST" and "location" in response.headers:
            locations.append(response.headers["location"])

    grace.page.on("response", note)
    await open_example(grace, "whip.html", f"/v2/whip/{cast.meeting_id}")
    grace.peer_id = await peer_of(ada, "Grace")
    await ada.sees(grace)
    ufrag = "window.connections[0].currentRemoteDescription.sdp.match(/ice-ufrag:(.*)/)[1]"
    before = await grace.page.evaluate(ufrag)
    await grace.page.evaluate(
        "([session, token]) => restart(window.connections[0], session, { Authorization: `Bearer ${token}` })",
        [grace.base_url + locations[0], grace.token],
    )
    assert await grace.page.evaluate(ufrag) != before
    await eventually(
        lambda: grace.page.evaluate("window.connections[0].iceConnectionState"),
        lambda state: state in ("connected", "completed"),
        "the connection over the new credentials",
    )
    await ada.sees_moving(grace)


async def test_an_example_that_is_refused_says_why(cast: Cast) -> None:
    linus = await cast.invite(LINUS, "webinar_viewer")
    linus.tolerate("403")
    await open_example(linus, "whip.html", f"/v2/whip/{cast.meeting_id}")
    await eventually(
        lambda: linus.page.get_by_role("status").inner_text(),
        lambda text: "may not publish" in text,
        "the reason on the page",
    )
