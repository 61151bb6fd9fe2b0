"""The one place of signaling that reads the clock; everyone else is given a `Clock` or a time."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """Implements `signaling.services.ports.Clock` on the machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
