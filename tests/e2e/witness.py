"""What somebody at the meeting page sees and hears of the others, whichever browser they sit at.

A `Witness` asks its page by running scripts in it: for pixels, for pitches, for `getStats()`, and for what
the SDK object that the page puts on `window.rostrum` knows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

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


class Witness(ABC):
    """Somebody in a meeting; `peer_id` is empty before they joined."""

    __slots__ = ()

    look: Look
    peer_id: str

    @abstractmethod
    async def evaluate(self, function: str, argument: object = None) -> Any:
        """What a function gives in the page."""

    async def sdk(self, expression: str, argument: object = None) -> Any:
        """The value of an expression over `meeting` and `argument`; it may wait."""
        return await self.evaluate(
            f"async (argument) => {{ const meeting = window.rostrum; return ({expression}); }}", argument
        )

    async def sdk_error(self, expression: str) -> Json:
        """The error that an SDK call ends with."""
        error: Json | None = await self.evaluate(
            f"""async () => {{ const meeting = window.rostrum; try {{ await ({expression}); return null; }}
            catch (error) {{ return {{ name: error.name, code: error.code, message: error.message }}; }} }}"""
        )
        assert error is not None, f"{expression} was not refused"
        return error

    # --- seeing and hearing ----------------------------------------------------------------------------

    async def glimpse(self, selector: str) -> Glimpse | None:
        pixels = await self.evaluate(_PIXELS, [selector, SAMPLE_WIDTH, SAMPLE_HEIGHT])
        return None if pixels is None else Glimpse.from_pixels(pixels, SAMPLE_WIDTH, SAMPLE_HEIGHT)

    async def sees(self, other: Witness, *, timeout: float = PATIENCE) -> None:
        """Until the tile of `other` shows their colour."""
        await self.sees_colour(f"{tile_selector(other)} video", other.look.rgb, timeout=timeout)

    async def sees_colour(self, selector: str, rgb: Rgb, *, timeout: float = PATIENCE) -> None:
        await eventually(
            lambda: self.glimpse(selector),
            lambda glimpse: glimpse is not None and glimpse.shows(rgb),
            f"{self.look.name} sees {rgb} in {selector}",
            timeout=timeout,
        )

    async def sees_moving(self, other: Witness) -> None:
        """Until the bar of `other` has been at three places."""
        places: set[float] = set()

        async def look() -> int:
            glimpse = await self.glimpse(f"{tile_selector(other)} video")
            if glimpse is not None and glimpse.bar is not None and glimpse.shows(other.look.rgb):
                places.add(round(glimpse.bar, 1))
            return len(places)

        await eventually(look, lambda count: count >= 3, f"{self.look.name} sees {other.look.name} move")

    async def pitch_of(self, other: Witness) -> float | None:
        """The loudest frequency of what is heard of somebody, in Hz; None for silence."""
        pitch: float | None = await self.evaluate(_PITCH, other.peer_id)
        return pitch

    # --- measuring -----------------------------------------------------------------------------------

    async def reports(self, side: str, kind: str) -> list[Json]:
        """Of `getStats()` of the "publisher" or "subscriber" connection."""
        return [one for one in await self.evaluate(_REPORTS, side) if one["type"] == kind]

    async def received(self, other: Witness, source: str) -> Json:
        """The `inbound-rtp` report of somebody's source; {} while there is none."""
        track_id = await self.sdk(
            "meeting.participants.joined.get(argument[0])?.publicationOf(argument[1])?.track?.id ?? null",
            [other.peer_id, source],
        )
        reports = await self.reports("subscriber", "inbound-rtp")
        return next((one for one in reports if one.get("trackIdentifier") == track_id), {})

    async def frames_of(self, other: Witness, source: str = "camera") -> int:
        return int((await self.received(other, source)).get("framesDecoded", 0))

    async def sees_more_frames(self, other: Witness, more: int = 10, *, timeout: float = PATIENCE) -> None:
        before = await self.frames_of(other)
        await eventually(
            lambda: self.frames_of(other),
            lambda now: now >= before + more,
            f"{self.look.name} decodes {more} more frames of {other.look.name}",
            timeout=timeout,
        )


def tile_selector(person: Witness) -> str:
    return f'[data-testid="tile"][data-peer-id="{person.peer_id}"]'
