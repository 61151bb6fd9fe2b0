"""A publisher whose packets get lost, late, doubled, cut short and forged, and receivers never at rest.

Everything that will happen is decided by a seed before anything happens: what comes by which turn of the loop
(`spoil`), and who does what at which turn (`plan`). So a story can be told twice, once with a receiver left
out of it, and what the others got be compared.

Packets go in as datagrams and come out as datagrams. Between them stands a `Witness` for every key, who fails
the test when something is sealed under an index that was used before.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sfu.codecs import keyframe_test
from sfu.forwarding.encoding import Encoding
from sfu.forwarding.leg import Leg
from sfu.forwarding.receive import Inlet, Source
from sfu.forwarding.retransmit import pad, retransmit
from sfu.forwarding.selector import aim_at, detach
from sfu.layers import WHOLE, Layer
from sfu.rtp.extensions import ONE_BYTE_PROFILE, TWO_BYTE_PROFILE
from sfu.webrtc.plain import PlainInbound, PlainOutbound
from sfu.webrtc.srtp import Encrypt, OutboundSrtp, SrtpProfile
from tests.sfu.forwarding.world import Received, Receiver
from tests.vectors.rtp import Capture, Recorded

PAYLOAD_TYPE, RTX_PAYLOAD_TYPE, RED_PAYLOAD_TYPE = 96, 97, 63
RECEIVED_EXTENSIONS = {number: number for number in range(1, 16)}
LAYERS = (*(Layer(spatial, temporal) for spatial in range(3) for temporal in range(3)), WHOLE)


class Damage(NamedTuple):
    """How often something is done to a packet, of 1."""

    lost: float = 0.0
    late: float = 0.0
    doubled: float = 0.0
    cut_short: float = 0.0
    forged: float = 0.0
    jumps: float = 0.0
    """The publisher's sequence numbers go on elsewhere."""


class Action(NamedTuple):
    """What receiver `who` does before turn `turn`; None: the publisher."""

    turn: int
    who: int | None
    what: str
    encoding: int = 0
    layer: Layer = WHOLE


@dataclass
class Story:
    """`turns` are the datagrams of each turn of the loop, with its time."""

    mime: str
    encodings: int
    turns: list[tuple[float, list[bytes]]]


def with_keyframes(capture: Capture, *, every: int = 100, times: int = 4) -> Capture:
    """A capture from its first key frame on, over and over, numbered on."""
    starts = keyframe_test(capture.mime)
    start = next(at for at, one in enumerate(capture.packets) if starts(one.payload))
    head = capture.packets[start : start + every]
    first = {one.encoding: one for one in reversed(head)}
    last = {one.encoding: one for one in head}
    found = []
    for time in range(times):
        for one in head:
            begun, ended = first[one.encoding], last[one.encoding]
            found.append(
                one._replace(
                    sequence=one.sequence + time * (ended.sequence - begun.sequence + 1) & 0xFFFF,
                    timestamp=one.timestamp + time * (ended.timestamp - begun.timestamp + 3000) & 0xFFFFFFFF,
                    at=one.at + time * (head[-1].at + 0.03),
                )
            )
    return capture._replace(packets=tuple(found))


def spoil(capture: Capture, damage: Damage, seed: int, *, restarts: Sequence[int] = ()) -> Story:
    """The packets of a capture as they come on a bad day; from turn `restarts` on under other SSRCs."""
    chance = random.Random(f"{capture.name} {seed}")
    grouped: list[list[Recorded]] = []
    for one in capture.packets:
        if not grouped or chance.random() < 0.3:
            grouped.append([])
        grouped[-1].append(one)
    queues: list[list[bytes]] = [[] for _ in range(len(grouped) + 40)]
    generation, shift = 0, 0
    for turn, group in enumerate(grouped):
        generation += turn in restarts
        for one in group:
            if chance.random() < damage.jumps:
                shift += chance.choice((5, 700, 1100, 9000, 20000, 30000, 32767, 32768, 60000))
            if chance.random() < damage.lost:
                continue
            data = _datagram(one, generation, shift, damage, chance)
            delay = chance.choice((0, 0, 1, 2, 5, 30)) if chance.random() < damage.late else -1
            if delay == 0:
                queues[turn].insert(chance.randrange(len(queues[turn]) + 1), data)
            else:
                queues[turn + max(0, delay)].append(data)
            if chance.random() < damage.doubled:
                queues[turn + chance.choice((0, 1, 9, 35))].append(data)
    times = [group[-1].at for group in grouped] + [grouped[-1][-1].at] * 40
    return Story(
        capture.mime,
        1 + max(one.encoding for one in capture.packets),
        [(at + turn / 10_000, queue) for turn, (at, queue) in enumerate(zip(times, queues, strict=True))],
    )


def _datagram(one: Recorded, generation: int, shift: int, damage: Damage, chance: random.Random) -> bytes:
    tail, payload = bytearray(one.tail), bytearray(one.payload)
    if chance.random() < damage.forged:
        start = 2 if len(tail) > 2 else 0
        if len(tail) > start and chance.random() < 0.7:
            for _ in range(chance.randrange(1, 4)):
                tail[chance.randrange(start, len(tail))] = chance.randrange(256)
        else:
            for _ in range(chance.randrange(1, 4)):
                payload[chance.randrange(min(12, len(payload)))] = chance.randrange(256)
    if chance.random() < damage.cut_short:
        del payload[chance.randrange(len(payload)) :]
    ssrc = 100 * (generation + 1) + one.encoding
    marked = one.marker << 7 | PAYLOAD_TYPE
    head = struct.pack(
        "!BBHII",
        0x90 if tail else 0x80,
        marked,
        one.sequence + shift & 0xFFFF,
        one.timestamp + shift * 3 & 0xFFFFFFFF,
        ssrc,
    )
    if tail:
        # Of one-byte elements the tail begins behind the three bytes of the transport-wide number.
        narrow = len(tail) % 4
        before = bytes(3 if narrow else 0)
        profile = ONE_BYTE_PROFILE if narrow else TWO_BYTE_PROFILE
        head += struct.pack("!HH", profile, (len(tail) + len(before)) // 4) + before + tail
    return head + payload


def plan(
    story: Story, receivers: int, seed: int, *, often: float = 0.02, what: Sequence[str]
) -> list[Action]:
    """Of each receiver, at any turn: something out of `what`."""
    chance = random.Random(f"plan {seed}")
    found = [Action(0, who, "aim", chance.randrange(story.encodings)) for who in range(receivers)]
    for turn in range(1, len(story.turns)):
        for who in range(receivers):
            if chance.random() < often:
                action = chance.choice(what)
                found.append(
                    Action(turn, who, action, chance.randrange(story.encodings), chance.choice(LAYERS))
                )
    return found


class Witness:
    """Stands before one AES-GCM key and remembers every index that was used with it."""

    def __init__(self, outbound: OutboundSrtp | PlainOutbound) -> None:
        self.indexes: dict[int, list[int]] = {}
        """By SSRC, in the order of sealing."""
        self._seen: set[tuple[int, int]] = set()
        self._encrypt_of, self._seal_rtp = outbound.encrypt_of, outbound.seal_rtp
        outbound.encrypt_of = self.encrypt_of  # type: ignore[method-assign]
        outbound.seal_rtp = self.seal_rtp  # type: ignore[method-assign]

    def encrypt_of(self, ssrc: int) -> Encrypt:
        encrypt = self._encrypt_of(ssrc)

        def witnessed(index: int, payload: bytes, header: bytes) -> bytes:
            assert header[8:12] == ssrc.to_bytes(4, "big"), "sealed under another SSRC's nonce"
            self._note(ssrc, index, header)
            return encrypt(index, payload, header)

        return witnessed

    def seal_rtp(self, header: bytes, payload: bytes, extended_sequence: int) -> bytes:
        self._note(int.from_bytes(header[8:12], "big"), extended_sequence, header)
        return self._seal_rtp(header, payload, extended_sequence)

    def _note(self, ssrc: int, index: int, header: bytes) -> None:
        assert index & 0xFFFF == int.from_bytes(header[2:4], "big"), "an index that is not the packet's"
        assert (ssrc, index) not in self._seen, f"SSRC {ssrc}: index {index} sealed a second time"
        self._seen.add((ssrc, index))
        self.indexes.setdefault(ssrc, []).append(index)


@dataclass
class Guest:
    """A receiver with one leg. Of AES-CM there is no witness: libsrtp itself refuses an index twice."""

    receiver: Receiver
    leg: Leg
    witness: Witness | None
    got: list[Received] = field(default_factory=list)

    @property
    def media(self) -> list[Received]:
        return [one for one in self.got if one.ssrc == self.leg.ssrc]

    @property
    def repaired(self) -> list[int]:
        """Original sequence numbers of what was sent again."""
        again = [one for one in self.got if one.ssrc == self.leg.rtx_ssrc]
        return [int.from_bytes(one.payload[:2], "big") for one in again if len(one.payload) >= 2]

    def missing(self) -> list[int]:
        """Sequence numbers between the first and the last that never came."""
        last = self.leg.highest_index
        there = {one.sequence for one in self.media} | set(self.repaired)
        numbers = range(self.leg.first_index, last + 1)
        return [number & 0xFFFF for number in numbers if number & 0xFFFF not in there]


def guest(number: int, *, wide: bool) -> Guest:
    """Of every kind one: with AES-GCM and AES-CM, with transport-wide numbers and without, with ids of ours
    and of its own."""
    cipher = SrtpProfile.AES128_CM_SHA1_80 if number % 4 == 3 else SrtpProfile.AEAD_AES_128_GCM
    receiver = Receiver(cipher, twcc=number % 4 != 1)
    outbound = receiver.egress.outbound
    assert outbound is not None
    witness = Witness(outbound) if cipher.is_gcm else None
    leg = Leg(receiver.egress, ssrc=1000, rtx_ssrc=1001, first_index=65000 + number)
    leg.wide = wide and number % 4 != 2
    leg.prepare(payload_type=PAYLOAD_TYPE, rtx_payload_type=RTX_PAYLOAD_TYPE)
    return Guest(receiver, leg, witness)


class House:
    """One publisher's encodings and its receivers, through which a story goes."""

    def __init__(self, story: Story, guests: int) -> None:
        self.story = story
        self.encodings = [
            Encoding(
                mime=story.mime,
                clock_rate=48000 if story.mime.startswith("audio") else 90000,
                spatial=spatial,
                rid=None,
                ssrc=0,
                on_switch=lambda leg: None,
            )
            for spatial in range(story.encodings)
        ]
        self.inlet = Inlet(self._identify)
        self.inlet.inbound = PlainInbound()
        self.guests = [guest(number, wide=self.encodings[0].is_wide) for number in range(guests)]
        self.now = 0.0

    def tell(self, actions: Sequence[Action]) -> None:
        due = sorted(actions, key=lambda action: action.turn)
        position = 0
        for turn, (at, datagrams) in enumerate(self.story.turns):
            self.now = at
            while position < len(due) and due[position].turn <= turn:
                self._act(due[position])
                position += 1
            self.inlet.handle_rtp(datagrams, at)
            for one in self.encodings:
                one.measure(at)
            for each in self.guests:
                each.got += each.receiver.receive()

    def _identify(
        self, ssrc: int, _payload_type: int, _mid: str | None, _rid: str | None, _repaired: str | None
    ) -> Source | None:
        if ssrc % 100 >= len(self.encodings):
            return None
        encoding = self.encodings[ssrc % 100]
        previous = encoding.stream.ssrc
        if previous and previous > ssrc:
            return None
        if previous:
            self.inlet.sources.pop(previous, None)
            encoding.restart(ssrc)
        encoding.stream.ssrc = ssrc
        return Source(
            encoding,
            payload_type=PAYLOAD_TYPE,
            repair=False,
            twcc_id=0,
            audio_level_id=0,
            forwarded_ids=RECEIVED_EXTENSIONS,
            on_level=None,
        )

    def _act(self, action: Action) -> None:
        if action.who is None:
            self._publish(action.what)
            return
        one = self.guests[action.who]
        encoding = self.encodings[action.encoding]
        if action.what == "aim":
            wanted = None if action.layer is WHOLE else action.layer
            aim_at(one.leg, encoding.cut(wanted))
        elif action.what == "leave":
            detach(one.leg)
        elif action.what == "nack":
            retransmit(one.leg, [one.leg.highest_index - n & 0xFFFF for n in range(0, 90, 3)], self.now)
        elif action.what == "pad":
            pad(one.leg, 2000, self.now)
        elif action.what == "stall":
            one.receiver.full = not one.receiver.full
        elif action.what == "redundancy":
            # As a consumer does it.
            detach(one.leg)
            one.leg.redundant = not one.leg.redundant
            red = RED_PAYLOAD_TYPE if one.leg.redundant else PAYLOAD_TYPE
            one.leg.prepare(payload_type=red, rtx_payload_type=RTX_PAYLOAD_TYPE)
            aim_at(one.leg, encoding.whole)
        else:
            raise AssertionError(f"nobody knows how to {action.what}")

    def _publish(self, what: str) -> None:
        """As a producer does it."""
        for encoding in self.encodings:
            encoding.paused = what == "pause"
            encoding.pending.clear()
        for one in self.guests:
            if what == "pause":
                detach(one.leg)
            else:
                aim_at(one.leg, self.encodings[0].whole)
