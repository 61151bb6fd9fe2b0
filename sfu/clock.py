"""The only place of the node that reads a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

monotonic = time.monotonic
"""Seconds, never going back. Every `now` in this package is one of these."""
realtime = time.time
"""Seconds since 1970 by the clock that the kernel stamps datagrams with. It may be set while we look."""


_SCHEDSTAT = Path("/proc/self/schedstat")


def utc_now() -> datetime:
    return datetime.now(UTC)


def busy_time() -> float:
    """Seconds for which this process's main thread ran, or would have, had it had a core.

    On Linux the time that it waited for one counts: on a machine shared with others a process may be
    overloaded without having got much. Elsewhere it is the time that it ran.
    """
    try:
        ran, waited, _ = _SCHEDSTAT.read_bytes().split()
    except (OSError, ValueError):
        return time.process_time()
    return (int(ran) + int(waited)) / 1e9
