"""Arithmetic on numbers that wrap: RTP sequence numbers (16 bits) and timestamps (32 bits).

Of two numbers, the newer is the one less than half the range ahead (RFC 1982; RFC 3550 appendix A.1).
"""

from __future__ import annotations


def sequence_newer(a: int, b: int) -> bool:
    """Whether sequence number `a` comes after `b`. At exactly half the range apart, neither does."""
    return 0 < (a - b) & 0xFFFF < 0x8000


def sequence_difference(a: int, b: int) -> int:
    """How far `a` is ahead of `b`: -32768 to 32767."""
    return ((a - b + 0x8000) & 0xFFFF) - 0x8000


def extend(sequence: int, highest_extended: int) -> int:
    """The number nearest to `highest_extended` whose lower 16 bits are `sequence`. It can be negative."""
    return highest_extended + ((sequence - highest_extended + 0x8000) & 0xFFFF) - 0x8000


def timestamp_newer(a: int, b: int) -> bool:
    """Whether timestamp `a` comes after `b`. At exactly half the range apart, neither does."""
    return 0 < (a - b) & 0xFFFFFFFF < 0x80000000


def timestamp_difference(a: int, b: int) -> int:
    """How far `a` is ahead of `b`: -2^31 to 2^31 - 1."""
    return ((a - b + 0x80000000) & 0xFFFFFFFF) - 0x80000000


def extend_timestamp(timestamp: int, highest_extended: int) -> int:
    """The number nearest to `highest_extended` whose lower 32 bits are `timestamp`. It can be negative."""
    return highest_extended + ((timestamp - highest_extended + 0x80000000) & 0xFFFFFFFF) - 0x80000000
