"""A cut: one encoding as far as one layer needs it, shared by all legs at that layer.

What a layer leaves out is left out once for all its receivers: the cut numbers the packets it keeps without
gaps, sets the marker at what is now the last packet of a picture, and remembers them under its own numbers.
For a leg it is a stream like any other, a constant offset away, and so are its retransmissions.

A packet lost on the way in is a gap here too, for nobody knows yet whether it is wanted. It gets its number
when it is repaired; if it then turns out to be of a layer that is left out, an empty packet takes the number,
which a receiver counts as received and does not ask for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfu.forwarding.batch import PLAIN_TAIL, WIDE_PLAIN_TAIL, Packet
from sfu.forwarding.history import History
from sfu.forwarding.leg import TWO_BYTE, Leg
from sfu.layers import WHOLE, Layer, Mark

if TYPE_CHECKING:
    from sfu.forwarding.encoding import Encoding

MAX_GAPS = 512
MAX_PICTURES = 64
MARKER = 0x80


class Cut:
    """`legs` are in the fan-out of this cut. The cut of all layers, `WHOLE`, passes packets untouched."""

    __slots__ = (
        "_bit",
        "_dropped",
        "_dropped_pictures",
        "_frames",
        "_gaps",
        "_next",
        "_pictures",
        "encoding",
        "history",
        "layer",
        "legs",
        "pending",
    )

    def __init__(self, encoding: Encoding, layer: Layer, history: History) -> None:
        self.encoding = encoding
        self.layer = layer
        self.history = history
        self.legs: list[Leg] = []
        self.pending: list[Packet] = []
        self._bit = layer.bit
        self._next = -1
        self._dropped = 0
        self._frames = 0
        self._gaps: dict[int, int] = {}
        """Packets that have not come, and how many had been left out before them."""
        self._dropped_pictures = 0
        self._pictures: dict[int, int] = {}
        """How many pictures had been left out before the last ones, by picture number."""

    @property
    def is_whole(self) -> bool:
        return self.layer is WHOLE

    def legs_like(self, leg: Leg) -> list[Leg]:
        """The legs that get the variant which this one does."""
        return self.encoding.redundant if leg.redundant else self.legs

    def number(self, sequence: int) -> int:
        """The number that a packet has here, or would have, which is about to be taken."""
        return sequence - self._dropped

    @property
    def dropped_pictures(self) -> int:
        """How much lower the number of the next picture is here."""
        return self._dropped_pictures

    @property
    def frames(self) -> int:
        """Frames that were kept, by their markers."""
        return self.encoding.frames if self.is_whole else self._frames

    @property
    def renumbers_pictures(self) -> bool:
        return bool(self._pictures)

    def take(self, packet: Packet, mark: Mark) -> None:
        """Accept a packet in order; what is kept of it goes to `pending`."""
        sequence = packet[0]
        if 0 <= self._next < sequence:
            self._note_gap(sequence)
        self._next = sequence + 1
        needed = mark.needed >> self._bit & 1
        if mark.picture is not None:
            self._note_picture(mark.picture, kept=bool(needed))
        if not needed:
            self._dropped += 1
            return
        kept = self._renumber(packet, mark, self._dropped)
        self._frames += kept[1] >> 7
        self.history.put(kept)
        self.pending.append(kept)

    def take_late(self, packet: Packet, mark: Mark) -> Packet | None:
        """A packet that fills a gap, as it goes out; None where nothing was kept free for it."""
        dropped = self._gaps.pop(packet[0], None)
        if dropped is None:
            return None
        if mark.needed >> self._bit & 1:
            kept = self._renumber(packet, mark, dropped)
        else:
            tail = WIDE_PLAIN_TAIL if self.history.shape is TWO_BYTE else PLAIN_TAIL
            kept = (packet[0] - dropped, 0, packet[2], 1, tail, b"")
        self.history.put(kept)
        return kept

    def _renumber(self, packet: Packet, mark: Mark, dropped: int) -> Packet:
        sequence, _, timestamp, words, tail, payload = packet
        if mark.picture is not None:
            moved = self._pictures.get(mark.picture, self._dropped_pictures)
            counters = self.history.numbers.find(payload) if moved else None
            if counters is not None:
                payload = counters.rewrite(payload, -moved, 0)
        marker = MARKER if mark.final >> self._bit & 1 else 0
        return sequence - dropped, marker, timestamp, words, tail, payload

    def _note_gap(self, end: int) -> None:
        for missing in range(max(self._next, end - MAX_GAPS), end):
            self._gaps[missing] = self._dropped
        while len(self._gaps) > MAX_GAPS:
            del self._gaps[next(iter(self._gaps))]

    def _note_picture(self, picture: int, *, kept: bool) -> None:
        """Pictures that are jumped over keep their place, like packets."""
        if picture in self._pictures:
            return
        last = next(reversed(self._pictures), picture)
        for missing in range(last + 1, min(picture, last + MAX_PICTURES)):
            self._pictures[missing] = self._dropped_pictures
        self._pictures[picture] = self._dropped_pictures
        while len(self._pictures) > MAX_PICTURES:
            del self._pictures[next(iter(self._pictures))]
        if not kept:
            self._dropped_pictures += 1
