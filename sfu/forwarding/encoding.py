"""One encoding of a producer: what came in of it, and the legs it goes out on.

Packets arrive through `take`, in any order, and leave through `flush`, once per turn of the loop. A late or
repaired packet leaves at once, alone.
"""

from __future__ import annotations

from collections.abc import Callable

from sfu.codecs import keyframe_test
from sfu.forwarding.batch import Batch, Packet
from sfu.forwarding.fanout import forward, send
from sfu.forwarding.history import AUDIO_PACKETS, VIDEO_PACKETS, History
from sfu.forwarding.keyframes import KeyframeRequests
from sfu.forwarding.leg import Leg
from sfu.forwarding.selector import aim, switch
from sfu.forwarding.stream import ReceiveStream

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
        self.waiting: list[Leg] = []
        self.pending: list[Packet] = []
        self.paused = False
        self.told_live_until = float("-inf")
        """Of a piped encoding: it is sent to its origin until then, whether it is carried to here or not."""
        self.forwarded = 0
        self.blocked = 0
        self.on_switch = on_switch
        self._starts_keyframe = keyframe_test(mime)

    def is_live(self, now: float) -> bool:
        """Whether its publisher sends it: packets came lately, here or at its origin."""
        return now < self.told_live_until or (
            self.stream.packets > 0 and now - self.stream.last_arrival < LIVE_WITHIN
        )

    @property
    def pending_requests(self) -> bool:
        """Whether the publisher has to be asked for something: lost packets or a key frame."""
        nack = self.stream.nack
        return (nack is not None and len(nack) > 0) or self.keyframes.wanted

    def restart(self, ssrc: int) -> None:
        """The encoding goes on under another SSRC, from another sequence number.

        The legs keep their outgoing streams; a video leg waits for the new stream's key frame.
        """
        for leg in list(self.legs):
            self.legs.remove(leg)
            aim(leg, self)
        self.pending.clear()
        self.history = History(self.history.size)
        self.stream = ReceiveStream(ssrc, self.stream.clock_rate, repair=self.is_video)

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
        if self.legs and packets:
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
        forwarded, blocked = forward(Batch(packets), self.legs, now)
        self.forwarded += forwarded
        if blocked is not None:
            self.blocked += len(blocked)
            if self.is_video:
                for leg in blocked:
                    self.legs.remove(leg)
                    aim(leg, self)

    def _forward_late(self, packet: Packet, now: float) -> None:
        single = Batch([packet])
        for leg in self.legs:
            if packet[0] + leg.index_offset < leg.epochs[-1].start:
                continue
            if send(leg, single, now):
                self.forwarded += 1
