"""`rostrum load` as a command: what it counts, what it prints last, and how it ends."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from signaling.cli import main
from tests.support.server import Server
from tests.support.world import assert_late, media_late


async def run_load(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "signaling.cli", "load", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


def refused(*arguments: str) -> Result:
    """What ends before there is any load needs no process of its own."""
    return CliRunner().invoke(main, ["load", *arguments])


async def measure(server: Server, *arguments: str) -> dict[str, Any]:
    """The report of a load of which nothing was lost, but for what the server dropped for being late: each
    such packet is missing at all who should have got it."""
    earlier = await media_late(server)
    code, output, errors = await run_load(
        *("--key-file", str(server.key_file), "--seconds", "1", "--warm-up", "0.5", *arguments)
    )
    assert code == 0, f"{errors}\n{await server.metrics()}\n{server.log[-4000:]}"
    report: dict[str, Any] = json.loads(output.splitlines()[-1])
    assert report["lost"] == report["expected"] - report["received"] >= 0
    await assert_late(server, earlier, report["lost"] * report["sent"] / report["expected"])
    return report


async def test_every_packet_to_every_subscriber_is_expected_and_received(server: Server) -> None:
    report = await measure(
        server, "--subscribers", "3", "--audio", "--verify", "all", "--server-pid", str(server.pid)
    )
    assert report["sent"] > 100  # about 370, but fewer than planned where the machine is busy
    assert report["expected"] == 3 * report["sent"]
    assert (report["reordered"], report["duplicates"]) == (0, 0)
    assert report["withheld"] == 0
    assert report["limited"] == {"subscribers": 0, "by_reason": {}, "not_full_before": 0}
    assert report["verified"]["opened"] == report["received"]
    assert report["verified"]["not_authentic"] == 0
    assert 0 < report["delay_ms"]["p50"] <= report["delay_ms"]["p99"] <= report["delay_ms"]["p999"]
    added, whole = report["added_delay_ms"], report["delay_ms"]
    assert 0 < added["p50"] <= added["p99"] <= added["p999"]
    assert added["p50"] < whole["p50"], "sealing and reading are not the server's"
    assert report["cpu_s"] > 0
    assert report["us_per_forwarded_packet"] > 0
    assert report["machine"]["cores"] >= 1


async def test_a_sample_counts_all_and_opens_some(server: Server) -> None:
    report = await measure(server, "--subscribers", "2")
    assert report["expected"] == 2 * report["sent"]
    assert 0 < report["verified"]["opened"] < report["received"] / 10
    assert "cpu_s" not in report


@pytest.mark.parametrize(
    "arguments",
    [
        ("--srtp", "cm"),
        ("--tcp",),
        ("--simulcast",),
        ("--no-video", "--audio"),
        ("--rooms", "2", "--publishers", "2", "--subscribers", "0", "--mesh", "--video-rate", "100"),
    ],
    ids=lambda arguments: "_".join(arguments),
)
async def test_other_loads_lose_nothing_either(server: Server, arguments: tuple[str, ...]) -> None:
    report = await measure(server, *arguments)
    assert report["received"] > 0
    assert report["impossible"] == []


@pytest.mark.parametrize("rooms", [1, 2])
async def test_of_many_publishers_each_is_counted_by_itself(server: Server, rooms: int) -> None:
    publishers, subscribers = 10, 3
    load = ("--publishers", str(publishers), "--subscribers", str(subscribers), "--no-video", "--audio")
    report = await measure(server, "--rooms", str(rooms), *load)
    assert report["planned"] >= 0.9 * rooms * publishers * 50
    assert report["sent"] > 0  # fewer than planned where the machine is busy, which `doubts` are about
    assert report["expected"] == subscribers * report["sent"]
    assert report["by_kind"]["audio"]["received"] == report["received"]
    assert report["impossible"] == []


async def test_with_json_the_output_is_one_line(server: Server) -> None:
    code, output, errors = await run_load(
        *("--key-file", str(server.key_file), "--seconds", "1", "--warm-up", "0", "--json")
    )
    assert (code, errors, len(output.splitlines())) == (0, "", 1)


def test_bad_arguments_end_with_2_and_name_the_argument(server: Server) -> None:
    ended = refused("--key-file", str(server.key_file), "--seconds", "0")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "--seconds" in ended.stderr


def test_more_participants_than_bounded_end_with_2(server: Server) -> None:
    ended = refused("--key-file", str(server.key_file), "--rooms", "100", "--subscribers", "100")
    assert ended.exit_code == 2
    assert "5000" in ended.stderr


@pytest.mark.parametrize("content", [None, "", "{}", "not json"])
def test_a_key_file_that_is_none_ends_with_1_and_one_line(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "bootstrap.json"
    if content is not None:
        path.write_text(content)
    ended = refused("--key-file", str(path))
    assert (ended.exit_code, ended.stdout, len(ended.stderr.splitlines())) == (1, "", 1)
    assert str(path) in ended.stderr


async def test_a_server_that_is_not_there_ends_with_1(server: Server) -> None:
    code, _, errors = await run_load("--key-file", str(server.key_file), "--url", "http://127.0.0.1:1")
    assert code == 1
    assert "no answer" in errors
    assert "Traceback" not in errors


async def test_a_process_that_is_not_there_ends_with_1(server: Server) -> None:
    code, _, errors = await run_load("--key-file", str(server.key_file), "--server-pid", "99999999")
    assert code == 1
    assert "99999999" in errors
