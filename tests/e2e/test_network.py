"""Chromium in a network of its own: nothing but a relay, no UDP, no UDP any more, a new address.

Browsers run in one network namespace, the server and coturn in another, with a cable in between that is not
loopback to anybody. Each test has its own networks, server and browsers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from sfu.bot import Organization
from tests.e2e import aftermath
from tests.e2e.browsers import Browsers, find_chromium
from tests.e2e.cast import Cast
from tests.e2e.eventually import PATIENCE, eventually
from tests.e2e.person import Json, Person
from tests.e2e.pictures import ADA, GRACE, Look
from tests.support import coturn, netns
from tests.support.server import running_server
from tests.support.turn_certificate import write_certificate
from tests.support.turn_world import NODE_V4, TURN_V4, TURN_V6, TURNS_URL, configuration, needs_turn

pytestmark = needs_turn
SIDES = ("publisher", "subscriber")
RELAYED = ("tcp", "tls")
"""How a relay is spoken to over TCP."""


@dataclass(slots=True)
class Network:
    """A meeting on one side of the cable, and browsers on the other."""

    networks: netns.Networks
    cast: Cast
    url: str

    async def enter(self, look: Look, *, relay: str = "") -> Person:
        """Through nothing but a relay that is spoken to by "turn:" or by "turns:", where that is given."""
        person = await self.cast.invite(look, base_url=self.url)
        if relay:
            person.token += "&relay=1"
            await person.page.add_init_script(_ONLY_RELAYS.replace("SCHEME", relay))
        await person.join()
        return person


@pytest_asyncio.fixture(loop_scope="session")
async def network(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Network]:
    executable = find_chromium()
    assert executable is not None, "no Chromium"
    async with AsyncExitStack() as stack:
        networks = stack.enter_context(netns.networks())
        stack.enter_context(netns.inside(networks.server))
        certificate = write_certificate(tmp_path, TURN_V4)
        turn_settings = configuration(certificate=certificate)
        stack.enter_context(
            coturn.running_coturn(tmp_path / "turn", turn_settings, listen=(TURN_V4, TURN_V6))
        )
        arguments = ("--host", f"127.0.0.1,{NODE_V4}", "--announce", NODE_V4, "--web-dir", str(page))
        turn = ("--turn-url", f"turn:{TURN_V4}", "--turn-url", TURNS_URL, "--turn-secret", coturn.SECRET)
        server = await stack.enter_async_context(
            running_server(tmp_path / "server", arguments=(*arguments, *turn))
        )
        url = server.base_url.replace("127.0.0.1", NODE_V4)
        # The camera is only for pages from a secure origin, which an address of a test network is not.
        flags = (
            f"--unsafely-treat-insecure-origin-as-secure={url}",
            f"--ignore-certificate-errors-spki-list={certificate.fingerprint}",
        )
        with netns.inside(networks.client):
            playwright = await stack.enter_async_context(async_playwright())
            browsers = Browsers(playwright, executable, tmp_path, flags=flags)
            await browsers.of(ADA)
            await browsers.of(GRACE)
        stack.push_async_callback(browsers.close)
        organization = await stack.enter_async_context(Organization(server.credentials))
        cast = Cast(server, browsers, organization, await organization.create_meeting("Behind a cable"))
        stack.push_async_callback(cast.close)
        yield Network(networks, cast, url)
        if aftermath.failed(request.node):
            await cast.tell(request.node.name)


async def path_of(person: Person, side: str) -> Json:
    """The local candidate that a connection sends with; {} while there is none."""
    reports = {
        kind: await person.reports(side, kind) for kind in ("transport", "candidate-pair", "local-candidate")
    }
    chosen = next((one.get("selectedCandidatePairId") for one in reports["transport"]), None)
    pair = next((one for one in reports["candidate-pair"] if one["id"] == chosen), {})
    return next((one for one in reports["local-candidate"] if one["id"] == pair.get("localCandidateId")), {})


async def goes_by(person: Person, key: str, value: str, *, timeout: float = PATIENCE) -> None:
    for side in SIDES:
        await eventually(
            lambda side=side: path_of(person, side),
            lambda candidate: candidate.get(key) == value,
            f"{person.look.name}'s {side} goes by {key} {value}",
            timeout=timeout,
        )


async def goes_over_tcp(person: Person, *, timeout: float) -> None:
    """To the server itself or to its relay: the browser has both, and takes what answers it."""
    for side in SIDES:
        await eventually(
            lambda side=side: path_of(person, side),
            lambda candidate: candidate.get("protocol") == "tcp" or candidate.get("relayProtocol") in RELAYED,
            f"{person.look.name}'s {side} goes over TCP",
            timeout=timeout,
        )


@pytest.mark.shows("Chromium", "relay")
async def test_browsers_that_may_use_nothing_but_the_relay_meet_over_udp_and_over_tls(
    network: Network,
) -> None:
    ada = await network.enter(ADA, relay="turn:")
    grace = await network.enter(GRACE, relay="turns:")
    await ada.sees(grace)
    await grace.sees(ada)
    await grace.sees_moving(ada)
    for person, protocol in ((ada, "udp"), (grace, "tls")):
        await goes_by(person, "candidateType", "relay")
        await goes_by(person, "relayProtocol", protocol)


@pytest.mark.shows("Chromium", "ICE-TCP")
async def test_browsers_without_udp_meet_over_tcp(network: Network) -> None:
    network.networks.set_udp_blocked(blocked=True)
    ada, grace = await network.enter(ADA), await network.enter(GRACE)
    await ada.sees(grace, timeout=30)
    await grace.sees(ada, timeout=30)
    await grace.sees_moving(ada)
    for person in (ada, grace):
        await goes_by(person, "protocol", "tcp")


async def test_when_udp_is_blocked_in_the_middle_of_a_call_it_goes_on_over_tcp(network: Network) -> None:
    ada, grace = await network.enter(ADA), await network.enter(GRACE)
    await ada.sees(grace)
    await grace.sees(ada)
    await goes_by(ada, "protocol", "udp")
    handshakes = await handshakes_of(ada)

    network.networks.set_udp_blocked(blocked=True)
    for person in (ada, grace):
        await goes_over_tcp(person, timeout=30)
    await ada.sees_more_frames(grace, 15, timeout=30)
    await grace.sees_more_frames(ada, 15, timeout=30)
    assert await handshakes_of(ada) == handshakes, "the DTLS association is the same"


async def test_a_browser_whose_address_changes_goes_on_from_the_new_one(
    network: Network, record_property: Callable[[str, object], None]
) -> None:
    ada, grace = await network.enter(ADA), await network.enter(GRACE)
    for person in (ada, grace):
        person.tolerate("WebSocket|ERR_|Failed to load")
    await ada.sees(grace)
    await grace.sees(ada)
    handshakes = await handshakes_of(ada)
    await ada.page.evaluate(_WATCH_PICTURE, grace.peer_id)

    network.networks.move_client(netns.CLIENT_V4, netns.OTHER_CLIENT_V4)
    # The browser takes some seconds to notice; the page, which sends and hears nothing, less than one.
    await ada.sees_more_frames(grace, 15, timeout=40)
    await grace.sees_more_frames(ada, 15, timeout=40)
    record_property("longest_gap_ms", await ada.page.evaluate("window.longestGap"))
    await goes_by(ada, "address", netns.OTHER_CLIENT_V4)
    assert await handshakes_of(ada) == handshakes, "the DTLS association is the same"
    assert await ada.sdk("meeting.self.id") == ada.peer_id, "the same peer"


async def handshakes_of(person: Person) -> list[str]:
    """What a new DTLS association would change: the certificate of this end is made with the connection."""
    found = []
    for side in SIDES:
        found += [str(one.get("localCertificateId")) for one in await person.reports(side, "transport")]
    return found


_ONLY_RELAYS = """
const { RTCPeerConnection: Usual } = window;
window.RTCPeerConnection = class extends Usual {
  constructor({ iceServers = [], ...rest } = {}) {
    const urlsOf = ({ urls }) => [urls].flat().filter((url) => url.startsWith("SCHEME"));
    const only = iceServers.map((server) => ({ ...server, urls: urlsOf(server) }));
    super({ ...rest, iceServers: only.filter(({ urls }) => urls.length > 0) });
  }
};
"""

_WATCH_PICTURE = """
(peerId) => {
  const video = document.querySelector(`[data-testid="tile"][data-peer-id="${peerId}"] video`);
  let last = performance.now();
  window.longestGap = 0;
  const step = () => {
    window.longestGap = Math.max(window.longestGap, Math.round(performance.now() - last));
    last = performance.now();
    video.requestVideoFrameCallback(step);
  };
  video.requestVideoFrameCallback(step);
}
"""
