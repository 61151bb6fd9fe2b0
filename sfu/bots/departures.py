"""When packets left: what their senders note, and receivers in the same process ask for.

A stamp (`sfu.bots.stamp`) is written before its packet is sealed, so it cannot say when the packet was given
to the kernel. Only that moment, held against the kernel's own time of arrival at the receiver's socket,
leaves out what the generator itself takes for sealing, and for coming to read.
"""

from __future__ import annotations

from typing import Final

KEPT: Final = 4096
"""Packets of each stream. More than are ever under way at once: eight seconds of 500 a second."""


class Departures:
    """By stream id and the sender's own count of packets; CLOCK_REALTIME in nanoseconds."""

    def __init__(self) -> None:
        self._streams: dict[int, dict[int, int]] = {}

    def note(self, stream_id: int, first: int, count: int, at_ns: int) -> None:
        """Packets `first` to `first + count - 1` are about to leave."""
        kept = self._streams.setdefault(stream_id, {})
        for counter in range(first, first + count):
            kept[counter] = at_ns
            kept.pop(counter - KEPT, None)

    def when(self, stream_id: int, counter: int) -> int | None:
        """None for what nobody noted, or too long ago."""
        return self._streams.get(stream_id, {}).get(counter)
