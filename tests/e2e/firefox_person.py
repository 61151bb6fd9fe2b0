"""One person at the meeting page with Firefox.

Its fake camera changes colour all the time, so the page is given a picture instead that says whose it is: the
same as in `pictures.py`. The camera is asked for all the same, with the constraints that the page has. Its
fake microphone hums one note, which is a preference of the browser: all with Firefox have the voice `VOICE`.

Without a sound card Firefox starts no AudioContext, so what it hears is told by `getStats()`: that there is
sound, not of which pitch.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tests.e2e.eventually import PATIENCE, eventually
from tests.e2e.person import WATCH_POLICY
from tests.e2e.pictures import BAR_WIDTH, FRAME_RATE, GRACE, HEIGHT, WIDTH, Look
from tests.e2e.witness import Witness, tile_selector
from tests.support.firefox import Tab

VOICE = GRACE
"""Whose pitch the microphone hums."""

_LOOK = """
const look = %s;
// Not on the empty page that a tab opens with.
if (navigator.mediaDevices === undefined) return;
const asked = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
const picture = () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: look.width, height: look.height });
  const context = canvas.getContext("2d");
  let number = 0;
  const timer = setInterval(() => {
    context.fillStyle = look.colour;
    context.fillRect(0, 0, look.width, look.height);
    context.fillStyle = "white";
    number = (number + 1) %% 30;
    context.fillRect(number * (look.width - look.bar) / 29, look.height / 2, look.bar, look.height / 2);
  }, 1000 / look.frameRate);
  const [track] = canvas.captureStream(look.frameRate).getVideoTracks();
  const stop = track.stop.bind(track);
  track.stop = () => { clearInterval(timer); stop(); };
  return track;
};
navigator.mediaDevices.getUserMedia = async (constraints) => {
  const real = await asked(constraints);
  for (const track of real.getVideoTracks()) {
    track.stop();
    real.removeTrack(track);
    real.addTrack(picture());
  }
  return real;
};
"""


class FirefoxPerson(Witness):
    """`problems` are the console's errors and warnings."""

    def __init__(self, look: Look, tab: Tab, base_url: str, token: str) -> None:
        self.look = look
        self.peer_id = ""
        self.problems: list[str] = []
        self.tab = tab
        self.base_url = base_url
        self.token = token
        self._tolerated: list[str] = []
        tab.on_console = self._hear

    async def evaluate(self, function: str, argument: object = None) -> Any:
        return await self.tab.evaluate(function, argument)

    def tolerate(self, pattern: str) -> None:
        """Problems that match are part of what the test does."""
        self._tolerated.append(pattern)

    def unexpected_problems(self) -> list[str]:
        return [one for one in self.problems if not any(re.search(known, one) for known in self._tolerated)]

    async def open(self, url: str | None = None) -> None:
        """The preview, unless it is another page."""
        look = {
            "colour": f"rgb{self.look.rgb}",
            "width": WIDTH,
            "height": HEIGHT,
            "bar": BAR_WIDTH,
            "frameRate": FRAME_RATE,
        }
        await self.tab.add_init_script(WATCH_POLICY + _LOOK % json.dumps(look))
        await self.tab.goto(url or f"{self.base_url}/meet/#token={self.token}")

    async def join(self) -> None:
        """From the preview into the room."""
        await self.open()
        await self.click("join-button")
        await self.see('[data-testid="room"]')
        self.peer_id = await self.sdk("meeting.self.id")

    async def click(self, test_id: str) -> None:
        selector = f'[data-testid="{test_id}"]'
        await eventually(lambda: self.tab.click(selector), bool, f"{test_id} can be clicked")

    async def see(self, selector: str, *, there: bool = True) -> None:
        """Until something matches, or nothing any more."""
        await eventually(
            lambda: self.evaluate("(selector) => document.querySelector(selector) !== null", selector),
            lambda found: found is there,
            f"{self.look.name} sees {selector}: {there}",
            timeout=PATIENCE,
        )

    async def see_tile(self, other: Witness, attribute: str, value: str) -> None:
        await self.see(f'{tile_selector(other)}[{attribute}="{value}"]')

    async def hears(self, other: Witness) -> None:
        """Until sound of `other` arrives that is no silence."""
        before = await self._energy(other)
        await eventually(
            lambda: self._energy(other),
            lambda now: now > before + 0.001,
            f"{self.look.name} hears something of {other.look.name}",
        )

    async def _energy(self, other: Witness) -> float:
        return float((await self.received(other, "microphone")).get("totalAudioEnergy", 0.0))

    def _hear(self, level: str, text: str) -> None:
        if level in ("error", "warn"):
            self.problems.append(f"{level}: {text}")
