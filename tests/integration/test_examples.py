"""The examples, run as their docstrings say, against a real server."""

from __future__ import annotations

import asyncio
import re
import sys

import aiohttp

from tests.support.server import Server


async def run_example(server: Server, name: str, *arguments: str) -> str:
    """Its output. Fails with it unless the exit code is 0."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", f"examples.{name}", "--key-file", str(server.key_file), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    text = output.decode()
    assert process.returncode == 0, text
    return text


async def test_hello_meeting_prints_a_link_for_everyone_that_opens_the_page(server: Server) -> None:
    output = await run_example(server, "hello_meeting", "--title", "Monday", "--name", "Ada", "--name", "Bo")
    assert "Monday" in output
    links = dict(re.findall(r"^(\w+): (http\S+)$", output, re.MULTILINE))
    assert links.keys() == {"Ada", "Bo"}
    assert all(re.fullmatch(r"http://\S+/meet/#token=\S+\.\S+\.\S+", link) for link in links.values())
    async with aiohttp.ClientSession() as http, http.get(links["Ada"].partition("#")[0]) as page:
        assert page.status in (200, 503), "503: the web client is not built"


async def test_publish_file_publishes_its_film(server: Server) -> None:
    output = await run_example(server, "publish_file", "--seconds", "3")
    assert "publishing camera as video/" in output
    assert "the film is over" in output


async def test_webinar_tells_the_story_of_the_stage(server: Server) -> None:
    output = await run_example(server, "webinar")
    told = [re.sub(r"\s+", " ", line).strip() for line in output.splitlines()]
    story = [
        "host: is ON_STAGE",
        "guest: is OFF_STAGE",
        "guest: publish -> refused: PermissionDenied",
        "guest: stage_request -> REQUESTED_TO_JOIN_STAGE",
        "host: hears stage_requests",
        "host: stage_grant",
        "guest: hears stage_status",
        "guest: stage_join -> ON_STAGE",
        "guest: publish -> on air",
        "host: hears publication_added",
        "guest: stage_leave -> OFF_STAGE",
        "host: hears publication_removed",
        "guest: stage_leave -> refused: ActionInvalidForStageStatus",
    ]
    assert len(told) == len(story), output
    for line, beginning in zip(told, story, strict=True):
        assert line.startswith(beginning), output


async def test_load_counts_every_packet(server: Server) -> None:
    arguments = ("--rooms", "2", "--subscribers", "2", "--seconds", "1", "--server-pid", str(server.pid))
    output = await run_example(server, "load", *arguments)
    assert re.search(r"sent \d+, expected \d+, received \d+", output)
    assert "µs per forwarded packet" in output
