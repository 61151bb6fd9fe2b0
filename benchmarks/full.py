"""`make bench-full`: every row of the table of targets, each on a server of its own.

    python -m benchmarks.full [--seconds 10] [--only joins,idle] [--keep] [--write docs/performance.md]

Prints a table with machine and date as it goes and writes everything to artifacts/bench-full.json. `--keep`
takes what is not measured now from there, so that the table can be made in parts; `--write` puts the tables
into docs/performance.md and docs/operations.md. It never passes or fails: a figure above its target is a
figure.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.bare_loop import microseconds_per_packet, nanoseconds_per_step
from benchmarks.document import machine_line, write_json, write_section
from benchmarks.fanout import BURST, PACKET_SIZE
from benchmarks.rows import BENCHMARKS, Benchmark, Row
from sfu.load.usage import describe_machine

OUTPUT = Path("artifacts/bench-full.json")
MAX_REASON = 200
HEADER = ("| benchmark | load | figure | target | besides | step ns |", "|---|---|---|---|---|---|")


def _run_one(benchmark: Benchmark, seconds: float) -> list[Row]:
    return asyncio.run(benchmark(seconds))


async def run(names: list[str], seconds: float) -> dict[str, list[Row]]:
    """In turn; one that could not be measured is a row that says why."""
    found: dict[str, list[Row]] = {}
    for name in names:
        before = nanoseconds_per_step()
        try:
            # A thread for each: what gives way to its server is the thread, and the next server starts anew.
            rows = await asyncio.to_thread(_run_one, BENCHMARKS[name], seconds)
        except Exception as error:
            # Whatever it was, the rows after it are still wanted.
            why = " ".join((str(error) or repr(error)).split())[:MAX_REASON]
            rows = [Row(name, "", "not measured", "", why)]
        step = (round(before), round(nanoseconds_per_step()))
        found[name] = [row if row.step_ns is not None else replace(row, step_ns=step) for row in rows]
        print(*found[name], sep="\n", flush=True)
    return found


def known(path: Path) -> dict[str, list[Row]]:
    """What the last runs wrote. Raises `ValueError` where that is something else."""
    if not path.exists():
        return {}
    content: dict[str, list[dict[str, Any]]] = json.loads(path.read_text()).get("rows", {})
    try:
        return {name: [_parse_row(row) for row in rows] for name, rows in content.items()}
    except (AttributeError, TypeError) as error:
        raise ValueError(f"{path} is not from this version: {error}") from error


def _parse_row(content: dict[str, Any]) -> Row:
    row = Row(**content)
    step = None if row.step_ns is None else (row.step_ns[0], row.step_ns[1])
    sections = tuple((document, mark, text) for document, mark, text in row.sections)
    return replace(row, step_ns=step, sections=sections)


def write(path: Path, machine: dict[str, object], found: dict[str, list[Row]], last: str) -> None:
    """Put the table into `path`, and the tables that rows have of their own beside it."""
    rows = [row for name in BENCHMARKS for row in found.get(name, [])]
    table = "\n".join([machine_line(machine), "", *HEADER, *(str(row) for row in rows), "", last])
    write_section(path, "bench-full", table)
    for row in rows:
        for document, mark, text in row.sections:
            write_section(path.with_name(document), mark, text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measured window")
    parser.add_argument("--only", help=f"some of: {','.join(BENCHMARKS)}")
    parser.add_argument("--keep", action="store_true", help="take the other rows from the last run's file")
    parser.add_argument("--write", type=Path, help="put the tables into this document and those beside it")
    arguments = parser.parse_args()
    names = arguments.only.split(",") if arguments.only else list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    try:
        kept = known(OUTPUT) if arguments.keep else {}
    except ValueError as error:
        parser.error(str(error))
    machine = describe_machine()
    print(machine_line(machine), *HEADER, sep="\n", flush=True)
    found = kept | asyncio.run(run(names, arguments.seconds))
    bare, ours = (
        microseconds_per_packet(
            receivers=200, burst=BURST, payload_size=PACKET_SIZE, seconds=3.0, our_cipher=our_cipher
        )
        for our_cipher in (False, True)
    )
    last = f"Bare Python loop in the same run: {bare:.2f} µs per packet, {ours:.2f} with the server's cipher."
    print(f"\n{last}")
    rows = {name: [asdict(row) for row in rows] for name, rows in found.items()}
    write_json(
        OUTPUT,
        machine,
        {"bare_loop_us": round(bare, 3), "bare_loop_our_cipher_us": round(ours, 3), "rows": rows},
    )
    if arguments.write is not None:
        write(arguments.write, machine, found, last)


if __name__ == "__main__":
    main()
