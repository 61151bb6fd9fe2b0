"""One encoding of a producer: what came in of it, and the legs it goes out on.

Packets arrive through `take`, in any order, and leave through `flush`, once per turn of the loop. A late or
repaired packet leaves at once, alone.
"""

from __future__ import annotations

from collections.abc import Callable

from sfu.codecs import keyframe_test
from sfu.forwarding.batch import PLAIN_TAIL, Batch, Packet
from sfu.forwarding.fanout import forward, send
from sfu.forwarding.history import AUDIO_PACKETS, VIDEO_PACKETS, History
from sfu.forwarding.keyframes import KeyframeRequests
from sfu.forwarding.leg import Leg
from sfu.forwarding.redundancy import with_redundancy
from sfu.forwarding.selector import aim, switch
from sfu.forwarding.stream import ReceiveStream
from sfu.rtp.negotiation import OPUS_PAYLOAD_TYPE

LIVE_WITHIN = 1.5
"""Seconds without a packet after which a simulcast encoding counts as not sent any more."""


class Encoding:
    """A simulcast encoding, or the only one of a producer. `spatial` is its rank, 0 = lowest."""

    __slots__ = (
        "_starts_keyframe",
        "blocked",
        "forwarded",
        "history",
        "is_video",
        "is_vp8",
        "keyframes",
        "last_keyframe",
        "legs",
        "on_switch",
        "paused",
        "pending",
        "recovered",
        "redundant",
        "rid",
        "rtx_ssrc",
        "spatial",
        "stream",
        "told_live_until",
        "waiting",
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
        self.is_video = mime.startswith("video/")
        self.is_vp8 = mime.lower() == "video/vp8"
        self.spatial = spatial
        self.rid = rid
        self.rtx_ssrc: int | None = None
        self.stream = ReceiveStream(ssrc, clock_rate, repair=self.is_video)
        self.history = History(VIDEO_PACKETS if self.is_video else AUDIO_PACKETS)
        self.keyframes = KeyframeRequests()
        self.last_keyframe = float("-inf")
        self.legs: list[Leg] = []
        self.redundant: list[Leg] = []
        """Legs of receivers that get each packet together with those before it (audio; RFC 2198)."""
        self.waiting: list[Leg] = []
        self.pending: list[Packet] = []
        self.paused = False
        self.told_live_until = float("-inf")
        """Of a piped encoding: it is sent to its origin until then, whether it is carried to here or not."""
        self.forwarded = 0
        self.blocked = 0
        self.recovered = 0
        """Packets lost on the way here that a later one held."""
        self.on_switch = on_switch
        self._starts_keyframe = keyframe_test(mime)

    def is_live(self, now: float) -> bool:
        """Whether its publisher sends it: packets came lately, here or at its origin."""
        return now < self.told_live_until or (
            self.stream.packets > 0 and now - self.stream.last_arrival < LIVE_WITHIN
        )

    @property
    def wanted(self) -> bool:
        """Whether anybody receives it, or will from its next key frame on."""
        return bool(self.legs or self.redundant or self.waiting)

    @property
    def pending_requests(self) -> bool:
        """Whether the publisher has to be asked for something: lost packets or a key frame."""
        nack = self.stream.nack
        asked = self.keyframes.wanted and self.wanted
        return asked or (nack is not None and len(nack) > 0)

    def restart(self, ssrc: int) -> None:
        """The encoding goes on under another SSRC, from another sequence number.

        The legs keep their outgoing streams; a video leg waits for the new stream's key frame.
        """
        for leg in (*self.legs, *self.redundant):
            self.legs_like(leg).remove(leg)
            aim(leg, self)
        self.pending.clear()
        self.history = History(self.history.size)
        self.stream = ReceiveStream(ssrc, self.stream.clock_rate, repair=self.is_video)

    def legs_like(self, leg: Leg) -> list[Leg]:
        """The legs that get the variant which this one does."""
        return self.redundant if leg.redundant else self.legs

    def take_recovered(self, sequence: int, timestamp: int, payload: bytes) -> None:
        """Accept what a later packet held of one that never came; `flush` has to be called for it."""
        packet = (self.stream.jump(sequence), 0, timestamp, 1, PLAIN_TAIL, payload)
        self.history.put(packet)
        self.pending.append(packet)
        self.recovered += 1

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
        if not self.paused:
            self._forward_late(packet, now)
        return False

    def flush(self, now: float) -> None:
        """Forward what came in this turn."""
        packets = self.pending
        self.pending = []
        if self.paused or not packets:
            return
        if self.waiting:
            packets = self._serve_waiting(packets, now)
        if (self.legs or self.redundant) and packets:
            self._forward(packets, now)

    def request_keyframe(self) -> None:
        """Somebody cannot decode without one; asked for on the next tick, at most twice a second."""
        if self.is_video:
            self.keyframes.request()

    def _serve_waiting(self, packets: list[Packet], now: float) -> list[Packet]:
        """Switch the legs that wait, if a key frame begins here. Returns what is still to be forwarded."""
        for position, packet in enumerate(packets):
            if not self._starts_keyframe(packet[5]):
                continue
            if position and self.legs:
                self._forward(packets[:position], now)
            ready = [leg for leg in self.waiting if leg.ready]
            for leg in ready:
                self.waiting.remove(leg)
                switch(leg, self, packet, now)
                self.on_switch(leg)
            self.last_keyframe = now
            if not self.waiting:
                self.keyframes.handle_keyframe()
            return packets[position:]
        return packets

    def _forward(self, packets: list[Packet], now: float) -> None:
        if self.redundant:
            self._forward_redundant(packets, now)
            if not self.legs:
                return
        forwarded, blocked = forward(Batch(packets), self.legs, now)
        self.forwarded += forwarded
        if blocked is not None:
            self.blocked += len(blocked)
            if self.is_video:
                for leg in blocked:
                    self.legs.remove(leg)
                    aim(leg, self)

    def _forward_redundant(self, packets: list[Packet], now: float) -> None:
        made = with_redundancy(packets, self.history, OPUS_PAYLOAD_TYPE)
        forwarded, blocked = forward(Batch(made), self.redundant, now)
        self.forwarded += forwarded
        self.blocked += len(blocked or ())

    def _forward_late(self, packet: Packet, now: float) -> None:
        self._forward_one(packet, self.legs, now)
        if self.redundant:
            (made,) = with_redundancy((packet,), self.history, OPUS_PAYLOAD_TYPE)
            self._forward_one(made, self.redundant, now)

    def _forward_one(self, packet: Packet, legs: list[Leg], now: float) -> None:
        single = Batch([packet])
        for leg in legs:
            if packet[0] + leg.index_offset < leg.epochs[-1].start:
                continue
            if send(leg, single, now):
                self.forwarded += 1
