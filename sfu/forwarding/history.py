"""The last packets of one encoding, for retransmission. Shared by all its receivers, never copied per leg."""

from __future__ import annotations

from sfu.forwarding.batch import Packet

VIDEO_PACKETS = 1024
AUDIO_PACKETS = 128


class History:
    """A ring by extended sequence number. The size is a power of two."""

    __slots__ = ("_mask", "_ring", "size")

    def __init__(self, size: int) -> None:
        assert size & (size - 1) == 0
        self.size = size
        self._mask = size - 1
        self._ring: list[Packet | None] = [None] * size

    def put(self, packet: Packet) -> None:
        self._ring[packet[0] & self._mask] = packet

    def get(self, sequence: int) -> Packet | None:
        packet = self._ring[sequence & self._mask]
        return packet if packet is not None and packet[0] == sequence else None
