"""What is fuzzed: a function of bytes that may raise nothing, and inputs to begin from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """`run` contains the errors that its subject documents; whatever else it raises is a finding."""

    name: str
    run: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]


def parts(data: bytes, *, most: int = 16) -> list[bytes]:
    """An input as several packets: each begins with its length in two bytes, the last takes the rest."""
    found: list[bytes] = []
    while len(data) >= 2 and len(found) < most - 1:
        size = int.from_bytes(data[:2], "big") % 2048
        found.append(data[2 : 2 + size])
        data = data[2 + size :]
    if data:
        found.append(data)
    return found


def joined(packets: Sequence[bytes]) -> bytes:
    """The input that `parts` takes apart into these packets."""
    return b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets)
