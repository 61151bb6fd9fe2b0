"""Servers that start for the first time, at once, on one database."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import func, select

from signaling.auth.api_keys import hash_api_key
from signaling.credentials import Credentials
from signaling.first_start import JoinLink, demo_links
from signaling.services.bootstrap import Bootstrap
from signaling.store.database import Database
from signaling.store.tables import meetings, organizations
from signaling.testing import FakeClock, FakeTokens
from signaling.testing.store import statements

SERVERS = 4


async def started(folder: Path, database: Database, number: int) -> list[JoinLink]:
    url = f"http://server-{number}.example"
    return await demo_links(folder, Bootstrap(database, FakeClock()), FakeTokens(), url)


async def test_one_of_them_makes_the_organization_and_the_others_use_it(
    either: Database, tmp_path: Path
) -> None:
    folders = [tmp_path / str(number) for number in range(SERVERS)]
    for folder in folders:
        folder.mkdir()
    links = await asyncio.gather(*(started(folder, either, number) for number, folder in enumerate(folders)))
    async with statements(either) as db:
        assert await db.scalar(select(func.count()).select_from(organizations)) == 1
        assert await db.scalar(select(func.count()).select_from(meetings)) == 2
    known = [one for folder in folders if (one := Credentials.read(folder)) is not None]
    assert len(known) == 1, "the key is where it is known, and nowhere else is one that opens nothing"
    async with either(reading=True) as uow:
        found = await uow.api_keys.by_hash(hash_api_key(known[0].api_key), known[0].organization_id)
    assert found is not None and found[0].platform
    assert all([one.label for one in of_server] == [one.label for one in links[0]] for of_server in links)
    assert len(links[0]) == 4


async def test_a_start_that_died_before_it_was_done_goes_on_with_its_key(
    either: Database, tmp_path: Path
) -> None:
    noted = Credentials.new("http://server-1.example")
    noted.write(tmp_path)
    await started(tmp_path, either, 1)
    assert Credentials.read(tmp_path) == noted
    async with either(reading=True) as uow:
        assert await uow.organizations.get(noted.organization_id) is not None
