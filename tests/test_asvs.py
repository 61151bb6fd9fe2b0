"""Every line of ASVS that is claimed has a test, and docs/security.md names them."""

from __future__ import annotations

from pathlib import Path

from tests.support import asvs

ROOT = Path(__file__).parent.parent


def test_every_line_has_a_test_but_those_that_say_why_not() -> None:
    untested = {line.number for line in asvs.LINES if not line.tested}
    assert {mark.line for mark in asvs.marks()} == {line.number for line in asvs.LINES} - untested
    assert untested == {"17.2.7"}, "the recorder's line, until there is a recorder"


def test_where_a_line_is_enforced_there_is_something() -> None:
    for line in asvs.LINES:
        for path in line.enforced:
            assert (ROOT / path).exists(), path


def test_the_page_names_the_tests_there_are() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    assert page == asvs.written(page), "renew it: python -m tests.support.asvs --write docs/security.md"
