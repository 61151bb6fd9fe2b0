"""`python -m benchmarks.removal`: what removing a large organization costs, and how long others wait for it.

    python -m benchmarks.removal [--sizes 10000,100000] [--databases sqlite,postgresql]

Starts `rostrum serve` on each database and fills the store with an organization of so many sessions, each
with two attendances with a report and two delivered webhooks. Then it is deleted over REST, while somebody
else makes meetings in another organization, one after the other, until nothing of it is left. Prints how long
the answer took, how long it was until all was gone, and how long the meetings took.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import exists, insert, select, text

from benchmarks.api import database_url
from benchmarks.api_load import Connection, to_request
from benchmarks.api_rows import PEERS, fill
from benchmarks.document import machine_line
from sfu.load.usage import describe_machine
from signaling.domain.webhook import Shape
from signaling.domain.webhook_delivery import Delivery, DeliveryStatus
from signaling.store import tables
from signaling.store.database import Database
from signaling.store.outbox import delivery_values
from signaling.testing.store import statements
from tests.support.server import Server, running_server

DELIVERIES: Final = 2
"""Of each session."""
_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
_AT_ONCE: Final = 2000
_BODY: Final = json.dumps({"event": "meeting.started", "meeting": {"title": "Weekly " * 100}})
_REPORT: Final = bytes(range(256)) * 4
_PAUSE: Final = 0.02
_WITHIN: Final = 600.0
_LEFT: Final = (tables.webhook_deliveries, tables.peer_reports)
"""Of what was filled in, what is removed; the rest is emptied."""


async def run(database: str, size: int, folder: Path) -> str:
    unlimited = [part for who in ("address", "key") for part in (f"--rate-limit-{who}", "10000000")]
    async with (
        database_url(database, folder) as url,
        running_server(folder / "data", arguments=(*unlimited, "--database-url", url)) as server,
    ):
        connection = await Connection.open(urlsplit(server.base_url).port or 0)
        made = json.loads(await connection.ask(_request(server, "POST", "/v2/orgs", {"name": "Large"})))
        organization_id = made["data"]["id"]
        await fill(url, organization_id, 0, size)
        store = await Database.open(url)
        await _fill_more(store, organization_id, size)
        enough = asyncio.Event()
        writing = asyncio.create_task(_write(server, enough))
        await asyncio.sleep(3.0)
        enough.set()
        usual = await writing

        enough.clear()
        writing, began = asyncio.create_task(_write(server, enough)), time.perf_counter()
        await connection.ask(_request(server, "DELETE", f"/v2/orgs/{organization_id}"))
        answered = time.perf_counter() - began
        while await _is_left(store, organization_id):
            assert time.perf_counter() - began < _WITHIN, "it does not end"
            await asyncio.sleep(0.25)
        gone = time.perf_counter() - began
        enough.set()
        waits = await writing
        await store.close()
        await connection.close()
    took = f"{answered:.2f} s | {gone:.1f} s"
    return f"| {database}, {size:,} | {took} | {len(waits)} | {_ms(waits)} | {_ms(usual)} |"


def _request(server: Server, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
    key = server.credentials
    pair = base64.b64encode(f"{key.organization_id}:{key.api_key}".encode()).decode()
    return to_request(method, path, f"Basic {pair}", body)


async def _write(server: Server, enough: asyncio.Event) -> list[float]:
    """Seconds of each, sorted."""
    connection, times = await Connection.open(urlsplit(server.base_url).port or 0), list[float]()
    while not enough.is_set():
        began = time.perf_counter()
        await connection.ask(_request(server, "POST", "/v2/meetings", {"title": "Another"}))
        times.append(time.perf_counter() - began)
        await asyncio.sleep(_PAUSE)
    await connection.close()
    return sorted(times)


async def _fill_more(store: Database, organization_id: str, size: int) -> None:
    one = Delivery(
        id="",
        event_id="event",
        event="meeting.started",
        organization_id=organization_id,
        subscriber="webhook:w",
        queue="webhook:w:s",
        shape=Shape.ORGANIZATION,
        body=_BODY,
        created_at=_AT,
        due_at=_AT,
        status=DeliveryStatus.DELIVERED,
        attempts=1,
        finished_at=_AT,
    )
    attempt = {
        "number": 1,
        "url": "https://hooks.example/",
        "started_at": _AT,
        "duration_ms": 20,
        "request_headers": {"content-type": "application/json"},
        "status": 200,
        "response_headers": {"server": "example"},
        "response_body": "",
    }
    for first in range(0, size, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, size))
        ids = [f"delivery-{number:07}-{place}" for number in numbers for place in range(DELIVERIES)]
        peers = [f"peer-{number:07}-{peer}" for number in numbers for peer in range(PEERS)]
        report = {"organization_id": organization_id, "updated_at": _AT, "report": _REPORT}
        async with statements(store) as db:
            await db.execute(
                insert(tables.webhook_deliveries), [delivery_values(replace(one, id=each)) for each in ids]
            )
            await db.execute(
                insert(tables.webhook_attempts), [attempt | {"delivery_id": each} for each in ids]
            )
            await db.execute(insert(tables.peer_reports), [report | {"peer_id": peer} for peer in peers])
    async with statements(store) as db:
        await db.execute(text("ANALYZE"))


async def _is_left(store: Database, organization_id: str) -> bool:
    """Whether there is something yet that is to go, or somebody's name."""
    attendances = tables.attendances.c
    mine = [exists().where(table.c.organization_id == organization_id) for table in _LEFT]
    named = exists().where(attendances.organization_id == organization_id, attendances.name != "")
    transaction = await store.source.begin(reading=True)
    try:
        for one in (*mine, named):
            if await transaction.scalar(select(one)):
                return True
        return False
    finally:
        await transaction.close()


def _ms(times: Sequence[float]) -> str:
    chosen = (times[len(times) // 2], times[int(len(times) * 0.99)], times[-1])
    return "/".join(f"{one * 1000:.0f}" for one in chosen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--databases", default="sqlite,postgresql")
    arguments = parser.parse_args()
    print(machine_line(describe_machine()), flush=True)
    print("| sessions | answered | all gone | meetings made meanwhile | ms, p50/p99/longest | before |")
    print("|---|---|---|---|---|---|", flush=True)
    for database in arguments.databases.split(","):
        for size in (int(one) for one in arguments.sizes.split(",")):
            with tempfile.TemporaryDirectory(prefix="rostrum-bench-") as folder:
                print(asyncio.run(run(database, size, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
