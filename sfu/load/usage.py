"""What a process and everything below it has used, from /proc, and what machine this is.

CPU time counts the processes that live plus what their reaped children had used, so that the sum never goes
back when one ends. The kernel accounts in ticks of (usually) 10 ms.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """`memory_bytes` is resident, shared pages counted per process."""

    cpu_by_process: Mapping[int, float]
    """Seconds since each process began, by process id."""
    memory_bytes: int

    @property
    def cpu_s(self) -> float:
        return sum(self.cpu_by_process.values())

    @property
    def processes(self) -> int:
        return len(self.cpu_by_process)

    def busiest_since(self, before: Usage) -> float:
        """Seconds of CPU of the process that used most since then."""
        used = (cpu - before.cpu_by_process.get(pid, 0.0) for pid, cpu in self.cpu_by_process.items())
        return max(used, default=0.0)


@dataclass(frozen=True, slots=True)
class _Stat:
    parent: int
    ticks: int
    resident_pages: int


def tree_usage(root: int) -> Usage:
    """Usage of a process and its descendants. Raises `ProcessLookupError` when there is no such process."""
    stats = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            stat = _read_stat(int(entry.name))
            if stat is not None:
                stats[int(entry.name)] = stat
    if root not in stats:
        raise ProcessLookupError(f"there is no process {root}")
    members = {root}
    while True:
        found = {pid for pid, stat in stats.items() if stat.parent in members} - members
        if not found:
            break
        members |= found
    return Usage(
        cpu_by_process={pid: stats[pid].ticks / TICKS_PER_SECOND for pid in members},
        memory_bytes=sum(stats[pid].resident_pages for pid in members) * PAGE_SIZE,
    )


def buffer_errors() -> int:
    """Datagrams that this machine dropped because a UDP socket's buffer was full (`RcvbufErrors` of
    /proc/net/snmp), of whatever process; 0 where it does not say."""
    try:
        lines = (PROC / "net" / "snmp").read_text().splitlines()
    except OSError:
        return 0
    rows = [line.split()[1:] for line in lines if line.startswith("Udp: ")]
    if len(rows) != 2:
        return 0
    return int(dict(zip(*rows, strict=False)).get("RcvbufErrors", 0))


def describe_machine() -> dict[str, object]:
    """What figures of this machine have to be shown with."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_mib": os.sysconf("SC_PHYS_PAGES") * PAGE_SIZE >> 20,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 2),
    }


def _read_stat(pid: int) -> _Stat | None:
    """Fields of proc(5) `stat`; None when the process is gone."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    utime, stime, cutime, cstime = (int(field) for field in fields[11:15])
    return _Stat(int(fields[1]), utime + stime + cutime + cstime, int(fields[21]))


def _cpu_model() -> str:
    try:
        lines = (PROC / "cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
