"""`rostrum serve` as a process: what it prints, writes, refuses, survives and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import jwt
import pytest

from signaling.domain.default_presets import DEFAULT_PRESETS
from tests.support.wait import PATIENCE

pytestmark = pytest.mark.slow

COMMAND = (sys.executable, "-m", "signaling.cli")
LOOPBACK = (
    "--host",
    "127.0.0.1",
    "--announce",
    "127.0.0.1",
    "--workers",
    "0",
    "--port",
    "0",
    "--udp-port",
    "0",
)
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("ROSTRUM_")}


@dataclass
class Running:
    process: asyncio.subprocess.Process
    url: str
    links: dict[str, str]

    async def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()


@asynccontextmanager
async def serving(data_dir: Path, *arguments: str) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "serve",
        *LOOPBACK,
        "--data-dir",
        str(data_dir),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=ENVIRONMENT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            ready = (await process.stdout.readline()).decode()
            assert ready.startswith("Rostrum is ready at http://127.0.0.1:"), ready
            links = {}
            for _ in range(4):
                label, _, url = (await process.stdout.readline()).decode().strip().rpartition(" ")
                links[label.strip()] = url
        yield Running(process, ready.split()[-1], links)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def refused(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """The one line with which it ends."""
    result = subprocess.run(
        [*COMMAND, "serve", *arguments],
        capture_output=True,
        text=True,
        env=ENVIRONMENT | (environment or {}),
        timeout=60,
        check=False,
    )
    assert result.returncode == 2, result
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("rostrum: "), result.stderr
    return lines[0]


def token_of(link: str) -> dict[str, str]:
    claims: dict[str, str] = jwt.decode(link.partition("#token=")[2], options={"verify_signature": False})
    return claims


def auth(bootstrap: dict[str, str]) -> dict[str, str]:
    pair = aiohttp.encode_basic_auth(bootstrap["organization_id"], bootstrap["api_key"])
    return {"Authorization": pair}


def read_bootstrap(data_dir: Path) -> dict[str, str]:
    path = data_dir / "bootstrap.json"
    assert path.stat().st_mode & 0o777 == 0o600
    content: dict[str, str] = json.loads(path.read_text())
    return content


async def test_the_first_start_makes_a_key_and_links_and_the_next_one_keeps_them(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    async with serving(data_dir) as server:
        bootstrap = read_bootstrap(data_dir)
        assert set(bootstrap) == {"organization_id", "api_key", "base_url"}
        assert bootstrap["base_url"] == server.url
        assert set(server.links) == {"host", "participant", "webinar presenter", "webinar viewer"}
        for link in server.links.values():
            assert link.startswith(f"{server.url}/meet/#token=")
        first = {label: token_of(link) for label, link in server.links.items()}
        assert first["host"]["meeting_id"] == first["participant"]["meeting_id"]
        assert first["host"]["meeting_id"] != first["webinar viewer"]["meeting_id"]
        assert await server.stop() == 0
    async with serving(data_dir) as server:
        again = read_bootstrap(data_dir)
        assert again | {"base_url": ""} == bootstrap | {"base_url": ""}
        assert again["base_url"] == server.url
        for label, link in server.links.items():
            assert token_of(link)["participant_id"] == first[label]["participant_id"]
        async with aiohttp.ClientSession(headers=auth(again)) as http:
            async with http.get(f"{server.url}/v2/presets") as response:
                assert len((await response.json())["data"]) == len(DEFAULT_PRESETS)
            async with http.get(f"{server.url}/healthz") as response:
                assert (await response.json())["status"] == "ok"
        assert await server.stop(signal.SIGINT) == 0


async def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    acknowledged = []
    async with serving(data_dir) as server:
        async with aiohttp.ClientSession(headers=auth(read_bootstrap(data_dir))) as http:
            for number in range(10):
                async with http.post(f"{server.url}/v2/meetings", json={"title": f"m{number}"}) as response:
                    acknowledged.append((await response.json())["data"]["id"])
        assert await server.stop(signal.SIGKILL) == -signal.SIGKILL
    async with (
        serving(data_dir) as server,
        aiohttp.ClientSession(headers=auth(read_bootstrap(data_dir))) as http,
    ):
        for meeting_id in acknowledged:
            async with http.get(f"{server.url}/v2/meetings/{meeting_id}") as response:
                assert response.status == 200
        assert await server.stop() == 0


def test_bad_settings_end_in_one_line_and_code_2(tmp_path: Path) -> None:
    file = tmp_path / "rostrum.toml"
    file.write_text("colour = 'red'\n")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = str(held.getsockname()[1])
        cases: Sequence[tuple[tuple[str, ...], str]] = (
            (("--config", str(file)), "'colour'"),
            (("--announce", "203.0.113.9"), "--announce-external"),
            ((*LOOPBACK, "--data-dir", str(tmp_path), "--port", port), "is taken"),
            ((*LOOPBACK, "--tls-cert", "none.pem", "--tls-key", "none.pem"), "--tls-cert"),
        )
        for arguments, expected in cases:
            assert expected in refused(*arguments)
    assert "ROSTRUM_COLOUR" in refused(environment={"ROSTRUM_COLOUR": "red"})


def test_a_second_server_on_the_same_data_is_refused(tmp_path: Path) -> None:
    from signaling.preflight import lock_data_dir, prepare_data_dir

    prepare_data_dir(tmp_path / "data")
    with lock_data_dir(tmp_path / "data"):
        assert "another server" in refused(*LOOPBACK, "--data-dir", str(tmp_path / "data"))


def test_help_and_version_do_not_load_the_server() -> None:
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from signaling.cli import main\n"
        "result = CliRunner().invoke(main, sys.argv[1:])\n"
        "assert result.exit_code == 0, result.output\n"
        "loaded = {'aiohttp', 'sqlalchemy', 'aiortc', 'sfu.load.command'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    for arguments in (["--help"], ["serve", "--help"], ["version"]):
        result = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=False)
        assert result.returncode == 0, result.stderr
