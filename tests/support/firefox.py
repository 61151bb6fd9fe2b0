"""Headless Firefox, driven over WebDriver BiDi (https://w3c.github.io/webdriver-bidi/) by a WebSocket.

Debian's `firefox-esr` speaks the protocol itself, so nothing stands in between: a `Firefox` is the process
and the one session with it, a `Tab` a window of its own with cookies and storage of its own. What a script
gives goes over the wire as JSON.

The browser starts from an empty profile with every service that would call home turned off: it contacts the
pages it is sent to and nobody else.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.compat import note_version
from tests.support.firefox_preferences import PREFERENCES

Json = dict[str, Any]

NAMES = ("firefox-esr", "firefox")
START_TIMEOUT = 60.0
CALL_TIMEOUT = 60.0
STOP_TIMEOUT = 15.0
_LISTENING = re.compile(rb"WebDriver BiDi listening on (ws://\S+)\s")
"""To the end of the line, of which the log may have a part only."""
_FUNCTION = re.compile(r"\s*(async\s*)?(\w+|\([^()]*\))\s*=>")
_EVENTS = ("log.entryAdded",)

_CALL = """
async (given) => {{
  const result = await ({function})(...JSON.parse(given));
  return JSON.stringify(result);
}}
"""

_PLACE = """
async (selector) => {
  const placeOf = (element) => {
    if (element === null) return null;
    element.scrollIntoView({ block: "nearest", inline: "nearest" });
    const { x, y, width, height } = element.getBoundingClientRect();
    if (width === 0 || height === 0 || element.disabled) return null;
    const place = [Math.round(x + width / 2), Math.round(y + height / 2)];
    const top = document.elementFromPoint(...place);
    return top !== null && (element.contains(top) || top.contains(element)) ? place : null;
  };
  const element = document.querySelector(selector);
  const before = placeOf(element);
  // What is still moving, or about to be replaced, would not be there any more when the pointer comes.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const place = document.querySelector(selector) === element ? placeOf(element) : null;
  if (place === null || String(place) !== String(before)) return null;
  window.wasHit = false;
  element.addEventListener("click", () => { window.wasHit = true; }, { capture: true, once: true });
  return place;
}
"""
_WAS_HIT = """
async (patience) => {
  const ends = performance.now() + patience;
  while (window.wasHit === false && performance.now() < ends) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // Where there is another page since, it was.
  return window.wasHit !== false;
}
"""
HIT_WITHIN = 10_000
"""Milliseconds until a click that was not seen has missed: one that is only late is not to be made twice."""


class FirefoxError(Exception):
    """The browser refused a command, or a script in a page failed."""


def find_firefox() -> str | None:
    return next((path for path in map(shutil.which, NAMES) if path is not None), None)


@asynccontextmanager
async def running_firefox(executable: str, directory: Path, **preferences: Any) -> AsyncIterator[Firefox]:
    """A fresh process until the block ends; `preferences` go over those that are always set."""
    profile = directory / "profile"
    profile.mkdir(parents=True)
    lines = (
        f"user_pref({json.dumps(name)}, {json.dumps(value)});"
        for name, value in {**PREFERENCES, **preferences}.items()
    )
    (profile / "user.js").write_text("\n".join(lines) + "\n")
    log = directory / "firefox.log"
    command = (executable, "--headless", "--no-remote", "--profile", str(profile))
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            *("--remote-debugging-port", "0", "about:blank"),
            stdout=output,
            stderr=output,
            env={**os.environ, "HOME": str(directory), "MOZ_HEADLESS": "1", "MOZ_CRASHREPORTER_DISABLE": "1"},
            start_new_session=True,
        )
    try:
        url = await _address(process, log)
        async with aiohttp.ClientSession() as http, http.ws_connect(url, max_msg_size=0) as socket:
            firefox = Firefox(socket)
            await firefox.start()
            try:
                yield firefox
            finally:
                await firefox.stop()
    finally:
        await _end(process)


class Firefox:
    """One session. `version` is what the browser says of itself."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._next_id = 0
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._tabs: dict[str, Tab] = {}
        self._reading: asyncio.Task[None] | None = None
        self.version = ""

    async def start(self) -> None:
        self._reading = asyncio.create_task(self._read())
        session = await self.send("session.new", capabilities={})
        self.version = str(session["capabilities"]["browserVersion"])
        note_version("Firefox", self.version)
        await self.send("session.subscribe", events=list(_EVENTS))

    async def stop(self) -> None:
        assert self._reading is not None
        # The browser may close the socket before it has answered.
        with contextlib.suppress(FirefoxError):
            await self.send("browser.close")
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def open_tab(self, *, width: int = 960, height: int = 600) -> Tab:
        """A window of its own, so that no page counts as hidden behind another one."""
        user = (await self.send("browser.createUserContext"))["userContext"]
        made = await self.send("browsingContext.create", type="window", userContext=user)
        tab = self._tabs[made["context"]] = Tab(self, made["context"], user)
        await tab.send("browsingContext.setViewport", viewport={"width": width, "height": height})
        return tab

    async def send(self, method: str, **params: Any) -> Json:
        """One command; raises `FirefoxError` with what the browser has against it."""
        self._next_id += 1
        number = self._next_id
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                return await answer
        except TimeoutError as error:
            raise FirefoxError(f"{method} was not answered in {CALL_TIMEOUT:g} s") from error
        finally:
            self._waiting.pop(number, None)

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._handle(json.loads(message.data))
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(FirefoxError("the browser closed the session"))

    def _handle(self, message: Json) -> None:
        if message["type"] == "event":
            self._handle_event(message["params"])
            return
        answer = self._waiting.get(message.get("id") or 0)
        if answer is None or answer.done():
            return
        if message["type"] == "success":
            answer.set_result(message["result"])
        else:
            answer.set_exception(FirefoxError(f"{message['error']}: {message['message']}"))

    def _handle_event(self, entry: Json) -> None:
        tab = self._tabs.get(entry["source"].get("context", ""))
        if tab is not None:
            tab.hear(entry)


class Tab:
    """A page. `on_console` is called with the level ("error", "warn", "info", "debug") and the text."""

    def __init__(self, firefox: Firefox, context: str, user: str) -> None:
        self._firefox = firefox
        self._context = context
        self._user = user
        self.on_console: Callable[[str, str], None] = lambda level, text: None

    async def send(self, method: str, **params: Any) -> Json:
        return await self._firefox.send(method, context=self._context, **params)

    async def add_init_script(self, script: str) -> None:
        """Runs in every page before its own scripts."""
        await self._firefox.send(
            "script.addPreloadScript",
            functionDeclaration=f"() => {{ {script} }}",
            contexts=[self._context],
        )

    async def goto(self, url: str) -> None:
        await self.send("browsingContext.navigate", url=url, wait="complete")

    async def evaluate(self, function: str, argument: object = None) -> Any:
        """What an arrow function gives in the page, or any other expression; it may be a promise."""
        if _FUNCTION.match(function) is None:
            function = f"() => ({function})"
        outcome = await self._firefox.send(
            "script.callFunction",
            functionDeclaration=_CALL.format(function=function),
            arguments=[{"type": "string", "value": json.dumps([argument])}],
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        if outcome["type"] == "exception":
            raise FirefoxError(outcome["exceptionDetails"]["text"])
        result = outcome["result"]
        return json.loads(result["value"]) if result["type"] == "string" else None

    async def click(self, selector: str) -> bool:
        """With the pointer, in the middle of the first match; False where it was not hit, and may be."""
        place = await self.evaluate(_PLACE, selector)
        if place is None:
            return False
        x, y = place
        actions = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        await self.send(
            "input.performActions", actions=[{"type": "pointer", "id": "mouse", "actions": actions}]
        )
        return bool(await self.evaluate(_WAS_HIT, HIT_WITHIN))

    async def screenshot(self) -> str:
        """A PNG, as base64."""
        return str((await self.send("browsingContext.captureScreenshot"))["data"])

    async def close(self) -> None:
        """With its cookies and storage."""
        await self._firefox.send("browser.removeUserContext", userContext=self._user)

    def hear(self, entry: Json) -> None:
        self.on_console(str(entry["level"]), str(entry["text"]))


async def _address(process: asyncio.subprocess.Process, log: Path) -> str:
    """Where the browser listens, once it says so."""
    try:
        async with asyncio.timeout(START_TIMEOUT):
            while process.returncode is None:
                found = _LISTENING.search(await asyncio.to_thread(log.read_bytes))
                if found is not None:
                    return found[1].decode() + "/session"
                await asyncio.sleep(0.05)
    except TimeoutError:
        pass
    told = await asyncio.to_thread(log.read_text, errors="replace")
    raise FirefoxError(f"Firefox ended or did not listen:\n{told[-2000:]}")


async def _end(process: asyncio.subprocess.Process) -> None:
    """The process and everything it started: the session it was made the leader of."""
    try:
        async with asyncio.timeout(STOP_TIMEOUT):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
