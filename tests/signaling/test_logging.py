"""What a log says of a failure: where it was, and nothing of what was in hand there."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest
import structlog
from structlog.testing import capture_logs

from signaling.logging import configure_logging
from tests.support.logs import logging_kept

FAIL = """
import structlog

def fail(token):
    raise LookupError("no such meeting")

{configure}
try:
    fail("{secret}"[::-1])
except LookupError:
    structlog.get_logger("x").exception("request.failed", request="join")
"""
SECRET = "not-for-the-log"


def logged(configure: str) -> str:
    """What a process with that set-up writes of a failure with a secret among its variables."""
    code = FAIL.format(configure=configure, secret=SECRET[::-1])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "configure",
    [
        'from signaling.logging import configure_logging; configure_logging("info", "console")',
        'from signaling.logging import configure_logging; configure_logging("info", "json")',
        "from sfu.worker import configure_logging; configure_logging()",
    ],
    ids=["readable", "json", "a worker's"],
)
def test_a_logged_failure_says_where_it_was_and_shows_no_variables(configure: str) -> None:
    text = logged(configure)
    assert "request.failed" in text
    assert "no such meeting" in text
    assert "fail" in text.replace("request.failed", ""), "the function is named"
    assert SECRET not in text


def test_what_a_command_makes_of_logging_in_the_process_of_the_tests_ends_with_its_test() -> None:
    log, handlers = structlog.get_logger("used.first.by.a.command"), [*logging.getLogger().handlers]
    with logging_kept():
        configure_logging("error", "console")
        log.warning("of the command")
    assert logging.getLogger().handlers == handlers
    with capture_logs() as logs:
        log.warning("of a later test")
    assert [one["event"] for one in logs] == ["of a later test"]
