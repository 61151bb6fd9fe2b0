"""What the system says of another process: real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sfu.core_use import CoreUse, core_use
from tests.support.wait import PATIENCE

needs_schedstat = pytest.mark.skipif(
    not Path("/proc/self/schedstat").exists(), reason="this system does not say it"
)


@needs_schedstat
def test_a_process_that_works_is_ready_and_has_run() -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as working:
        try:
            deadline = time.monotonic() + PATIENCE
            while (use := core_use(working.pid)) is None or not use.ready or use.ran < 0.05:
                assert time.monotonic() < deadline, f"it works; {use}"
                time.sleep(0.01)
        finally:
            working.kill()


@needs_schedstat
def test_a_process_that_is_stopped_is_not_ready_and_does_not_run() -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as stopped:
        try:
            os.kill(stopped.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, stopped.pid, os.WSTOPPED)
            before = core_use(stopped.pid)
            time.sleep(0.05)
            assert before == core_use(stopped.pid)
            assert isinstance(before, CoreUse)
            assert not before.ready
        finally:
            stopped.kill()


def test_of_a_process_that_is_gone_nothing_is_known() -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    assert core_use(gone.pid) is None
