"""H.264 over RTP (RFC 6184): finding an IDR picture among single NAL units, STAP-A and FU-A."""

from __future__ import annotations

SLICE = 1
"""Of a picture that is no IDR, in one piece."""
IDR = 5
SPS = 7
STAP_A = 24
FU_A = 28


def starts_keyframe(payload: bytes) -> bool:
    """Whether this packet begins an IDR picture.

    Encoders send the parameter sets in front of it, alone or aggregated; the first of them counts, since a
    decoder that starts at the slice without them shows nothing.
    """
    if len(payload) < 2:
        return False
    kind = payload[0] & 0x1F
    if kind == STAP_A:
        return _aggregate_holds_keyframe(payload)
    if kind == FU_A:
        return bool(payload[1] & 0x80) and payload[1] & 0x1F in (IDR, SPS)
    return kind in (IDR, SPS)


def _aggregate_holds_keyframe(payload: bytes) -> bool:
    position = 1
    while position + 2 < len(payload):
        if payload[position + 2] & 0x1F in (IDR, SPS):
            return True
        position += 2 + (payload[position] << 8 | payload[position + 1])
    return False


def is_droppable(payload: bytes) -> bool:
    """Whether a packet is of a picture that no other refers to: slices whose nal_ref_idc is 0 (7.4.1)."""
    if len(payload) < 2:
        return False
    kind = payload[0] & 0x1F
    if kind == STAP_A:
        return _aggregates_droppable(payload)
    if kind == FU_A:
        kind = payload[1] & 0x1F
    return kind == SLICE and not payload[0] & 0x60


def _aggregates_droppable(payload: bytes) -> bool:
    """All of its units: what is needed by others must not go with what is not."""
    position, units = 1, 0
    while position + 2 < len(payload):
        if payload[position + 2] & 0x7F != SLICE:
            return False
        units += 1
        position += 2 + (payload[position] << 8 | payload[position + 1])
    return units > 0


def find_parameter_set(payload: bytes) -> bytes | None:
    """The sequence parameter set that a packet carries, or the beginning of one that comes in several."""
    if not payload:
        return None
    kind = payload[0] & 0x1F
    if kind == SPS:
        return payload
    if kind == FU_A and len(payload) > 2 and payload[1] & 0x80 and payload[1] & 0x1F == SPS:
        return payload[1:]
    position = 1
    while kind == STAP_A and position + 2 < len(payload):
        end = position + 2 + (payload[position] << 8 | payload[position + 1])
        if payload[position + 2] & 0x1F == SPS:
            return payload[position + 2 : end]
        position = end
    return None
