"""The table of clients says what tests have shown, and no more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import compat
from tests.support.compat import Showing


def showing(feature: str, outcome: str = compat.WORKS, version: str = "2", test: str = "a") -> Showing:
    return Showing("aiortc", feature, outcome, version, test, f"2026-01-0{version}")


def row(page: str, feature: str) -> str:
    return next(line for line in page.splitlines() if line.startswith(f"| {feature} |"))


def test_a_cell_says_works_only_where_a_test_showed_it() -> None:
    page = compat.render([showing("publish VP8"), showing("publish AV1", compat.LACKS)])
    assert row(page, "publish VP8") == "| publish VP8 | works |"
    assert row(page, "publish AV1") == "| publish AV1 | not supported by the client |"
    assert row(page, "relay") == "| relay | not tested |"
    assert "| | aiortc 2 |" in page


def test_what_an_older_version_did_does_not_count() -> None:
    page = compat.render([showing("publish VP8", version="1"), showing("relay")])
    assert row(page, "publish VP8") == "| publish VP8 | not tested |"


def test_a_test_that_ran_again_replaces_what_it_said() -> None:
    known = [showing("publish VP8", test="a"), showing("relay", test="b")]
    assert compat.updated(known, ["a"], []) == [showing("relay", test="b")]


def test_runs_that_end_at_the_same_time_all_stay_in_the_record(tmp_path: Path) -> None:
    record = tmp_path / "artifacts" / "record.json"
    names = [f"test {number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: compat.enter([name], [showing("relay", test=name)], record), names))
    assert {one.test for one in compat.load(record)} == set(names)


def test_parameters_fill_in_what_a_test_shows() -> None:
    compat.note_version("aiortc", "9")
    (shown,) = compat.showings("t", [("aiortc", "publish {codec}")], {"codec": "VP8"}, "2026-01-01")
    assert (shown.feature, shown.version) == ("publish VP8", "9")
    with pytest.raises(ValueError, match="publish VP7"):
        compat.showings("t", [("aiortc", "publish {codec}")], {"codec": "VP7"}, "2026-01-01")
