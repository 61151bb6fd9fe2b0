"""The process's objects on huge pages, where Linux gives them to who asks (`transparent_hugepage/enabled`).

What a packet touches lies all over the heap: for each receiver some objects of its own. In pages of 4 KiB the
processor has to look most of them up in the page tables, and on a virtual machine in two of them. CPython
never asks for huge pages, so this asks the kernel, now and then, to put together what the heap has grown by.

It asks from another thread: a page of 2 MiB takes the kernel some milliseconds.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import structlog

log = structlog.get_logger("sfu.huge_pages")

INTERVAL: Final = 10.0
"""Seconds between two looks at the heap."""
SIZE: Final = 2 << 20
"""Bytes of a huge page (x86-64, and ARM64 with pages of 4 KiB)."""
MADV_HUGEPAGE, MADV_COLLAPSE = 14, 25
SETTING: Final = Path("/sys/kernel/mm/transparent_hugepage/enabled")
MAPS: Final = Path("/proc/self/maps")


class Span(NamedTuple):
    """Addresses from `start` to before `end`, whole huge pages."""

    start: int
    end: int


def offered() -> bool:
    """Whether the kernel gives huge pages to a process that asks."""
    if sys.platform != "linux":
        return False
    try:
        return "[never]" not in SETTING.read_text()
    except OSError:
        return False


def heap_spans(maps: Iterable[str]) -> Iterator[Span]:
    """The whole huge pages in what malloc and Python's own allocator have; `maps` are lines of
    `/proc/<pid>/maps` (proc_pid_maps(5))."""
    for line in maps:
        addresses, permissions, _, _, _, *name = line.split(maxsplit=5)
        if not permissions.startswith("rw-p") or (name and name[0].strip() != "[heap]"):
            continue
        first, _, last = addresses.partition("-")
        start, end = -(-int(first, 16) // SIZE) * SIZE, int(last, 16) // SIZE * SIZE
        if start < end:
            yield Span(start, end)


class HugePages:
    """Asks for the heap of this process. `failures` are pages that the kernel refused so far."""

    def __init__(self) -> None:
        self.failures = 0
        self._refused: set[int] = set()
        libc = ctypes.CDLL(None, use_errno=True)
        self._madvise = libc.madvise
        self._madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)

    def ask(self) -> int:
        """Bytes of the heap that are on huge pages now. What the kernel refuses is not asked for again."""
        there = 0
        with MAPS.open() as maps:
            spans = list(heap_spans(maps))
        for span in spans:
            for start in range(span.start, span.end, SIZE):
                if start in self._refused:
                    continue
                if self._collapse(start):
                    there += SIZE
        return there

    def _collapse(self, start: int) -> bool:
        if self._madvise(start, SIZE, MADV_HUGEPAGE) == self._madvise(start, SIZE, MADV_COLLAPSE) == 0:
            return True
        if ctypes.get_errno() == errno.EINVAL:
            # A stack, or a kernel before 6.1, which does it by itself by and by.
            self._refused.add(start)
            self.failures += 1
        return False


async def keep_on_huge_pages() -> None:
    """For as long as the process serves; at once nothing where the kernel has none to give."""
    if not offered():
        return
    pages, before = HugePages(), 0
    while True:
        there = await asyncio.to_thread(pages.ask)
        if there != before:
            before = there
            log.debug("huge pages", mib=there >> 20, refused=pages.failures)
        await asyncio.sleep(INTERVAL)
