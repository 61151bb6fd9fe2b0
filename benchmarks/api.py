"""`make bench-api`: what REST costs, and how lists grow with what there is.

    python -m benchmarks.api [--sizes 100,1000,10000,100000] [--databases sqlite,postgresql]

Starts `rostrum serve` on each database, fills the store directly, and asks over kept connections on loopback:
participant tokens and added participants from eight at once, lists from one. CPU is that of the server's
process. PostgreSQL is one of Debian's packages, started for this, with its own CPU not counted. Prints tables
for docs/performance.md.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.api_load import Measured, measure, to_request
from benchmarks.api_rows import MEETING, PARTICIPANT, fill
from benchmarks.bare_loop import nanoseconds_per_step
from benchmarks.document import machine_line, write_json
from sfu.load.usage import describe_machine
from signaling.store.database import sqlite_url
from tests.support.postgres import made_cluster, remove
from tests.support.server import Server, running_server

OUTPUT = Path("artifacts/api.json")
TOKENS: Final = 2000
ADDED: Final = 500
AT_ONCE: Final = 8
LISTS: Final = 100
"""Requests for each list."""
_UNLIMITED: Final = tuple(
    argument for who in ("address", "key", "organization") for argument in (f"--rate-limit-{who}", "10000000")
)
_TOKEN: Final = f"/v2/meetings/{MEETING}/participants/{PARTICIPANT}/token"
_ADD: Final = f"/v2/meetings/{MEETING}/participants"
_ADA: Final = {"custom_participant_id": "ada", "preset_name": "group_call_host", "name": "Ada"}


def lists(size: int) -> dict[str, str]:
    """By what they are called in the table."""
    ten = f"/v2/sessions?associated_id={MEETING}"
    return {
        "meetings": "/v2/meetings",
        "meetings, last page": f"/v2/meetings?page_no={max(1, size // 20)}",
        "meetings, search": "/v2/meetings?search=weekly",
        "sessions": "/v2/sessions",
        "sessions, last page": f"/v2/sessions?page_no={max(1, size // 20)}",
        "sessions of a meeting": ten,
        "sessions, ended, a day": "/v2/sessions?status=ENDED&start_time=2026-01-01&end_time=2026-01-02",
        "sessions, most minutes": "/v2/sessions?sort_by=minutesConsumed",
        "sessions of a participant": "/v2/sessions?participants=user-7",
        "sessions, search": "/v2/sessions?search=weekly",
        "who was in a session": "/v2/sessions/session-0000000/participants",
        "usage of a day": "/v2/usage?start_date=2026-01-01&end_date=2026-01-01",
    }


async def run(database: str, sizes: Sequence[int], folder: Path) -> dict[str, dict[int, Measured]]:
    results: dict[str, dict[int, Measured]] = {}
    async with (
        database_url(database, folder) as url,
        running_server(folder / "data", arguments=(*_UNLIMITED, "--database-url", url)) as server,
    ):
        organization_id = server.credentials.organization_id
        await fill(url, organization_id, 0, sizes[0])
        token = await _ask(server, "POST", _TOKEN, TOKENS, connections=AT_ONCE)
        results["participant token"] = {sizes[0]: token}
        print(_line(database, "participant tokens", token), flush=True)
        added = await _ask(server, "POST", _ADD, ADDED, connections=AT_ONCE, body=_ADA)
        results["participant added"] = {sizes[0]: added}
        print(_line(database, "participants added", added), flush=True)
        there = sizes[0]
        for size in sizes:
            await fill(url, organization_id, there, size)
            there = size
            for name, path in lists(size).items():
                results.setdefault(name, {})[size] = await _ask(server, "GET", path, LISTS)
            print(f"{database}: lists of {size} done", flush=True)
    return results


async def _ask(
    server: Server,
    method: str,
    path: str,
    requests: int,
    *,
    connections: int = 1,
    body: Mapping[str, Any] | None = None,
) -> Measured:
    port = urlsplit(server.base_url).port
    assert port is not None
    key = server.credentials
    pair = base64.b64encode(f"{key.organization_id}:{key.api_key}".encode()).decode()
    request = to_request(method, path, f"Basic {pair}", body)
    return await measure(port, server.pid, request, requests=requests, connections=connections)


@asynccontextmanager
async def database_url(database: str, folder: Path) -> AsyncIterator[str]:
    if database == "sqlite":
        yield sqlite_url(folder / "bench.db")
        return
    cluster = made_cluster()
    try:
        cluster.start()
        yield cluster.new_database()
    finally:
        remove(cluster)


def _line(database: str, what: str, one: Measured) -> str:
    rate, by_cpu = one.requests / one.seconds, one.requests / one.cpu
    return (
        f"{database}: {by_cpu:.0f} {what} per second of the process's CPU ({one.cpu_ms:.3f} ms each), "
        f"{rate:.0f} per second as it was; p50 {one.time_ms(0.5):.1f} ms, p99 "
        f"{one.time_ms(0.99):.1f} ms with {AT_ONCE} at once"
    )


def table(results: dict[str, dict[int, Measured]], sizes: Sequence[int]) -> str:
    """CPU of a request, and in brackets the times of answers, p50/p99."""
    lines = [
        f"| ms of CPU (answer p50/p99) | {' | '.join(f'{size:,}' for size in sizes)} |",
        f"|---|{'---|' * len(sizes)}",
    ]
    for name, by_size in results.items():
        if len(by_size) < len(sizes):
            continue
        cells = [
            f"{one.cpu_ms:.2f} ({one.time_ms(0.5):.1f}/{one.time_ms(0.99):.1f})" for one in by_size.values()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--sizes", default="100,1000,10000,100000")
    parser.add_argument("--databases", default="sqlite,postgresql")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    machine, everything = describe_machine(), {}
    for database in arguments.databases.split(","):
        before = nanoseconds_per_step()
        with tempfile.TemporaryDirectory(prefix="rostrum-bench-") as folder:
            results = asyncio.run(run(database, sizes, Path(folder)))
        step = f"Step {before:.0f} and {nanoseconds_per_step():.0f} ns before and after."
        print(f"\n{database}. {machine_line(machine)} {step}\n\n{table(results, sizes)}\n", flush=True)
        everything[database] = {
            name: {
                str(size): {"cpu_ms": one.cpu_ms, "p50_ms": one.time_ms(0.5), "p99_ms": one.time_ms(0.99)}
                for size, one in by_size.items()
            }
            for name, by_size in results.items()
        }
    write_json(OUTPUT, machine, everything)


if __name__ == "__main__":
    main()
