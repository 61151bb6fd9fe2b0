"""One encoding of a producer: what came in of it, and the legs it goes out on.

Packets arrive through `take`, in any order, and leave through `flush`, once per turn of the loop. A late or
repaired packet leaves at once, alone.

Legs that take all of it are on the cut `whole`, whose packets are not looked into. Only while a leg waits for
a place to change, or is on a lesser cut, packets are read one by one: once, however many legs there are.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable

from sfu.codecs.layering import LayerReader, is_whole, needs_keyframe
from sfu.forwarding.batch import PLAIN_TAIL, Packet
from sfu.forwarding.cut import Cut
from sfu.forwarding.history import AUDIO_PACKETS, VIDEO_PACKETS, History
from sfu.forwarding.keyframes import KeyframeRequests
from sfu.forwarding.leg import ONE_BYTE, TWO_BYTE, Leg
from sfu.forwarding.moves import find_moves, strand
from sfu.forwarding.numbers import numbers_of
from sfu.forwarding.outgoing import forward_all, forward_late, forward_whole
from sfu.forwarding.reading import Reading
from sfu.forwarding.rewind import since_keyframe
from sfu.forwarding.selector import aim_at, switch, take_out
from sfu.forwarding.stream import ReceiveStream
from sfu.forwarding.told import Told
from sfu.layers import WHOLE, Layer, LayerRate, together
from sfu.rtp.negotiation import is_described

LIVE_WITHIN = 1.5
"""Seconds without a packet after which a simulcast encoding counts as not sent any more."""
MAX_JUMP = 3000
"""Packets that may be missing between two turns; beyond that it is another stream that goes on (RFC 3550
appendix A.1, MAX_DROPOUT). A receiver, too, loses count where its numbers jump too far."""


class Encoding:
    """A simulcast encoding, or the only one of a producer. `spatial` is its rank, 0 = lowest."""

    __slots__ = (
        "_flushed",
        "_patient",
        "blocked",
        "cuts",
        "forwarded",
        "is_video",
        "is_wide",
        "keyframes",
        "mime",
        "on_switch",
        "paused",
        "pending",
        "reading",
        "recovered",
        "redundant",
        "rid",
        "rtx_ssrc",
        "spatial",
        "stream",
        "told",
        "told_live_until",
        "waiting",
        "whole",
    )

    def __init__(
        self,
        *,
        mime: str,
        clock_rate: int,
        spatial: int,
        rid: str | None,
        ssrc: int,
        on_switch: Callable[[Leg], None],
    ) -> None:
        self.mime = mime
        self.is_video = mime.startswith("video/")
        self.is_wide = is_described(mime)
        self.spatial = spatial
        self.rid = rid
        self.rtx_ssrc: int | None = None
        self.stream = ReceiveStream(ssrc, clock_rate, repair=self.is_video)
        self.reading = Reading(mime)
        self.whole = Cut(self, WHOLE, self._new_history())
        self.cuts: list[Cut] = []
        """The lesser ones, each while there are legs on it or waiting for it."""
        self.keyframes = KeyframeRequests()
        self.redundant: list[Leg] = []
        """Legs of receivers that get each packet together with those before it (audio; RFC 2198)."""
        self.waiting: list[Leg] = []
        """Legs aimed at a cut of this encoding that they cannot be on yet."""
        self.pending: list[Packet] = []
        self.paused = False
        self.told: Told | None = None
        """Of a piped encoding: what its origin says of it."""
        self.told_live_until = float("-inf")
        """Of a piped encoding: it is sent to its origin until then, whether it is carried to here or not."""
        self.forwarded = 0
        self.blocked = 0
        self.recovered = 0
        """Packets lost on the way here that a later one held."""
        self.on_switch = on_switch
        self._flushed = -1
        """The newest packet of the turns before, by its extended sequence."""
        self._patient: list[Leg] = []
        """Legs that waited at the last measuring."""

    def is_live(self, now: float) -> bool:
        """Whether its publisher sends it: packets came lately, here or at its origin."""
        return now < self.told_live_until or (
            self.stream.packets > 0 and now - self.stream.last_arrival < LIVE_WITHIN
        )

    @property
    def began(self) -> bool:
        """Whether its publisher ever sent it, under the SSRC that it has now."""
        return self.stream.packets > 0 or self.told_live_until > float("-inf")

    @property
    def wanted(self) -> bool:
        """Whether anybody receives it, or will from its next key frame on."""
        return bool(self.legs or self.redundant or self.waiting)

    @property
    def reader(self) -> LayerReader:
        return self.reading.reader

    @property
    def rates(self) -> tuple[LayerRate, ...]:
        """The layers sent in the last second, and what each takes; empty until that is known."""
        told = self.told
        return told.rates if told is not None and told.rates else self.reading.rates

    @property
    def rate(self) -> int:
        """What all of it takes, in bits per second of payload, like `rates`."""
        told = self.told
        return told.rate if told is not None and told.rates else self.reading.rate

    @property
    def frames(self) -> int:
        """Of video: frames of which the last packet came, by its marker; up to date after `measure`."""
        return self.reading.frames

    @property
    def layers_revision(self) -> int:
        """Another number whenever there are other layers, or other ways between them."""
        return self.reading.revision + (self.told.revision if self.told is not None else 0)

    @property
    def wish(self) -> Layer | None:
        """The least layer that has all that its receivers are on or wait for; None where there are none."""
        if not self.cuts and not self.waiting:
            return WHOLE if self.whole.legs or self.redundant else None
        layers = {cut.layer for cut in (self.whole, *self.cuts) if cut.legs}
        layers.update(leg.target.layer for leg in self.waiting if leg.target is not None)
        if self.redundant:
            layers.add(WHOLE)
        return together(layers, nested=self.reader.nested)

    def brings(self, layer: Layer) -> bool:
        """Whether a key frame that comes now begins a layer here. Lower ones do for a while, where they are
        what it stands on; otherwise they would be all that ever came."""
        carried = self.told.carried if self.told is not None else None
        if carried is None or carried == WHOLE or self.reader.nested:
            return True
        return carried.spatial == layer.within(self.reader.top).spatial

    @property
    def history(self) -> History:
        return self.whole.history

    @property
    def pending_requests(self) -> bool:
        """Whether the publisher has to be asked for something: lost packets or a key frame."""
        nack = self.stream.nack
        return self.asks_keyframe or (nack is not None and len(nack) > 0)

    @property
    def asks_keyframe(self) -> bool:
        """Whether a key frame is wanted by somebody who is there, or is about to be."""
        return self.keyframes.ahead or (self.keyframes.wanted and self.wanted)

    def restart(self, ssrc: int) -> None:
        """The encoding goes on under another SSRC, from another sequence number.

        The legs keep their outgoing streams; a video leg waits for the new stream's key frame.
        """
        self._enter_anew()
        self.pending.clear()
        self.whole.history = self._new_history()
        self.cuts = [Cut(self, cut.layer, self._new_history()) for cut in self.cuts]
        for leg in self.waiting:
            leg.target = self.cut(leg.target.layer) if leg.target is not None else self.whole
        self.reading.restart(self.mime)
        self._flushed = -1
        self.stream = ReceiveStream(ssrc, self.stream.clock_rate, repair=self.is_video)

    def take_recovered(self, sequence: int, timestamp: int, payload: bytes) -> None:
        """Accept what a later packet held of one that never came; `flush` has to be called for it."""
        packet = (self.stream.jump(sequence), 0, timestamp, 1, PLAIN_TAIL, payload)
        self.history.put(packet)
        self.pending.append(packet)
        self.recovered += 1

    def cut(self, wanted: Layer | None) -> Cut:
        """The cut for a layer (None: all of it), made when it is first asked for."""
        if wanted is None:
            return self.whole
        self._catch_up()
        return self._cut_at(wanted)

    def _cut_at(self, wanted: Layer) -> Cut:
        if is_whole(self.reader, wanted):
            return self.whole
        layer = wanted.within(self.reader.top)
        known = next((cut for cut in self.cuts if cut.layer == layer), None)
        if known is None:
            known = Cut(self, layer, self._new_history())
            self.cuts.append(known)
        return known

    @property
    def legs(self) -> list[Leg]:
        """Everybody in the fan-out, whichever cut they are on."""
        if not self.cuts:
            return self.whole.legs
        return [leg for cut in (self.whole, *self.cuts) for leg in cut.legs]

    def take(
        self, sequence: int, marker: int, timestamp: int, words: int, tail: bytes, payload: bytes, now: float
    ) -> bool:
        """Accept one authenticated packet. True when `flush` has to be called for it."""
        stream = self.stream
        previous = stream.highest
        if previous >= 0:
            step = (sequence - previous) & 0xFFFF
            if not 0 < step < 0x8000 and self.history.get(previous - (-step & 0xFFFF)) is not None:
                # The same packet by RTX and on its own: its index must not be sealed a second time.
                stream.duplicates += 1
                return False
        extended = stream.accept(sequence, timestamp, len(payload), now)
        if extended < 0 or previous - extended >= self.history.size:
            return False
        packet = (extended, marker, timestamp, words, tail, payload)
        self.history.put(packet)
        if extended > previous:
            self.pending.append(packet)
            return True
        if extended > self._flushed and self.pending:
            # Overtaken within this turn: nothing is late yet.
            insort(self.pending, packet)
            return True
        if not self.paused:
            forward_late(self, packet, now)
        return False

    def flush(self, now: float) -> None:
        """Forward what came in this turn."""
        packets = self.pending
        self.pending = []
        if not packets:
            return
        newest = packets[-1][0]
        jumped = newest - self._flushed > MAX_JUMP and self._flushed >= 0
        self._flushed = newest
        if self.paused:
            return
        if jumped:
            self._enter_anew()
            return
        if self.waiting or self.cuts:
            self._forward_in_layers(packets, now)
        else:
            forward_whole(self, packets, now)

    def request_keyframe(self) -> None:
        """Somebody cannot decode without one; asked for on the next tick, at most twice a second."""
        if self.is_video:
            self._catch_up()  # a key frame from before is no answer to it
            self.keyframes.request()

    def since_keyframe(self, now: float) -> list[Packet] | None:
        """What went out since the last key frame; None where somebody new cannot begin with that."""
        if not self.is_video or self.paused or not self.is_live(now):
            return None
        self._catch_up()
        return since_keyframe(self.history, self.reading.keyframe, self._flushed, self.stream.clock_rate)

    def leave(self, leg: Leg) -> None:
        """A leg lost packets here: it goes on from where it may enter next."""
        target = leg.target if leg.target is not None else leg.cut
        assert target is not None
        take_out(leg)
        aim_at(leg, target)

    def measure(self, now: float) -> None:
        """On a tick: what the layers take, which cuts nobody is on, and who waits in vain.

        The packets since the last tick are read now, if no cut made it necessary before; rates are settled
        once a second.
        """
        if not self.is_video:
            return
        self._catch_up()
        if not self.reading.settle(now):
            return
        self.cuts = [cut for cut in self.cuts if cut.legs or any(leg.target is cut for leg in self.waiting)]
        if any(leg in self._patient for leg in self.waiting):
            self.keyframes.request()
        self._patient = list(self.waiting)

    def needs_keyframe(self, leg: Leg, target: Cut) -> bool:
        """Whether a leg gets onto a cut of this encoding at a key frame only; onto audio it gets anywhere."""
        if not self.is_video:
            return False
        current = leg.cut
        if current is None or current.encoding is not self or not leg.carried:
            return True
        return needs_keyframe(self.reader, current.layer, target.layer)

    # --- inside --------------------------------------------------------------------------------------

    def _enter_anew(self) -> None:
        """The publisher's numbers went on elsewhere. What came with the jump is not forwarded, so that no
        receiver's numbers ever jump far."""
        for leg in (*self.legs, *self.redundant):
            self.leave(leg)

    def _forward_in_layers(self, packets: list[Packet], now: float) -> None:
        """Packet by packet: move the legs that may change here, and let every cut take its part."""
        reading = self.reading
        self._catch_up_to(packets[0][0])
        start = 0
        for position, packet in enumerate(packets):
            top = reading.reader.top
            mark = reading.read(packet)
            if reading.reader.top.spatial < top.spatial and not mark.key:
                forward_all(self, packets[start:position], now)
                start = position
                strand(self, reading.reader.top.spatial)
            if self.waiting and (mark.key or (mark.starts_frame and self._has(packet[0] - 1))):
                moves = find_moves(self, mark)
                if moves:
                    forward_all(self, packets[start:position], now)
                    start = position
                    for leg, layer in moves:
                        self._move(leg, layer, packet, now)
            if mark.key and not self.waiting:
                self.keyframes.handle_keyframe()
            for cut in self.cuts:
                cut.take(packet, mark)
        forward_all(self, packets[start:], now)

    def _has(self, sequence: int) -> bool:
        """Whether a packet came. Behind a picture without its last one nobody changes the cut: it would not
        find them there any more when it is repaired."""
        return self.history.get(sequence) is not None

    def _move(self, leg: Leg, layer: Layer, packet: Packet, now: float) -> None:
        target = leg.target
        assert target is not None
        cut = target if layer == target.layer else self._cut_at(layer)
        switch(leg, cut, packet, now)
        if cut is not target:
            # A step of the way: it goes on waiting for the rest.
            leg.target = target
        else:
            self.waiting.remove(leg)
        self.on_switch(leg)

    def _catch_up(self) -> None:
        if self.stream.highest >= 0:
            self._catch_up_to(self.pending[0][0] if self.pending else self.stream.highest + 1)

    def _catch_up_to(self, end: int) -> None:
        before = self.reading.keys
        self.reading.read_up_to(end, self.history)
        if self.reading.keys != before and not self.waiting:
            self.keyframes.handle_keyframe()

    def _new_history(self) -> History:
        return History(
            VIDEO_PACKETS if self.is_video else AUDIO_PACKETS,
            TWO_BYTE if self.is_wide else ONE_BYTE,
            numbers_of(self.mime),
        )
