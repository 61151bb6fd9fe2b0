"""The only place of the node that reads a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime

NTP_EPOCH_OFFSET = 2_208_988_800
"""Seconds from 1900-01-01 (NTP) to 1970-01-01 (Unix)."""

monotonic = time.monotonic
"""Seconds, never going back. Every `now` in this package is one of these."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def ntp_now() -> int:
    """Wall clock as a 64-bit NTP timestamp (RFC 3550 section 4)."""
    return to_ntp(time.time())


def to_ntp(unix_seconds: float) -> int:
    return int((unix_seconds + NTP_EPOCH_OFFSET) * 4294967296.0) & 0xFFFF_FFFF_FFFF_FFFF
