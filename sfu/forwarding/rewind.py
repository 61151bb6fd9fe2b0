"""How a new receiver gets its first picture out of the history, where a key frame came a moment ago.

A key frame is asked for at most twice a second, so whoever comes right after one would wait for the next. But
the last one is still there, with everything since: sent in one go it is what the others got, and the receiver
goes on with them from the next packet. Only for a leg that has sent nothing yet: to any other one these
pictures would be a second time, or a step back.

What is sent at once is bounded (`MAX_PACKETS`), for it comes over whatever path the receiver has; and so is
its age (`MAX_AGE`), by which its first pictures are shown late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfu.forwarding.batch import Batch, Packet
from sfu.forwarding.fanout import send
from sfu.forwarding.keyframes import THROTTLE
from sfu.forwarding.selector import detach, switch

if TYPE_CHECKING:
    from sfu.forwarding.cut import Cut
    from sfu.forwarding.history import History
    from sfu.forwarding.leg import Leg

MAX_PACKETS = 64
"""About twice a key frame of a camera, or half a second of 1 Mbit/s."""
MAX_AGE = THROTTLE
"""Seconds of media time from the key frame to the newest packet. For one that is older, another may be asked
for at once."""


def since_keyframe(history: History, keyframe: int, newest: int, clock_rate: int) -> list[Packet] | None:
    """The packets from a key frame to the newest one, by extended sequence. None where they are too many, too
    old, or not all there."""
    if keyframe < 0 or not 0 <= newest - keyframe < MAX_PACKETS:
        return None
    packets: list[Packet] = []
    for sequence in range(keyframe, newest + 1):
        packet = history.get(sequence)
        if packet is None:
            return None
        packets.append(packet)
    if (packets[-1][2] - packets[0][2]) & 0xFFFFFFFF > MAX_AGE * clock_rate:
        return None
    return packets


def rewind(leg: Leg, target: Cut, now: float) -> bool:
    """Have a leg begin on the cut of all layers with its last key frame, and go on with the rest of its legs.

    False, and nothing has happened, where that is not possible: then it waits for the next key frame.
    """
    encoding = target.encoding
    if leg.epochs or not leg.ready or not target.is_whole:
        return False
    packets = encoding.since_keyframe(now)
    if packets is None:
        return False
    encoding.keyframes.ahead = False
    detach(leg)
    switch(leg, target, packets[0], now)
    encoding.on_switch(leg)
    history = target.history
    if send(leg, Batch(packets, history.shape, history.numbers), now):
        encoding.forwarded += len(packets)
    else:
        encoding.leave(leg)
    return True
