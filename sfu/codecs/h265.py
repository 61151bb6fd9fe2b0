"""H.265 over RTP (RFC 7798): finding a picture to begin with among NAL units, aggregates and fragments.

Without decoding order numbers, which senders whose `sprop-max-don-diff` is 0 leave out; others are not taken
(`sfu.rtp.negotiation`). Real-time encoders put no picture behind one to begin with that refers to what was
before it (RASL), so every IRAP picture is one to begin with, not the IDR ones alone. What PACI packets wrap
is not looked into.
"""

from __future__ import annotations

IRAP = range(16, 24)
"""Slices of pictures that a decoder can begin with: BLA, IDR and CRA (H.265, table 7-1)."""
FIRST_IRAP = IRAP[0]
VPS = 32
SPS = 33
SUFFIX_SEI = 40
"""Belongs to the slices in front of it, and goes with them."""
AGGREGATE = 48
FRAGMENT = 49

NAL_HEADER = 2
"""Bytes: a zero bit, the type (6 bits), the layer (6), the temporal layer plus one (3)."""
FIRST_SLICE = 0x80
"""Of the byte behind the header of a slice: it begins its picture."""


def starts_keyframe(payload: bytes) -> bool:
    """Whether this packet begins a picture that a decoder can begin with.

    Encoders send the parameter sets in front of it, alone or aggregated; the first of them counts, since a
    decoder that starts at the slice without them shows nothing.
    """
    if len(payload) <= NAL_HEADER:
        return False
    kind = payload[0] >> 1 & 0x3F
    if kind == AGGREGATE:
        return _aggregate_holds_keyframe(payload)
    if kind == FRAGMENT:
        if not payload[2] & 0x80 or len(payload) == NAL_HEADER + 1:
            return False
        return _begins(payload[2] & 0x3F, payload[3])
    return _begins(kind, payload[2])


def _begins(kind: int, first: int) -> bool:
    return kind in (VPS, SPS) or (kind in IRAP and first & FIRST_SLICE != 0)


def _aggregate_holds_keyframe(payload: bytes) -> bool:
    position = NAL_HEADER
    while position + 2 + NAL_HEADER < len(payload):
        if _begins(payload[position + 2] >> 1 & 0x3F, payload[position + 4]):
            return True
        position += 2 + (payload[position] << 8 | payload[position + 1])
    return False


def find_parameter_set(payload: bytes) -> bytes | None:
    """The sequence parameter set that a packet carries, or the beginning of one that comes in several.

    Behind `NAL_HEADER` bytes, of which the last one may be that of a fragment.
    """
    if len(payload) <= NAL_HEADER:
        return None
    kind = payload[0] >> 1 & 0x3F
    if kind == SPS:
        return payload
    if kind == FRAGMENT and payload[2] & 0x80 and payload[2] & 0x3F == SPS:
        return payload[1:]
    position = NAL_HEADER
    while kind == AGGREGATE and position + 2 + NAL_HEADER < len(payload):
        end = position + 2 + (payload[position] << 8 | payload[position + 1])
        if payload[position + 2] >> 1 & 0x3F == SPS:
            return payload[position + 2 : end]
        position = end
    return None


class DroppableTest:
    """Whether a packet is of a picture that no other refers to. Is called with every packet, in order.

    Types below 16 that are even are of pictures that none of the same temporal layer refers to (H.265,
    7.4.2.2), and those of the highest layer no other one can. Which layer that is, the sequence parameter set
    says: until one came, nothing may be dropped.
    """

    def __init__(self) -> None:
        self._top: int | None = None
        """The highest temporal layer, plus one."""

    def __call__(self, payload: bytes) -> bool:
        if len(payload) <= NAL_HEADER:
            return False
        kind = payload[0] >> 1 & 0x3F
        if kind >= FIRST_IRAP:
            self._learn(payload)
        if kind == AGGREGATE:
            return self._aggregates_droppable(payload)
        if kind == FRAGMENT:
            kind = payload[2] & 0x3F
        return self._is_droppable(kind, payload[1])

    def _learn(self, payload: bytes) -> None:
        unit = find_parameter_set(payload)
        if unit is not None and len(unit) > NAL_HEADER:
            self._top = (unit[NAL_HEADER] >> 1 & 7) + 1

    def _is_droppable(self, kind: int, second: int) -> bool:
        if kind == SUFFIX_SEI:
            return True
        return kind < FIRST_IRAP and not kind & 1 and second & 7 == self._top

    def _aggregates_droppable(self, payload: bytes) -> bool:
        """All of its units: what is needed by others must not go with what is not."""
        position, units = NAL_HEADER, 0
        while position + 2 + NAL_HEADER <= len(payload):
            if not self._is_droppable(payload[position + 2] >> 1 & 0x3F, payload[position + 3]):
                return False
            units += 1
            position += 2 + (payload[position] << 8 | payload[position + 1])
        return units > 0
