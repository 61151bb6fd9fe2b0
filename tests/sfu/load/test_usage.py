"""CPU and memory of a process and everything below it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from sfu.load.usage import Usage, describe_machine, tree_usage

BURN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"


def burning_child() -> subprocess.Popen[bytes]:
    """A process whose own child uses 0.3 s of CPU and then waits to be told."""
    inner = f"{BURN}\nprint(flush=True)\nimport sys\nsys.stdin.read()"
    outer = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {inner!r}])"
    return subprocess.Popen([sys.executable, "-c", outer], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_the_time_of_grandchildren_counts_while_they_live_and_after() -> None:
    before = tree_usage(os.getpid())
    with burning_child() as child:
        assert child.stdout is not None
        child.stdout.readline()
        alive = tree_usage(child.pid)
        assert alive.cpu_s >= 0.25
        assert alive.processes == 2
        assert alive.memory_bytes > 1 << 20
        child.communicate()
    assert tree_usage(os.getpid()).cpu_s - before.cpu_s >= 0.25


def test_time_that_passes_idly_does_not_count() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        before = tree_usage(child.pid)
        deadline = time.monotonic() + 0.2
        while time.monotonic() < deadline:
            pass
        assert tree_usage(child.pid).cpu_s - before.cpu_s <= 0.02
        child.communicate(b"\n")


def test_a_process_that_is_not_there_is_named() -> None:
    with pytest.raises(ProcessLookupError, match="99999999"):
        tree_usage(99999999)


def test_the_machine_is_described() -> None:
    machine = describe_machine()
    assert machine["cores"] == os.cpu_count()
    assert machine["cpu"]


def test_the_busiest_process_is_told_from_the_rest() -> None:
    before = Usage({1: 5.0, 2: 1.0}, 0)
    after = Usage({1: 5.5, 2: 3.0, 3: 1.0}, 0)
    assert after.cpu_s - before.cpu_s == 3.5
    assert after.busiest_since(before) == 2.0
