"""Which encoding a leg carries, and the seam between two of them.

              choose: another encoding            key frame of the target
    +------+ --------------------------> +----------------------+
    | IDLE |                             | WAITING_FOR_KEYFRAME |
    +------+ <-------------------------- +----------------------+
              switch (seam laid), or choose: the current one again

While a leg waits, it goes on carrying the old encoding; the two are never mixed. At the seam the outgoing
sequence number goes on by one, the timestamp by the time that passed at the sender (from the sender reports
of both encodings) or, lacking those, at this node, and VP8's picture id and TL0PICIDX by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING

from sfu.codecs import vp8
from sfu.errors import CodecError
from sfu.forwarding.batch import Packet
from sfu.forwarding.leg import Leg

if TYPE_CHECKING:
    from sfu.forwarding.encoding import Encoding

MAX_SEAM = 10.0
"""Seconds; sender reports that put the seam further away than this are not believed."""


class LayerSwitch(Enum):
    IDLE = auto()
    WAITING_FOR_KEYFRAME = auto()


def layer_switch(leg: Leg) -> LayerSwitch:
    return LayerSwitch.IDLE if leg.target is None else LayerSwitch.WAITING_FOR_KEYFRAME


def choose(encodings: Sequence[Encoding], preferred: int | None, now: float) -> Encoding | None:
    """The best encoding that is being received and not above `preferred` (None: no limit).

    Where only better ones are being received, the lowest of them. None where there is nothing better than to
    stay: no encodings, or none of several is being received. A producer's only encoding is always the choice.
    """
    if not encodings:
        return None
    if len(encodings) == 1:
        return encodings[0]
    live = [encoding for encoding in encodings if encoding.is_live(now)]
    if not live:
        return None
    fitting = [encoding for encoding in live if preferred is None or encoding.spatial <= preferred]
    return fitting[-1] if fitting else live[0]


def aim(leg: Leg, target: Encoding) -> None:
    """Make a leg carry `target` from its next key frame on. Asking twice changes nothing."""
    if leg.target is target:
        return
    if leg.target is not None:
        leg.target.waiting.remove(leg)
        leg.target = None
    if leg.encoding is target and leg in target.legs_like(leg):
        return
    leg.target = target
    target.waiting.append(leg)
    target.keyframes.request()


def detach(leg: Leg) -> None:
    """Take a leg out of the fan-out. Its outgoing stream goes on where it was when it is aimed again."""
    if leg.target is not None:
        leg.target.waiting.remove(leg)
        leg.target = None
    if leg.encoding is not None and leg in leg.encoding.legs_like(leg):
        leg.encoding.legs_like(leg).remove(leg)


def switch(leg: Leg, target: Encoding, packet: Packet, now: float) -> None:
    """Lay the seam: `packet`, the first of a key frame of `target`, is what the leg carries next."""
    previous = leg.encoding
    timestamp_offset = _timestamp_offset(leg, previous, target, packet[2], now)
    if previous is not target and target.is_vp8 and previous is not None and leg.epochs:
        _continue_pictures(leg, previous, packet[5])
    if previous is not None and leg in previous.legs_like(leg):
        previous.legs_like(leg).remove(leg)
    leg.target = None
    leg.open_epoch(target, packet[0], timestamp_offset)
    target.legs_like(leg).append(leg)


def _timestamp_offset(
    leg: Leg, previous: Encoding | None, target: Encoding, timestamp: int, now: float
) -> int:
    """What to add to the target's timestamps, so that the outgoing ones keep the publisher's pace."""
    if previous is target:
        return leg.timestamp_offset
    if previous is None or leg.last_timestamp is None:
        return 0
    rate = target.stream.clock_rate
    old, new = previous.stream, target.stream
    if old.sender_ntp and new.sender_ntp:
        apart = (new.sender_ntp - old.sender_ntp) / 4294967296.0
        offset = round(old.sender_timestamp + apart * rate) - new.sender_timestamp + leg.timestamp_offset
        step = (timestamp + offset - leg.last_timestamp) & 0xFFFFFFFF
        if 0 < step < MAX_SEAM * rate:
            return offset & 0xFFFFFFFF
    elapsed = max(1, round((now - leg.last_sent_at) * rate))
    return (leg.last_timestamp + elapsed - timestamp) & 0xFFFFFFFF


def _continue_pictures(leg: Leg, previous: Encoding, payload: bytes) -> None:
    last = previous.history.get(leg.highest_index - leg.index_offset)
    if last is None:
        return
    try:
        old = vp8.parse_descriptor(last[5])
        new = vp8.parse_descriptor(payload)
    except CodecError:
        return
    if old.picture_id is not None and new.picture_id is not None:
        leg.picture_offset = old.picture_id + leg.picture_offset + 1 - new.picture_id
    if old.tl0 is not None and new.tl0 is not None:
        leg.tl0_offset = old.tl0 + leg.tl0_offset + 1 - new.tl0
