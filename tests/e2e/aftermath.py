"""What a failed browser test leaves to understand it by.

While its pages are still there: of each person a picture and everything the connections say in
`artifacts/e2e`, and the short of it in the test's output, so that a log alone tells it. Nothing here fails a
test.
"""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.person import Json, Person
from tests.support.server import Server

DIRECTORY = Path(__file__).resolve().parent.parent.parent / "artifacts" / "e2e"
FAILED = pytest.StashKey[bool]()
ASK_TIMEOUT = 15.0
"""Seconds for each thing that is asked of a page: it may hang."""
LOG_LINES = 25
TELLING = "rostrum_worker_"
"""What the names of metrics begin with that tell of what is forwarded."""

_STATE = """
async () => {
  const meeting = window.rostrum;
  const text = (selector) => [...document.querySelectorAll(selector)].map((one) => one.innerText);
  const everything = async (side) => {
    const pc = meeting?.[side]?.peerConnection;
    return pc ? [...(await pc.getStats()).values()] : [];
  };
  return {
    url: location.pathname,
    focus: document.activeElement?.outerHTML.slice(0, 200),
    notices: text('[data-testid="toast"]'),
    banners: text('[role="alert"]'),
    self: meeting && {
      state: meeting.self.roomState, audio: meeting.self.audioEnabled, video: meeting.self.videoEnabled,
    },
    others: meeting?.participants.joined.toArray().map((one) => ({
      name: one.name, connection: one.connection,
      publications: [...one.publications.values()],
    })),
    stats: await meeting?.stats?.(),
    publisher: await everything("publisher"),
    subscriber: await everything("subscriber"),
  };
}
"""
BULKY = ("publisher", "subscriber")


def note_failure(item: pytest.Item, report: pytest.TestReport) -> None:
    if report.failed:
        item.stash[FAILED] = True


def failed(item: pytest.Item) -> bool:
    return item.stash.get(FAILED, False)


async def write(name: str, people: list[Person], server: Server) -> None:
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for person in people:
        path = DIRECTORY / re.sub(r"[^\w.-]+", "-", f"{name}-{person.look.name}")
        await _asked(person.page.screenshot(path=f"{path}.png"))
        state = await _asked(person.page.evaluate(_STATE))
        path.with_suffix(".json").write_text(json.dumps(state, indent=1, default=str))
        print(f"--- {person.look.name} ({person.peer_id}), in full in {path.name}.json")
        if isinstance(state, dict):
            _print_short_of(state)
        print("problems:", *person.problems, sep="\n  ")
    metrics = await _asked(server.metrics())
    if isinstance(metrics, dict):
        print("metrics:", {key: value for key, value in metrics.items() if key.startswith(TELLING)})
    told = [line for line in server.log.splitlines() if "#token=" not in line]
    print("server:", *told[-LOG_LINES:], sep="\n  ")


def _print_short_of(state: Json) -> None:
    for key, value in state.items():
        if key not in BULKY:
            print(f"{key}: {json.dumps(value, default=str)}")
    for side in BULKY:
        for report in filter(_is_telling, state[side]):
            print(f"{side}: {json.dumps(report)}")


def _is_telling(report: Json) -> bool:
    if report["type"] == "candidate-pair":
        return int(report.get("bytesSent", 0)) > 0
    return report["type"] == "outbound-rtp" and report["kind"] == "video"


async def _asked(question: Any) -> Any:
    """The answer, or what went wrong, as words."""
    try:
        return await asyncio.wait_for(question, ASK_TIMEOUT)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
