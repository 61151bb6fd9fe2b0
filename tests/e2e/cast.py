"""A meeting on a real server, and people who come into it with their browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sfu.bot import Organization
from signaling.domain.default_presets import DEFAULT_PRESETS
from signaling.domain.preset import merged
from tests.e2e import aftermath
from tests.e2e.browsers import Browsers
from tests.e2e.person import WATCH_POLICY, Json, Person
from tests.e2e.pictures import Look
from tests.support.server import Server

MEMBER = "group_call_participant"
WINDOW = {"width": 960, "height": 600}
"""Small, as it is drawn without a GPU; large enough for the layout of a desktop."""


@dataclass(slots=True)
class Cast:
    """One meeting. Everybody who came is sent home at its end."""

    server: Server
    browsers: Browsers
    organization: Organization
    meeting_id: str
    people: list[Person] = field(default_factory=list)
    presets: dict[str, str] = field(default_factory=dict)
    """Ids of the presets made here, by name."""

    async def invite(
        self, look: Look, preset: str = MEMBER, *, base_url: str | None = None, **context: Any
    ) -> Person:
        """Somebody with an invitation and a browser, who has not opened it yet."""
        token = await self.organization.create_participant(self.meeting_id, look.name, preset)
        browser = await self.browsers.of(look)
        context.setdefault("viewport", WINDOW)
        opened = await browser.new_context(permissions=["camera", "microphone"], **context)
        await opened.add_init_script(WATCH_POLICY)
        person = Person(look, await opened.new_page(), base_url or self.server.base_url, token)
        self.people.append(person)
        return person

    async def enter(self, look: Look, preset: str = MEMBER, **context: Any) -> Person:
        """Somebody who is in the meeting."""
        person = await self.invite(look, preset, **context)
        await person.join()
        return person

    async def make_preset(
        self, name: str, base: str, permissions: Json | None = None, config: Json | None = None
    ) -> str:
        """A preset like one of the default ones but for some of it; gives its name."""
        known = next(preset for preset in DEFAULT_PRESETS if preset.name == base)
        preset = merged(known, {"name": name, "permissions": permissions or {}, "config": config or {}})
        made = await self.organization.call("POST", "/v2/presets", preset.to_dict())
        self.presets[name] = str(made["id"])
        return name

    async def change_preset(self, name: str, permissions: Json) -> None:
        """Of a preset made here."""
        await self.organization.call(
            "PATCH", f"/v2/presets/{self.presets[name]}", {"permissions": permissions}
        )

    async def tell(self, name: str) -> None:
        """What there is to see and hear, of a test that failed."""
        await aftermath.write(name, self.people, self.server)

    async def close(self) -> None:
        for person in self.people:
            await person.page.context.close()


@asynccontextmanager
async def playing(server: Server, browsers: Browsers, title: str) -> AsyncIterator[Cast]:
    """A meeting of its own on a server that a test has for itself."""
    async with Organization(server.credentials) as organization:
        cast = Cast(server, browsers, organization, await organization.create_meeting(title))
        try:
            yield cast
        except BaseException:
            await cast.tell(title)
            raise
        finally:
            await cast.close()
