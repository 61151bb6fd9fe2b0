"""The last packets of one encoding, for retransmission. Shared by all its receivers, never copied per leg."""

from __future__ import annotations

from sfu.forwarding.batch import Packet
from sfu.forwarding.leg import ONE_BYTE, Shape
from sfu.forwarding.numbers import NO_NUMBERS, Numbers

VIDEO_PACKETS = 1024
AUDIO_PACKETS = 128


class History:
    """A ring by extended sequence number. The size is a power of two.

    `shape` and `numbers` are what whoever makes a packet again has to know of all of them.
    """

    __slots__ = ("_mask", "_ring", "numbers", "shape", "size")

    def __init__(self, size: int, shape: Shape = ONE_BYTE, numbers: Numbers = NO_NUMBERS) -> None:
        assert size & (size - 1) == 0
        self.size = size
        self.shape = shape
        self.numbers = numbers
        self._mask = size - 1
        self._ring: list[Packet | None] = [None] * size

    def put(self, packet: Packet) -> None:
        self._ring[packet[0] & self._mask] = packet

    def get(self, sequence: int) -> Packet | None:
        packet = self._ring[sequence & self._mask]
        return packet if packet is not None and packet[0] == sequence else None

    def clear(self) -> None:
        """Let go of the packets: nobody will ask for them any more."""
        self._ring = [None] * self.size
