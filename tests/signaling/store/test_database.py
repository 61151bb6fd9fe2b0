from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from signaling.errors import InvalidInputError
from signaling.store.database import Database, sqlite_url
from tests.signaling import values


async def test_a_database_that_is_at_head_opens_without_alembic(tmp_path: Path) -> None:
    await (await Database.open(sqlite_url(tmp_path / "rostrum.db"))).close()
    code = (
        "import asyncio, sys\n"
        "from signaling.store.database import Database\n"
        "async def main(): await (await Database.open(sys.argv[1])).close()\n"
        "asyncio.run(main()); sys.exit('alembic' in sys.modules)"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, sqlite_url(tmp_path / "rostrum.db")
    )
    assert await process.wait() == 0


async def test_a_schema_from_the_future_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rostrum.db"
    await (await Database.open(sqlite_url(path))).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(InvalidInputError, match="9999"):
        await Database.open(sqlite_url(path))


async def test_nonsense_is_not_a_database_url() -> None:
    with pytest.raises(InvalidInputError, match="database_url"):
        await Database.open("my database")
    with pytest.raises(InvalidInputError, match="PostgreSQL") as refused:
        await Database.open("mysql://root:secret@host/name")
    assert "secret" not in refused.value.message


async def test_the_file_is_for_its_owner_only(database: Database, tmp_path: Path) -> None:
    async with database() as uow:
        await uow.organizations.add(values.organization())
        await uow.commit()
        for file in list_files(tmp_path):
            assert file.stat().st_mode & 0o077 == 0, file


@pytest.mark.parametrize("writers", [1, 8], ids=["one writer", "eight, committed together"])
async def test_what_was_committed_survives_kill_9(tmp_path: Path, writers: int) -> None:
    url = sqlite_url(tmp_path / "rostrum.db")
    code = (
        "import asyncio, sys\n"
        "from signaling.store.database import Database\n"
        "from tests.signaling import values\n"
        "async def main():\n"
        "    database = await Database.open(sys.argv[1])\n"
        "    await asyncio.gather(*(write(database) for _ in range(int(sys.argv[2]))))\n"
        "async def write(database):\n"
        "    while True:\n"
        "        made = values.organization()\n"
        "        async with database() as uow:\n"
        "            await uow.organizations.add(made)\n"
        "            await uow.commit()\n"
        "        print(made.id, flush=True)\n"
        "asyncio.run(main())"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, url, str(writers), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    acknowledged = [(await process.stdout.readline()).decode().strip() for _ in range(40)]
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    database = await Database.open(url)
    async with database() as uow:
        for organization_id in acknowledged:
            assert await uow.organizations.get(organization_id) is not None
    await database.close()


def list_files(folder: Path) -> list[Path]:
    files = list(folder.glob("rostrum.db*"))
    assert files
    return files


async def test_everybody_who_has_the_same_preset_shares_it(database: Database) -> None:
    acme = values.organization()
    preset = values.preset(acme)
    async with database() as uow:
        await uow.organizations.add(acme)
        await uow.presets.add(preset)
        await uow.commit()
    read = []
    for _ in range(2):
        async with database() as uow:
            found = await uow.presets.by_name(acme.id, preset.name)
            assert found is not None
            read.append(found.preset)
    assert read[0] is read[1]
    assert read[0] == preset.preset
