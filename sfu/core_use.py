"""What the system says of how another process gets on. Source: proc(5), the kernel's sched-stats.rst."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class CoreUse:
    """`ran`: seconds for which the main thread has had a core. `ready`: it has one now, or waits for one."""

    ran: float
    ready: bool


def core_use(pid: int) -> CoreUse | None:
    """None where the system does not say, or the process is gone."""
    folder = _PROC / str(pid)
    try:
        state = (folder / "stat").read_text().rpartition(") ")[2][:1]
        ran, _, _ = (folder / "schedstat").read_text().split()
        return CoreUse(int(ran) / 1e9, state == "R")
    except (OSError, ValueError):
        return None
