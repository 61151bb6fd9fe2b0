"""Which encoding and layer a leg carries, and the seam between two of them.

              aim: another cut              a frame at which it may change
    +------+ --------------------------> +---------+
    | IDLE |                             | WAITING |
    +------+ <-------------------------- +---------+
              switch (seam laid), or aim: the current one again

While a leg waits, it goes on carrying the old cut; the two are never mixed. To another encoding it changes at
a key frame; to another layer of the same one wherever the codec allows it (`LayerReader.reach`). At the seam
the outgoing sequence number goes on by one, the timestamp by the time that passed at the sender (from the
sender reports of both encodings) or, lacking those, at this node, and whatever counts pictures by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING

from sfu.codecs.counters import Counters
from sfu.forwarding.batch import Packet
from sfu.forwarding.leg import Leg
from sfu.forwarding.numbers import TAIL, Numbers
from sfu.layers import Layer, nearest

if TYPE_CHECKING:
    from sfu.forwarding.cut import Cut
    from sfu.forwarding.encoding import Encoding

MAX_SEAM = 10.0
"""Seconds; sender reports that put the seam further away than this are not believed."""
LOOK_BACK = 32
"""Packets that may be without a picture number before the seam."""


class LayerSwitch(Enum):
    IDLE = auto()
    WAITING = auto()


def layer_switch(leg: Leg) -> LayerSwitch:
    return LayerSwitch.IDLE if leg.target is None else LayerSwitch.WAITING


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


def cut_for(encoding: Encoding, wanted: Layer, *, simulcast: bool) -> Cut:
    """The best cut of an encoding that is not above `wanted`.

    Of a simulcast, spatial layers are its encodings, and this one is taken with all of its own. What was not
    measured yet is not cut.
    """
    present = tuple(rate.layer for rate in encoding.rates)
    if not present:
        return encoding.whole
    top = encoding.reader.top
    limit = Layer(top.spatial, wanted.temporal) if simulcast else wanted
    if encoding.reader.nested and limit.within(top) == top:
        return encoding.whole
    # An upper layer that its publisher stopped sending is none to be at.
    return encoding.cut(Layer(nearest(limit, present).spatial, limit.temporal))


def aim(leg: Leg, target: Encoding) -> None:
    """Make a leg carry all of `target` from its next key frame on. Asking twice changes nothing."""
    aim_at(leg, target.whole)


def aim_at(leg: Leg, target: Cut) -> None:
    """Make a leg carry `target` from where it may be entered. Asking twice changes nothing."""
    if leg.target is target:
        return
    _stop_waiting(leg)
    if leg.carried and leg.cut is target:
        return
    encoding = target.encoding
    leg.target = target
    encoding.waiting.append(leg)
    if encoding.needs_keyframe(leg, target):
        encoding.keyframes.request()


def detach(leg: Leg) -> None:
    """Take a leg out of the fan-out. Its outgoing stream goes on where it was when it is aimed again."""
    _stop_waiting(leg)
    take_out(leg)


def take_out(leg: Leg) -> None:
    """Of the cut it is on. What it waits for, it goes on waiting for."""
    if leg.carried and leg.cut is not None:
        leg.cut.legs_like(leg).remove(leg)
    leg.carried = False


def _stop_waiting(leg: Leg) -> None:
    if leg.target is not None:
        leg.target.encoding.waiting.remove(leg)
        leg.target = None


def switch(leg: Leg, target: Cut, packet: Packet, now: float) -> None:
    """Lay the seam: `packet`, which `target` has not taken yet, is the first that the leg may carry next."""
    previous = leg.cut
    timestamp_offset = _timestamp_offset(leg, target.encoding, packet[2], now)
    if previous is not None and leg.epochs:
        _continue_pictures(leg, previous, target, packet)
    take_out(leg)
    leg.target = None
    leg.open_epoch(target, target.number(packet[0]), timestamp_offset)
    target.legs_like(leg).append(leg)
    leg.carried = True


def _timestamp_offset(leg: Leg, target: Encoding, timestamp: int, now: float) -> int:
    """What to add to the target's timestamps, so that the outgoing ones keep the publisher's pace."""
    previous = leg.encoding
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


def _continue_pictures(leg: Leg, previous: Cut, target: Cut, packet: Packet) -> None:
    """Within one encoding only counters that a cut renumbers need it; TL0PICIDX is never one of them."""
    same = previous.encoding is target.encoding and leg.carried
    if same and not (previous.renumbers_pictures or target.renumbers_pictures):
        return
    numbers = target.history.numbers
    new = _counters(numbers, packet)
    old = _last_counters(leg, previous)
    if old is None or new is None:
        return
    leg.picture_offset += old.picture + 1 - (new.picture - target.dropped_pictures + leg.picture_offset)
    if not same and old.tl0 is not None and new.tl0 is not None:
        leg.tl0_offset += old.tl0 + 1 - new.tl0


def _last_counters(leg: Leg, previous: Cut) -> Counters | None:
    """Of the last packet that went out, as it went out but for TL0PICIDX."""
    last = leg.highest_index - leg.index_offset
    for sequence in range(last, last - LOOK_BACK, -1):
        packet = previous.history.get(sequence)
        counters = None if packet is None else _counters(previous.history.numbers, packet)
        if counters is not None:
            return counters._replace(picture=counters.picture + leg.picture_offset)
    return None


def _counters(numbers: Numbers, packet: Packet) -> Counters | None:
    return numbers.find(packet[4] if numbers.field == TAIL else packet[5])
