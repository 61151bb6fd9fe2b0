"""The table of `make bench-full`: made in parts, and put where it belongs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks.full import known, run, write
from benchmarks.overload import Overload
from benchmarks.phases import Heard, Phase
from benchmarks.rows import BENCHMARKS, Row
from benchmarks.scene import Sample, Tries
from sfu.pressure import Level

IDLE = Row("idle", "1,000 people", "5 %", "<= 10 %", "200 MiB", {"peers": 1000}, (60, 61))
OVERLOAD = Row(
    "overload", "8 rooms", "0 lost", "-", "level 2", sections=(("operations.md", "overload", "its table"),)
)
MACHINE: dict[str, object] = {"cpu": "one"}


def document(path: Path, mark: str) -> Path:
    path.write_text(f"before\n<!-- {mark} -->\nold\n<!-- /{mark} -->\nafter\n")
    return path


def test_rows_that_were_measured_before_are_taken_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "bench-full.json"
    rows = {"idle": [asdict(IDLE)], "overload": [asdict(OVERLOAD)]}
    path.write_text(json.dumps({"rows": rows}))
    assert known(path) == {"idle": [IDLE], "overload": [OVERLOAD]}


def test_before_the_first_run_there_are_no_rows(tmp_path: Path) -> None:
    assert known(tmp_path / "none.json") == {}


def test_a_file_of_another_version_is_no_row(tmp_path: Path) -> None:
    path = tmp_path / "bench-full.json"
    path.write_text(json.dumps({"rows": [asdict(IDLE)]}))
    with pytest.raises(ValueError, match="not from this version"):
        known(path)


def test_each_table_goes_into_its_document_and_what_is_around_it_stays(tmp_path: Path) -> None:
    path = document(tmp_path / "performance.md", "bench-full")
    beside = document(tmp_path / "operations.md", "overload")
    write(path, MACHINE, {"overload": [OVERLOAD], "idle": [IDLE]}, "the bare loop")
    text = path.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert text.index(str(IDLE)) < text.index(str(OVERLOAD)) < text.index("the bare loop")
    assert "its table" in beside.read_text()


async def test_a_row_that_fails_says_why_and_the_next_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(_seconds: float) -> list[Row]:
        raise AssertionError("the server ended\nwith 2")

    async def succeeds(_seconds: float) -> list[Row]:
        return [IDLE]

    monkeypatch.setitem(BENCHMARKS, "audio", fails)
    monkeypatch.setitem(BENCHMARKS, "idle", succeeds)
    found = await run(["audio", "idle"], 1.0)
    (row,) = found["audio"]
    assert (row.figure, row.besides) == ("not measured", "the server ended with 2")
    assert found["idle"] == [IDLE]


def test_what_is_given_up_is_told_by_level() -> None:
    def sample(level: Level, paused: int, lowest: int, narrow: int = 0) -> Sample:
        return Sample(level, 0.9, 0.5, videos=10, paused=paused, narrow=narrow, lowest=lowest, packets=100.0)

    heard = {f"everybody {kind}": Heard(100, 0, 1.0, 2.0, 3.0) for kind in ("audio", "video")}
    phases = tuple(
        (Phase(name, 1.0, 0.9, 0.5, 0.0, heard), Tries()) for name in ("before", "during", "after")
    )
    samples = (sample(Level.CALM, 0, 0), sample(Level.SMALL, 5, 0), sample(Level.SMALL, 4, 5, 1))
    found = Overload(
        room_share=0.2,
        base=0.1,
        rooms=9,
        calm_rooms=2,
        tipped=5,
        asked=8,
        entries=Tries(),
        phases=phases,
        samples=samples,
    )
    calm, small = found.level_lines()
    assert calm.startswith("| 0 calm | 0.5 | 90 % | 0 % | 0 % | 0 % |")
    assert small.startswith("| 2 small | 1.0 | 90 % | 45 % | 5 % | 50 % |")
    assert found.highest == Level.SMALL
    assert found.given_up.startswith("5 of 10 videos")
    assert found.times == pytest.approx(3.4)
