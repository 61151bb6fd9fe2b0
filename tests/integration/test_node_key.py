"""The key of a media node's certificate: made at its start, written nowhere, gone with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.server import running_server
from tests.support.world import World


async def fingerprint_of(data_dir: Path) -> str:
    """What a server that is started on this directory shows to a client."""
    async with running_server(data_dir) as server, World.on(server) as world:
        await world.publisher()
        watcher = await world.subscriber()
        offer = await watcher.wait_for(lambda event: event["type"] == "subscribe_offer", "an offer")
        return str(offer["offer"].partition("a=fingerprint:sha-256 ")[2].split()[0])


def contents_of(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


@pytest.mark.asvs("17.2.1")
async def test_every_start_has_a_key_of_its_own_and_none_is_written(tmp_path: Path) -> None:
    first = await fingerprint_of(tmp_path)
    second = await fingerprint_of(tmp_path)
    assert first != second
    contents = contents_of(tmp_path)
    assert contents, "the server keeps its data here"
    for content in contents:
        assert b"BEGIN EC PRIVATE KEY" not in content
        assert b"BEGIN CERTIFICATE" not in content
