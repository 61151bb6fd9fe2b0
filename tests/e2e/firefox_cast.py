"""A meeting for Firefox and Chromium, each in the network of its own that Firefox needs.

Firefox gathers no candidates on loopback, so the server and the browsers stand at two ends of a cable, as in
`test_network.py`; the page's address counts as secure by a setting of each browser.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from sfu.bot import Organization
from tests.e2e.browsers import Browsers
from tests.e2e.cast import MEMBER, Cast
from tests.e2e.firefox_person import VOICE, FirefoxPerson
from tests.e2e.person import Person
from tests.e2e.pictures import Look
from tests.support import netns
from tests.support.firefox import Firefox, running_firefox
from tests.support.server import Server, running_server

NODE = netns.SERVER_V4[0]
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
async def theatre(page: Path, directory: Path, *, chromium: str, firefox: str) -> AsyncIterator[Theatre]:
    async with AsyncExitStack() as stack:
        networks = stack.enter_context(netns.networks())
        stack.enter_context(netns.inside(networks.server))
        arguments = ("--host", f"127.0.0.1,{NODE}", "--announce", NODE, "--web-dir", str(page))
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

    async def chromium(self, look: Look, preset: str = MEMBER) -> Person:
        """Somebody with Chromium, in the meeting."""
        with netns.inside(self.theatre.networks.client):
            await self.theatre.browsers.of(look)
        person = await self.cast.invite(look, preset, base_url=self.theatre.url)
        await person.join()
        return person

    async def invite_firefox(self, look: Look, preset: str = MEMBER, **options: Any) -> FirefoxPerson:
        """Somebody with Firefox who has not opened the page; `options` go to it with the invitation."""
        token = await self.cast.organization.create_participant(self.cast.meeting_id, look.name, preset)
        token += "".join(f"&{name}={value}" for name, value in options.items())
        fox = FirefoxPerson(look, await self.theatre.firefox.open_tab(), self.theatre.url, token)
        self.foxes.append(fox)
        return fox

    async def firefox(self, look: Look, preset: str = MEMBER, **options: Any) -> FirefoxPerson:
        """Somebody with Firefox, in the meeting."""
        fox = await self.invite_firefox(look, preset, **options)
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
