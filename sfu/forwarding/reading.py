"""What is known of an encoding's layers: each packet read once and in order, and counted.

Nobody is waited for here. The packets are read when a cut needs to know of them, otherwise on the next tick,
out of the history; rates are settled once a second.
"""

from __future__ import annotations

from sfu.codecs.frame_size import UNKNOWN, FrameSize, size_test
from sfu.codecs.layering import LayerReader, reader_for
from sfu.forwarding.batch import Packet
from sfu.forwarding.history import History
from sfu.forwarding.numbers import find_descriptor
from sfu.layers import Layer, LayerRate, Mark, cumulative_rates

MEASURE_INTERVAL = 1.0
"""Seconds over which the rates of layers are averaged."""


class Reading:
    """`revision` is another number whenever there are other layers, or other ways between them."""

    __slots__ = (
        "_key_picture",
        "_layers",
        "_measured_at",
        "_next",
        "_octets",
        "_size_test",
        "frames",
        "keyframe",
        "keys",
        "rate",
        "rates",
        "reader",
        "revision",
        "size",
    )

    def __init__(self, mime: str) -> None:
        self.reader: LayerReader = reader_for(mime, find_descriptor)
        self.rates: tuple[LayerRate, ...] = ()
        """The layers that came in the last second, and what each takes; empty until that is known."""
        self.rate = 0
        """What all of it takes, in bits per second of payload, like `rates`."""
        self.frames = 0
        """Frames of which the last packet came, by its marker."""
        self.size: FrameSize = UNKNOWN
        """The largest picture in the last key frame, over all spatial layers."""
        self.keyframe = -1
        """Where the last key frame began, by extended sequence; -1 before the first."""
        self.revision = 0
        self._size_test = size_test(mime)
        self.keys = 0
        """Key frames that began."""
        self._key_picture = -1
        """The timestamp of the last one."""
        self._layers: tuple[Layer, bool, tuple[Layer, ...]] = (self.reader.top, self.reader.nested, ())
        self._next = 0
        self._octets: dict[tuple[Layer, int], int] = {}
        self._measured_at = 0.0

    def restart(self, mime: str) -> None:
        """Another stream follows; what was measured holds until it is measured again."""
        self.reader = reader_for(mime, find_descriptor)
        self.keyframe = -1
        self._next = 0
        self._key_picture = -1

    def read(self, packet: Packet) -> Mark:
        """What a packet is. Each is read once, in order, whoever asks first."""
        sequence, marker, timestamp, _, tail, payload = packet
        mark = self.reader.read(timestamp, marker, tail, payload)
        self._next = sequence + 1
        self.frames += marker >> 7
        if mark.key and timestamp != self._key_picture:
            self._key_picture = timestamp
            self.keyframe = sequence
            self.keys += 1
            self.size = self._size_test(payload, find_descriptor(tail))
        elif timestamp == self._key_picture and mark.starts_frame:
            self.size = max(self.size, self._size_test(payload, None), key=_area)
        key = (mark.layer, mark.needed)
        self._octets[key] = self._octets.get(key, 0) + len(payload)
        return mark

    def read_late(self, packet: Packet) -> Mark:
        """What a packet is whose turn has passed."""
        _, marker, timestamp, _, tail, payload = packet
        return self.reader.read(timestamp, marker, tail, payload, late=True)

    def read_up_to(self, end: int, history: History) -> None:
        """Read the packets before `end` that nobody needed to know of so far."""
        for sequence in range(max(self._next, end - history.size), end):
            packet = history.get(sequence)
            if packet is not None:
                self.read(packet)
        self._next = max(self._next, end)

    def settle(self, now: float) -> bool:
        """Note the layers there are. True once a second, when the rates are new."""
        elapsed = now - self._measured_at
        settled = elapsed >= MEASURE_INTERVAL
        if settled:
            self.rates = cumulative_rates(self._octets, elapsed)
            self.rate = round(8 * sum(self._octets.values()) / elapsed)
            self._octets = {}
            self._measured_at = now
        layers = (self.reader.top, self.reader.nested, tuple(rate.layer for rate in self.rates))
        if layers != self._layers:
            self._layers = layers
            self.revision += 1
        return settled


def _area(size: FrameSize) -> int:
    return size.area
