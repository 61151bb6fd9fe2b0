"""Records what tests show of clients (`tests/support/compat.py`), prints what they measured, lets no test be
skipped unseen in CI, says which tests share a process, undoes what one makes of logging, and keeps the
garbage collector out of the collection.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

from sfu.worker import configure_logging
from tests.support import compat
from tests.support.logs import logging_kept

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadFileScheduling

TOGETHER = ("tests/compat/",)
"""Folders whose files share what takes long to make: the vendors' SDKs, once imported, and a server."""

# As a worker does it: with the variables of every frame, one traceback takes seconds on a busy machine.
configure_logging()

_ran: dict[str, list[compat.Showing]] = {}


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What the tests' modules make while they are imported lasts: looking for garbage there takes every
    process seconds, and as many again at the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a test that is marked `slow` first: begun last, one of them would keep all but one process
    waiting for its end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """A file at a time to each process, but folders of `TOGETHER` whole to one."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByFileOrFolder(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            shared = next((folder for folder in TOGETHER if nodeid.startswith(folder)), None)
            return shared or super()._split_scope(nodeid)

    return ByFileOrFolder(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    with logging_kept():
        return (yield)


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """`.ci/run` installs all that tests need: what is skipped there is a missing install step, and fails."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which nothing may be in CI: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests measured (`record_property`), which none of them asserts: for people to compare."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    measured = [report for report in reports if report.user_properties]
    if measured:
        terminalreporter.section("measured")
    for report in measured:
        figures = ", ".join(f"{name} {value}" for name, value in report.user_properties)
        terminalreporter.line(f"{report.nodeid}: {figures}")


def pytest_sessionfinish() -> None:
    if _ran:
        new = [one for showings in _ran.values() for one in showings]
        compat.enter(_ran, new)
