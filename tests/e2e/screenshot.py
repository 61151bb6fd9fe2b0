"""`python -m tests.e2e.screenshot`: the picture of the README, docs/screenshot.png, taken of the product.

A host's page with the list of people open, in a meeting of four whose cameras are drawn.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright, expect

from sfu.bot import Organization
from tests.e2e.browsers import FLAGS, find_chromium
from tests.e2e.eventually import eventually
from tests.support.server import running_server

TARGET = Path(__file__).resolve().parent.parent.parent / "docs" / "screenshot.png"
DRAWING = Path(__file__).with_name("screenshot.js").read_text()
TITLE = "Design review"
ONE_ENCODING = """
const add = RTCPeerConnection.prototype.addTransceiver;
RTCPeerConnection.prototype.addTransceiver = function (track, { sendEncodings, ...init }) {
  return add.call(this, track, init);
};
"""
"""Sharp pictures without waiting for the upper layers."""
PEOPLE: tuple[tuple[str, str, int, int], ...] = (
    ("Ana Ruiz", "group_call_host", 262, 66),
    ("Jonas Berg", "group_call_participant", 196, 76),
    ("Tunde Okafor", "group_call_participant", 14, 36),
    ("Mei Tanaka", "group_call_participant", 128, 72),
)


async def take() -> None:
    executable = find_chromium()
    assert executable is not None, "Chromium is needed"
    with tempfile.TemporaryDirectory() as directory:
        async with running_server(Path(directory), workers=1) as server, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
            async with Organization(server.credentials) as organization:
                meeting_id = await organization.create_meeting(TITLE)
                pages = []
                for name, preset, hue, skin in PEOPLE:
                    token = await organization.create_participant(meeting_id, name, preset)
                    page = await _enter(browser, f"{server.base_url}/meet/#token={token}")
                    await page.evaluate(
                        f"(drawn) => rostrum.self.enableVideo(({DRAWING})(...drawn))", [name[0], hue, skin]
                    )
                    pages.append(page)
                for page in pages[2:]:
                    await page.get_by_test_id("mic-toggle").click()
                await _shoot(pages[0])
            await browser.close()


async def _enter(browser: Browser, url: str) -> Page:
    context = await browser.new_context(
        viewport={"width": 1280, "height": 800}, permissions=["camera", "microphone"]
    )
    await context.add_init_script(ONE_ENCODING)
    page = await context.new_page()
    await page.goto(url)
    await page.get_by_test_id("camera-toggle").click()
    await page.get_by_test_id("join-button").click()
    await page.get_by_test_id("room").wait_for()
    return page


async def _shoot(host: Page) -> None:
    await host.get_by_test_id("participants-toggle").click()
    await expect(host.locator('[data-testid="tile"] video')).to_have_count(len(PEOPLE), timeout=20_000)
    await host.locator('[data-testid="tile"][data-self="false"][data-speaking="true"]').first.wait_for()
    sizes = "[...document.querySelectorAll('[data-testid=tile] video')].map((video) => video.videoWidth)"
    await eventually(lambda: host.evaluate(sizes), lambda widths: min(widths) >= 900, "sharp pictures")
    await expect(host.get_by_test_id("toast")).to_have_count(0, timeout=20_000)
    await host.mouse.move(640, 300)
    await host.screenshot(path=TARGET)


if __name__ == "__main__":
    asyncio.run(take())
