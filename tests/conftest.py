"""Records what tests show of clients; see `tests/support/compat.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import compat

_ran: dict[str, list[compat.Showing]] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    compat.forget_notes()
    marks = [mark.args for mark in item.iter_markers("shows")]
    try:
        yield
    except BaseException:
        if marks:
            _ran[item.nodeid] = []
        raise
    callspec = getattr(item, "callspec", None)
    parameters = {} if callspec is None else callspec.params
    shown = compat.showings(item.nodeid, marks, parameters, compat.today())
    if shown:
        _ran[item.nodeid] = shown


def pytest_sessionfinish() -> None:
    if _ran:
        new = [one for showings in _ran.values() for one in showings]
        compat.save(compat.updated(compat.load(), _ran, new))
