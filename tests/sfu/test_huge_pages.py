"""Which of a process's memory is asked to be on huge pages, and that the kernel does it."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

import pytest

from sfu.huge_pages import MAPS, SIZE, HugePages, Span, heap_spans, offered

LINES = """\
00400000-0041f000 r--p 00000000 fe:00 1234                               /usr/bin/python3.11
00a00000-01000000 rw-p 00600000 fe:00 1234                               /usr/bin/python3.11
01234000-03456000 rw-p 00000000 00:00 0                                  [heap]
7f0000000000-7f0000400000 rw-p 00000000 00:00 0
7f0000500000-7f0000600000 rw-p 00000000 00:00 0
7f0000a00000-7f0000c00000 r--p 00000000 00:00 0
7f0001000000-7f0001400000 rw-s 00000000 00:01 99                         /dev/zero (deleted)
7ffc00000000-7ffc00200000 rw-p 00000000 00:00 0                          [stack]
"""


def test_whole_huge_pages_of_the_heap_are_asked_for_and_nothing_else() -> None:
    assert list(heap_spans(LINES.splitlines(keepends=True))) == [
        Span(0x1400000, 0x3400000),
        Span(0x7F0000000000, 0x7F0000400000),
    ]


@pytest.mark.skipif(not offered(), reason="the kernel gives no huge pages")
def test_the_kernel_puts_memory_in_use_on_huge_pages() -> None:
    with mmap.mmap(-1, 4 * SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as used:
        used.write(b"\1" * (4 * SIZE))
        before = on_huge_pages()
        pages = HugePages()
        there = pages.ask()
        assert there >= 3 * SIZE
        assert on_huge_pages() >= before + 3 * SIZE or on_huge_pages() >= there
        assert used[:] == b"\1" * (4 * SIZE)
        refused = pages.failures
        assert pages.ask() >= 3 * SIZE
        assert pages.failures == refused, "nothing is asked for twice that was refused"


def on_huge_pages() -> int:
    """Bytes."""
    found = re.search(r"AnonHugePages:\s+(\d+) kB", Path("/proc/self/smaps_rollup").read_text())
    assert found is not None
    return int(found[1]) << 10


def test_this_process_has_a_heap() -> None:
    if MAPS.exists():
        assert list(heap_spans(MAPS.read_text().splitlines()))
