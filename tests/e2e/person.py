"""One person at the meeting page: what they do, and what they see and hear.

The page is driven as people do (buttons by their `data-testid`); what cannot be seen from outside is asked of
the SDK object that the page puts on `window.rostrum`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import ConsoleMessage, Locator, Page

from tests.e2e.eventually import PATIENCE, eventually
from tests.e2e.pictures import Glimpse, Look, Rgb

Json = dict[str, Any]

SAMPLE_WIDTH, SAMPLE_HEIGHT = 64, 36

_PIXELS = """
([selector, width, height]) => {
  const video = document.querySelector(selector);
  if (video === null || video.videoWidth === 0 || video.readyState < 2) return null;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(video, 0, 0, width, height);
  return Array.from(context.getImageData(0, 0, width, height).data);
}
"""

_REPORTS = """
async (side) => {
  const pc = window.rostrum?.[side]?.peerConnection;
  return pc ? [...(await pc.getStats()).values()] : [];
}
"""

_PITCH = """
async (peerId) => {
  const track = window.rostrum.participants.joined.get(peerId)?.audioTrack;
  if (!track) return null;
  const context = (window.listening ??= new AudioContext());
  await context.resume();
  const analyser = new AnalyserNode(context, { fftSize: 8192 });
  const source = context.createMediaStreamSource(new MediaStream([track]));
  source.connect(analyser);
  await new Promise((resolve) => setTimeout(resolve, 400));
  const levels = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(levels);
  source.disconnect();
  const loudest = levels.indexOf(Math.max(...levels));
  return levels[loudest] < -70 ? null : (loudest * context.sampleRate) / analyser.fftSize;
}
"""

WATCH_POLICY = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass(slots=True)
class Person:
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
        """From the preview into the room."""
        await self.open()
        await self.get("join-button").click()
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

    async def sdk(self, expression: str, argument: object = None) -> Any:
        """The value of an expression over `meeting` and `argument`; it may wait."""
        return await self.page.evaluate(
            f"async (argument) => {{ const meeting = window.rostrum; return ({expression}); }}", argument
        )

    async def sdk_error(self, expression: str) -> Json:
        """The error that an SDK call ends with."""
        error: Json | None = await self.page.evaluate(
            f"""async () => {{ const meeting = window.rostrum; try {{ await ({expression}); return null; }}
            catch (error) {{ return {{ name: error.name, code: error.code, message: error.message }}; }} }}"""
        )
        assert error is not None, f"{expression} was not refused"
        return error

    # --- seeing --------------------------------------------------------------------------------------

    def tile_of(self, other: Person) -> Locator:
        return self.page.locator(tile_selector(other))

    def row_of(self, other: Person) -> Locator:
        return self.page.locator(f'[data-peer-id="{other.peer_id}"].person-row')

    async def glimpse(self, selector: str) -> Glimpse | None:
        pixels = await self.page.evaluate(_PIXELS, [selector, SAMPLE_WIDTH, SAMPLE_HEIGHT])
        return None if pixels is None else Glimpse.from_pixels(pixels, SAMPLE_WIDTH, SAMPLE_HEIGHT)

    async def sees(self, other: Person, *, timeout: float = PATIENCE) -> None:
        """Until the tile of `other` shows their colour."""
        await self.sees_colour(f"{tile_selector(other)} video", other.look.rgb, timeout=timeout)

    async def sees_colour(self, selector: str, rgb: Rgb, *, timeout: float = PATIENCE) -> None:
        await eventually(
            lambda: self.glimpse(selector),
            lambda glimpse: glimpse is not None and glimpse.shows(rgb),
            f"{self.look.name} sees {rgb} in {selector}",
            timeout=timeout,
        )

    async def sees_moving(self, other: Person) -> None:
        """Until the bar of `other` has been at three places."""
        places: set[float] = set()

        async def look() -> int:
            glimpse = await self.glimpse(f"{tile_selector(other)} video")
            if glimpse is not None and glimpse.bar is not None and glimpse.shows(other.look.rgb):
                places.add(round(glimpse.bar, 1))
            return len(places)

        await eventually(look, lambda count: count >= 3, f"{self.look.name} sees {other.look.name} move")

    async def pitch_of(self, other: Person) -> float | None:
        """The loudest frequency of what is heard of somebody, in Hz; None for silence."""
        pitch: float | None = await self.page.evaluate(_PITCH, other.peer_id)
        return pitch

    # --- measuring -----------------------------------------------------------------------------------

    async def reports(self, side: str, kind: str) -> list[Json]:
        """Of `getStats()` of the "publisher" or "subscriber" connection."""
        return [one for one in await self.page.evaluate(_REPORTS, side) if one["type"] == kind]

    async def received(self, other: Person, source: str) -> Json:
        """The `inbound-rtp` report of somebody's source; {} while there is none."""
        track_id = await self.sdk(
            "meeting.participants.joined.get(argument[0])?.publicationOf(argument[1])?.track?.id ?? null",
            [other.peer_id, source],
        )
        reports = await self.reports("subscriber", "inbound-rtp")
        return next((one for one in reports if one.get("trackIdentifier") == track_id), {})

    async def frames_of(self, other: Person, source: str = "camera") -> int:
        return int((await self.received(other, source)).get("framesDecoded", 0))

    async def sees_more_frames(self, other: Person, more: int = 10, *, timeout: float = PATIENCE) -> None:
        before = await self.frames_of(other)
        await eventually(
            lambda: self.frames_of(other),
            lambda now: now >= before + more,
            f"{self.look.name} decodes {more} more frames of {other.look.name}",
            timeout=timeout,
        )

    def _hear_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text}")


def tile_selector(person: Person) -> str:
    return f'[data-testid="tile"][data-peer-id="{person.peer_id}"]'
