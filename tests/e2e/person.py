"""One person at the meeting page, with Chromium: what they do. What they see and hear is `witness.py`.

The page is driven as people do (buttons by their `data-testid`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import ConsoleMessage, Locator, Page

from tests.e2e.eventually import PATIENCE
from tests.e2e.pictures import Look
from tests.e2e.witness import Json, Witness, tile_selector

__all__ = ["Json", "Person", "tile_selector"]

WATCH_POLICY = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass(slots=True)
class Person(Witness):
    """`problems` are the console's errors and warnings, and what nobody caught."""

    look: Look
    page: Page
    base_url: str
    token: str
    problems: list[str] = field(default_factory=list)
    peer_id: str = ""
    _tolerated: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self._hear_console(message))
        self.page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))

    def tolerate(self, pattern: str) -> None:
        """Problems that match are part of what the test does."""
        self._tolerated.append(pattern)

    def unexpected_problems(self) -> list[str]:
        return [one for one in self.problems if not any(re.search(known, one) for known in self._tolerated)]

    # --- doing ---------------------------------------------------------------------------------------

    async def open(self) -> None:
        await self.page.goto(f"{self.base_url}/meet/#token={self.token}")

    async def join(self) -> None:
        """By the link into the room."""
        await self.open()
        await self.go_in()

    async def go_in(self) -> None:
        """From the preview into the room."""
        await self.click("join-button")
        await self.see("room")
        self.peer_id = await self.sdk("meeting.self.id")

    def get(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)

    async def click(self, test_id: str, *, of: Person | None = None) -> None:
        """A button, of the row of somebody in the participants panel where `of` says so."""
        where = self.get(test_id)
        if of is not None:
            # What a host may do comes into view with the pointer.
            await self.row_of(of).hover(timeout=PATIENCE * 1000)
            where = self.row_of(of).get_by_test_id(test_id)
        await where.click(timeout=PATIENCE * 1000)

    async def see(self, test_id: str) -> None:
        await self.get(test_id).first.wait_for(timeout=PATIENCE * 1000)

    async def see_no(self, test_id: str) -> None:
        await self.get(test_id).first.wait_for(state="detached", timeout=PATIENCE * 1000)

    async def is_told(self, text: str) -> None:
        """Until a notice says so."""
        await self.get("toast").filter(has_text=text).first.wait_for(timeout=PATIENCE * 1000)

    # --- the page ------------------------------------------------------------------------------------

    async def evaluate(self, function: str, argument: object = None) -> Any:
        return await self.page.evaluate(function, argument)

    def tile_of(self, other: Witness) -> Locator:
        return self.page.locator(tile_selector(other))

    def row_of(self, other: Witness) -> Locator:
        return self.page.locator(f'[data-peer-id="{other.peer_id}"].person-row')

    def _hear_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text}")
