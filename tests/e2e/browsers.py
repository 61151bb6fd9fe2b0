"""Headless Chromium, one process for each look: what a camera shows is a switch of the whole browser.

Browsers live as long as the session of tests; every person gets a fresh context in theirs.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import Browser, Playwright

from tests.e2e.pictures import Look, write_camera, write_voice
from tests.support.compat import note_version

SHARED_TITLE = "Slides to share"

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # All pages count as visible and in use.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    # Sharing a screen picks the tab of this title without asking.
    f"--auto-select-tab-capture-source-by-title={SHARED_TITLE}",
    # The server and the browsers meet on 127.0.0.1.
    "--allow-loopback-in-peer-connection",
)

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    return next((path for path in map(shutil.which, NAMES) if path is not None), None)


class Browsers:
    """Started when first needed."""

    def __init__(
        self, playwright: Playwright, executable: str, directory: Path, *, flags: Sequence[str] = ()
    ) -> None:
        self._flags = flags
        self._playwright = playwright
        self._executable = executable
        self._directory = directory
        self._running: dict[Look, Browser] = {}

    async def of(self, look: Look) -> Browser:
        """The browser whose camera and microphone give this look and voice."""
        browser = self._running.get(look)
        if browser is None or not browser.is_connected():
            browser = self._running[look] = await self._launch(look)
        return browser

    async def close(self) -> None:
        for browser in self._running.values():
            await browser.close()

    async def _launch(self, look: Look) -> Browser:
        camera = self._directory / f"{look.name}.y4m"
        voice = self._directory / f"{look.name}.wav"
        if not camera.exists():
            write_camera(camera, look)
            write_voice(voice, look)
        launched = await self._playwright.chromium.launch(
            executable_path=self._executable,
            args=[
                *FLAGS,
                *self._flags,
                f"--use-file-for-fake-video-capture={camera}",
                f"--use-file-for-fake-audio-capture={voice}",
            ],
        )
        note_version("Chromium", launched.version)
        return launched
