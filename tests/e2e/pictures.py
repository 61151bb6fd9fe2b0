"""What each person of the tests looks and sounds like, as files that Chromium plays as camera and microphone.

A picture is one colour with a white bar on its lower half that wanders to the right: the colour says whose it
is, the bar whether it moves. A voice is a tone of the person's own pitch, in pulses, because a steady one
is taken for noise by the browser and removed.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT, FRAME_RATE = 640, 360, 15
FRAMES = 30
BAR_WIDTH = 40
VOICE_RATE = 48_000

Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """A person: name, colour, pitch in Hz."""

    name: str
    rgb: Rgb
    hertz: int


ADA = Look("Ada", (200, 40, 40), 500)
GRACE = Look("Grace", (40, 60, 200), 900)
LINUS = Look("Linus", (40, 160, 50), 1500)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What a <video> shows: the mean colour of its upper part, and where the bar is, 0 (left) to 1."""

    rgb: Rgb
    bar: float | None

    @classmethod
    def from_pixels(cls, pixels: list[int], width: int, height: int) -> Glimpse:
        """From RGBA bytes, row by row."""
        picture = np.array(pixels, dtype=np.float64).reshape(height, width, 4)[:, :, :3]
        red, green, blue = picture[: height // 3].mean(axis=(0, 1))
        brightness = picture[height * 5 // 8 : height * 7 // 8].min(axis=2).mean(axis=0)
        bright = np.flatnonzero(brightness > 150)
        bar = float(bright.mean() / width) if bright.size else None
        return cls((round(red), round(green), round(blue)), bar)

    def shows(self, rgb: Rgb, tolerance: int = 45) -> bool:
        return all(abs(seen - wanted) <= tolerance for seen, wanted in zip(self.rgb, rgb, strict=True))


def write_camera(path: Path, look: Look) -> None:
    """Two seconds of Y4M that repeat without a seam."""
    luma, blue, red = _to_yuv(look.rgb)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FRAME_RATE}:1 Ip A1:1 C420mpeg2\n".encode())
        for number in range(FRAMES):
            plane = np.full((HEIGHT, WIDTH), luma, dtype=np.uint8)
            chroma = np.empty((2, HEIGHT // 2, WIDTH // 2), dtype=np.uint8)
            chroma[0], chroma[1] = blue, red
            left = number * (WIDTH - BAR_WIDTH) // (FRAMES - 1) // 2 * 2
            plane[HEIGHT // 2 :, left : left + BAR_WIDTH] = 235
            chroma[:, HEIGHT // 4 :, left // 2 : (left + BAR_WIDTH) // 2] = 128
            file.write(b"FRAME\n" + plane.tobytes() + chroma.tobytes())


def write_voice(path: Path, look: Look) -> None:
    """Three seconds: a quarter second of tone, a tenth of silence, and so on."""
    times: npt.NDArray[np.float64] = np.arange(3 * VOICE_RATE) / VOICE_RATE
    speaking = (times % 0.35) < 0.25
    samples = 12_000 * np.sin(2 * np.pi * look.hertz * times) * speaking
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(VOICE_RATE)
        file.writeframes(samples.astype("<i2").tobytes())


def _to_yuv(rgb: Rgb) -> tuple[int, int, int]:
    """BT.601, limited range."""
    red, green, blue = (channel / 255 for channel in rgb)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return (
        round(16 + 219 * luma),
        round(128 + 224 * (blue - luma) / 1.772),
        round(128 + 224 * (red - luma) / 1.402),
    )
