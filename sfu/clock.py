"""The only place of the node that reads a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime

monotonic = time.monotonic
"""Seconds, never going back. Every `now` in this package is one of these."""


def utc_now() -> datetime:
    return datetime.now(UTC)
