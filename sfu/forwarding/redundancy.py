"""Redundant audio on its way through: taken apart where it comes in, made again for those who want it.

Inside, an audio packet is what its codec made, whether it came with redundancy or without. Receivers that do
not know RED get exactly that. For the others the fan-out has a second variant of a turn's batch, with the
payloads before each packet's own taken from the history: so it does not matter whether the publisher sent
them, and one variant serves all its receivers. What the publisher's redundancy holds of packets that were
lost on the way to here is put back in their places, for receivers of both kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sfu.codecs.red import EARLIER_HEADER, MAX_LENGTH, MAX_OFFSET, Earlier, RedPayload, to_red
from sfu.forwarding.batch import Packet
from sfu.forwarding.history import History

if TYPE_CHECKING:
    from sfu.forwarding.encoding import Encoding

DEPTH: Final = 2
"""Earlier payloads in a packet that is made here: two packets lost in a row are made good."""
MAX_PAYLOAD: Final = 1100
"""Bytes a payload may grow to; larger ones go with less redundancy."""
MIN_WORTH: Final = 3
"""Bytes from which an earlier payload is worth repeating: shorter ones are silence (RFC 7587, DTX)."""
HALF_RANGE: Final = 1 << 31


def with_redundancy(packets: Sequence[Packet], history: History, payload_type: int) -> list[Packet]:
    """The packets with what went before them; `payload_type` is the codec's towards receivers."""
    made: list[Packet] = []
    for sequence, marker, timestamp, words, tail, primary in packets:
        room = MAX_PAYLOAD - len(primary)
        earlier: list[Earlier] = []
        for distance in range(1, DEPTH + 1):
            before = history.get(sequence - distance)
            if before is None:
                continue
            offset = timestamp - before[2] & 0xFFFFFFFF
            size = len(before[5])
            if 0 < offset <= MAX_OFFSET and MIN_WORTH <= size <= min(MAX_LENGTH, room - EARLIER_HEADER):
                earlier.append(Earlier(offset, before[5]))
                room -= size + EARLIER_HEADER
        earlier.reverse()
        made.append((sequence, marker, timestamp, words, tail, to_red(primary, earlier, payload_type)))
    return made


def recover(encoding: Encoding, sequence: int, timestamp: int, red: RedPayload) -> None:
    """Put the packets that are missing right before this one into the stream, as far as `red` holds them.

    The n-th payload from the end belongs n packets before: a publisher sends each packet once more with the
    next. One whose time does not lie between its neighbours' is not believed.
    """
    highest = encoding.stream.highest
    step = (sequence - highest) & 0xFFFF
    if highest < 0 or not 1 < step < 0x8000:
        return
    last = encoding.history.get(highest)
    if last is None:
        return
    before = last[2]
    for distance in range(min(step - 1, len(red.earlier)), 0, -1):
        offset, payload = red.earlier[-distance]
        then = timestamp - offset & 0xFFFFFFFF
        if 0 < (then - before & 0xFFFFFFFF) < HALF_RANGE:
            encoding.take_recovered(sequence - distance & 0xFFFF, then, payload)
            before = then
