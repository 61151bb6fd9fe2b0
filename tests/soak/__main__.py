"""`make soak`: an hour of joins and leaves against a server of its own, and what it holds at the end.

    python -m tests.soak [--minutes 60] [--workers 2] [--at-once 2]

Ends with 1 when memory grew by more than 1 % per 1,000 joins, when descriptors or tasks were left over, or
when more than one join in a hundred failed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from sfu.load.usage import describe_machine
from tests.soak.soak import SERVER_FLAGS, Soaked, soak
from tests.support.server import running_server

MAX_GROWTH = 0.01
"""Per 1,000 joins."""
MAX_FAILED = 0.01
"""Of the joins. Rounds that failed are shown."""
SPARE_DESCRIPTORS = 4
"""What a database or an idle connection may come and go with."""


async def run(minutes: float, workers: int, at_once: int) -> Soaked:
    with tempfile.TemporaryDirectory() as folder:
        async with running_server(Path(folder), workers=workers, arguments=SERVER_FLAGS) as server:
            return await soak(
                server,
                seconds=minutes * 60,
                warm_up=min(120.0, minutes * 10),
                at_once=at_once,
                sample_every=60.0,
                progress=lambda text: print(text, flush=True),
            )


def complaints(soaked: Soaked) -> list[str]:
    found = []
    if soaked.growth_per_thousand > MAX_GROWTH:
        found.append(f"memory grew by {soaked.growth_per_thousand:.2%} per 1,000 joins")
    if soaked.after.descriptors > soaked.before.descriptors + SPARE_DESCRIPTORS:
        found.append(f"descriptors went from {soaked.before.descriptors} to {soaked.after.descriptors}")
    if soaked.after.tasks > soaked.before.tasks:
        found.append(f"tasks went from {soaked.before.tasks} to {soaked.after.tasks}")
    if len(soaked.failures) > MAX_FAILED * soaked.joins:
        found.append(f"{len(soaked.failures)} rounds failed, beside {soaked.joins} joins")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--at-once", type=int, default=2, help="meetings side by side")
    options = parser.parse_args()
    print(describe_machine())
    soaked = asyncio.run(run(options.minutes, options.workers, options.at_once))
    print(
        f"{soaked.joins} joins in {soaked.seconds / 60:.0f} minutes: "
        f"{soaked.bytes_per_join:.0f} bytes per join, {soaked.growth_per_thousand:+.2%} per 1,000 joins"
    )
    for failure in soaked.failures:
        print(f"failed: {failure}")
    for complaint in (found := complaints(soaked)):
        print(complaint, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
