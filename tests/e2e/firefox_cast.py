"""A meeting for Firefox and Chromium, each in the network of its own that Firefox needs.

Firefox gathers no candidates on loopback, so the server and the browsers stand at two ends of a cable, as in
`test_network.py`; the page's address counts as secure by a setting of each browser.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from sfu.bot import Organization
from tests.e2e.browsers import Browsers, find_chromium
from tests.e2e.cast import MEMBER, Cast
from tests.e2e.firefox_person import VOICE, FirefoxPerson
from tests.e2e.person import Person
from tests.e2e.pictures import Look
from tests.support import coturn, netns
from tests.support.firefox import NAMES, Firefox, find_firefox, running_firefox
from tests.support.server import Server, running_server
from tests.support.turn_world import TURN_V4, configuration

NODE = netns.SERVER_V4[0]
MISSING = (
    f"none of {', '.join(NAMES)} is on the PATH; `make firefox` on Debian"
    if find_firefox() is None
    else netns.why_not()
)
needs_firefox = pytest.mark.skipif(MISSING is not None, reason=f"Firefox: {MISSING}")

PREFERENCES = {"dom.securecontext.allowlist": NODE, "media.navigator.audio.fake_frequency": VOICE.hertz}


@dataclass(slots=True)
class Theatre:
    """The networks, the server, the browsers: for a module of tests."""

    networks: netns.Networks
    server: Server
    url: str
    browsers: Browsers
    firefox: Firefox


@asynccontextmanager
async def theatre(page: Path, directory: Path) -> AsyncIterator[Theatre]:
    """With a relay, where there is a coturn."""
    chromium, firefox = find_chromium(), find_firefox()
    assert chromium is not None, "no Chromium"
    assert firefox is not None, "no Firefox"
    async with AsyncExitStack() as stack:
        networks = stack.enter_context(netns.networks())
        stack.enter_context(netns.inside(networks.server))
        arguments = ["--host", f"127.0.0.1,{NODE}", "--announce", NODE, "--web-dir", str(page)]
        if coturn.why_not() is None:
            relay = coturn.running_coturn(directory / "turn", configuration(), listen=(TURN_V4,))
            stack.enter_context(relay)
            arguments += ["--turn-url", f"turn:{TURN_V4}", "--turn-secret", coturn.SECRET]
        server = await stack.enter_async_context(running_server(directory / "server", arguments=arguments))
        url = server.base_url.replace("127.0.0.1", NODE)
        with netns.inside(networks.client):
            playwright = await stack.enter_async_context(async_playwright())
            flags = (f"--unsafely-treat-insecure-origin-as-secure={url}",)
            browsers = Browsers(playwright, chromium, directory, flags=flags)
            stack.push_async_callback(browsers.close)
            fox = await stack.enter_async_context(
                running_firefox(firefox, directory / "firefox", **PREFERENCES)
            )
        yield Theatre(networks, server, url, browsers, fox)


@dataclass(slots=True)
class MixedCast:
    """One meeting. At its end no page may have complained of anything unexpected."""

    theatre: Theatre
    cast: Cast
    foxes: list[FirefoxPerson] = field(default_factory=list)

    async def chromium(self, look: Look, preset: str = MEMBER, *, script: str = "", link: str = "") -> Person:
        """Somebody with Chromium, in the meeting: `script` runs first, `link` goes after the token."""
        with netns.inside(self.theatre.networks.client):
            await self.theatre.browsers.of(look)
        person = await self.cast.invite(look, preset, base_url=self.theatre.url)
        person.token += link
        if script:
            await person.page.add_init_script(script)
        await person.join()
        return person

    async def invite_firefox(self, look: Look, preset: str = MEMBER) -> FirefoxPerson:
        """Somebody with Firefox who has not opened the page."""
        token = await self.cast.organization.create_participant(self.cast.meeting_id, look.name, preset)
        fox = FirefoxPerson(look, await self.theatre.firefox.open_tab(), self.theatre.url, token)
        self.foxes.append(fox)
        return fox

    async def firefox(
        self, look: Look, preset: str = MEMBER, *, script: str = "", link: str = ""
    ) -> FirefoxPerson:
        """Somebody with Firefox, in the meeting: `script` runs first, `link` goes after the token."""
        fox = await self.invite_firefox(look, preset)
        fox.token += link
        if script:
            await fox.tab.add_init_script(script)
        await fox.join()
        return fox


@asynccontextmanager
async def mixed_cast(theatre: Theatre) -> AsyncIterator[MixedCast]:
    async with Organization(theatre.server.credentials) as organization:
        meeting_id = await organization.create_meeting("Of two browsers")
        cast = Cast(theatre.server, theatre.browsers, organization, meeting_id)
        mixed = MixedCast(theatre, cast)
        try:
            yield mixed
            everybody = [*cast.people, *mixed.foxes]
            problems = {one.look.name: one.unexpected_problems() for one in everybody}
        finally:
            await cast.close()
            for fox in mixed.foxes:
                await fox.tab.close()
    assert not any(problems.values()), f"the pages complained: {problems}"
