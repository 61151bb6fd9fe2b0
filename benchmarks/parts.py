"""What each part of the server's work costs, in one process with a clock that is turned by hand.

    python -m benchmarks.parts [--receivers 50] [--frames 25] [--burst 16] [--size 1100] [--repeat 5]
    python -m benchmarks.parts --audio [--frames 500] [--size 100]

A node with one publisher and its receivers, all connected for real, and then led through seconds of media at
once: packets, feedback, reports and turns come at the times they would come, and the CPU of this thread is
read around each of them. Nothing waits, so a busy machine disturbs it little; of several windows each part's
cheapest counts. What is not in it: reading the socket, waking up for it, consent checks, and signaling.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import struct
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.bare_loop import nanoseconds_per_step
from sfu.bots import feedback
from sfu.bots.publish import OutboundEncoding, OutboundTrack, PublishTransport
from sfu.bots.subscribe import SubscribeTransport as Client
from sfu.clock import monotonic
from sfu.config import NodeConfig
from sfu.control import messages as m
from sfu.control.in_process import InProcessLink
from sfu.subscribe_transport import SubscribeTransport
from sfu.transport import Transport
from sfu.turns import Turns
from sfu.webrtc.srtp import OutboundSrtp
from tests.support.node_pair import Pair, Side
from tests.support.wait import wait_until

STEP = 0.02
STEPS_PER_SECOND = 50
STEPS_PER_FEEDBACK = 5
WARM_UP = 14
"""Seconds of the turned clock until estimates have grown and nothing is probed any more."""
HEADER = struct.Struct("!BBHIIHHBHx")
VOICE_HEADER = struct.Struct("!BBHIIHHBHBB3x")
LEVEL = 0x80 | 30
"""An audio level: a voice, and how many decibels below the loudest."""
MAX_DATAGRAM = 65_536

FAN_OUT = "a frame: opened, prepared, sealed and sent"
FEEDBACK = "transport-wide feedback of a receiver"
REPORTS = "receiver report"
WHOSE = "whose turn it is"
SUBSCRIBE_TURN = "turn of a subscribe transport"
PUBLISH_TURN = "turn of the publish transport"


@dataclass(frozen=True, slots=True)
class Media:
    frames: int
    """Per second."""
    burst: int
    size: int
    audio: bool = False


@dataclass
class Costs:
    """Seconds of CPU and how many there were, by part."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    times: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    forwarded: int = 0

    def take(self, part: str, count: int, work: Callable[[], object]) -> None:
        begun = time.thread_time()
        work()
        self.seconds[part] += time.thread_time() - begun
        self.times[part] += count

    def each(self, part: str) -> float:
        """Microseconds."""
        return 1e6 * self.seconds[part] / max(1, self.times[part])


class Receiver:
    """A client of which only the socket and the keys are used; what it reports is made up."""

    def __init__(self, client: Client, transport: SubscribeTransport, number: int) -> None:
        self.transport = transport
        self._client = client
        self._late = 0.0002 * (number % 5)
        self._reported = transport.egress.transport_sequence
        self._count = 0

    def give_feedback(self) -> bool:
        """Put a message on all that was sent since the last one before its transport."""
        egress = self.transport.egress
        arrivals = [
            ((first + number) & 0xFFFF, int(1e6 * (at + 0.01 + self._late)) + 60 * number)
            for first, at, sizes in egress.sent
            for number in range(len(sizes))
            if first + number >= self._reported
        ]
        if not arrivals:
            return False
        self._reported = egress.transport_sequence
        self._count += 1
        self._give(feedback.transport_feedback(1, self._ssrc, self._count, arrivals))
        return True

    def give_report(self) -> None:
        highest = next(iter(self.transport.consumers.values())).leg.highest_index
        self._give(feedback.receiver_report(1, [feedback.ReceptionReport(self._ssrc, 0, 0, highest)]))

    def drain(self, buffer: bytearray) -> None:
        sock = self._client.association.channel.socket  # type: ignore[attr-defined]
        try:
            while True:
                sock.recv_into(buffer)
        except BlockingIOError:
            pass

    @property
    def _ssrc(self) -> int:
        return next(iter(self.transport.consumers.values())).leg.ssrc

    def _give(self, packet: bytes) -> None:
        outbound = self._client.association.outbound
        assert outbound is not None, "connected"
        self.transport.association.rtcp_in.append(outbound.seal_rtcp(packet))


class Sender:
    """The publisher's frames, sealed and handed to its transport instead of sent."""

    def __init__(
        self, publisher: PublishTransport, track: OutboundTrack, media: Media, twcc_id: int, level_id: int
    ) -> None:
        self._publisher = publisher
        self._encoding = track.encodings[0]
        self._media = media
        self._tag, self._level_tag = twcc_id << 4 | 1, level_id << 4
        self._transport_sequence = 30_000
        inner = bytes((0x80, 0xE0, 0x80, 1, 1, 0x20)) + os.urandom(media.size - 6)
        self._inner, self._first = inner, bytes((0x90,)) + inner[1:6] + b"\x11" + inner[7:]
        self._key = self._first[:6] + b"\x10" + inner[7:]

    def frame(self, *, key: bool) -> list[bytes]:
        encoding, outbound = self._encoding, self._publisher.association.outbound
        assert outbound is not None, "connected"
        if self._media.audio:
            return self._voice(encoding, outbound)
        encoding.rtp_time += 90_000 // self._media.frames
        datagrams = []
        for number in range(self._media.burst):
            encoding.sequence += 1
            self._transport_sequence += 1
            second = encoding.payload_type | 0x80 * (number == self._media.burst - 1)
            fields = (encoding.sequence & 0xFFFF, encoding.rtp_time & 0xFFFFFFFF, encoding.ssrc, 0xBEDE, 1)
            header = HEADER.pack(0x90, second, *fields, self._tag, self._transport_sequence & 0xFFFF)
            first = self._key if key else self._first
            datagrams.append(outbound.seal_rtp(header, self._inner if number else first, encoding.sequence))
        return datagrams

    def _voice(self, encoding: OutboundEncoding, outbound: OutboundSrtp) -> list[bytes]:
        encoding.rtp_time += 48_000 // self._media.frames
        encoding.sequence += 1
        self._transport_sequence += 1
        numbers = (encoding.sequence & 0xFFFF, encoding.rtp_time & 0xFFFFFFFF, encoding.ssrc)
        elements = (self._tag, self._transport_sequence & 0xFFFF, self._level_tag, LEVEL)
        header = VOICE_HEADER.pack(0x90, encoding.payload_type, *numbers, 0xBEDE, 2, *elements)
        return [outbound.seal_rtp(header, self._inner, encoding.sequence)]


class Run:
    """Leads everybody through time; nothing here waits, so the node's own timers rest."""

    def __init__(self, side: Side, sender: Sender, receivers: Sequence[Receiver], media: Media) -> None:
        self._node = side.node
        transports = list(side.node.transports.values())
        self._publish = next(one for one in transports if not isinstance(one, SubscribeTransport))
        self._sender, self._receivers, self._media = sender, receivers, media
        self._turns: Turns[Transport] = Turns()
        for transport in transports:
            self._turns.add(transport)
        self._now = monotonic() + 1.0
        self._step = 0
        self._owed = 0.0
        self._buffer = bytearray(MAX_DATAGRAM)

    def window(self, seconds: int) -> Costs:
        costs = Costs()
        before = self._sent()
        for _ in range(seconds * STEPS_PER_SECOND):
            self._turn(costs)
        costs.forwarded = self._sent() - before
        return costs

    def _sent(self) -> int:
        return sum(receiver.transport.egress.datagrams for receiver in self._receivers)

    def _turn(self, costs: Costs) -> None:
        self._step += 1
        self._now += STEP
        self._owed += self._media.frames / STEPS_PER_SECOND
        frames = int(self._owed)
        self._owed -= frames
        association = self._publish.association
        for number in range(frames):
            now = self._now + STEP * number / frames - STEP
            association.rtp_in += self._sender.frame(
                key=self._step % (10 * STEPS_PER_SECOND) == 0 and not number
            )
            costs.take(FAN_OUT, 1, lambda now=now: association.handle_batch(now))  # type: ignore[misc]
        self._hear(costs)
        due: list[Transport] = []
        costs.take(WHOSE, 1, lambda: due.extend(self._turns.poll(self._now)[0]))
        subscribed = [one for one in due if one is not self._publish]
        costs.take(SUBSCRIBE_TURN, len(subscribed), lambda: [one.tick(self._now) for one in subscribed])
        if len(due) > len(subscribed):
            costs.take(PUBLISH_TURN, 1, lambda: self._publish.tick(self._now))
        for receiver in self._receivers:
            receiver.drain(self._buffer)

    def _hear(self, costs: Costs) -> None:
        phase = self._step % STEPS_PER_FEEDBACK
        heard = [one for one in self._receivers[phase::STEPS_PER_FEEDBACK] if one.give_feedback()]
        associations = [receiver.transport.association for receiver in heard]
        costs.take(FEEDBACK, len(heard), lambda: [one.handle_batch(self._now) for one in associations])
        due = self._receivers[self._step % STEPS_PER_SECOND :: STEPS_PER_SECOND]
        for receiver in due:
            receiver.give_report()
        associations = [receiver.transport.association for receiver in due]
        costs.take(REPORTS, len(due), lambda: [one.handle_batch(self._now) for one in associations])


async def measure(media: Media, receivers: int, seconds: int, repeat: int) -> list[Costs]:
    side = Side(await InProcessLink.start(NodeConfig("nd_a", hosts=("127.0.0.1",), udp_port=0, shed_above=2)))
    side.link.on_event(side.handle_event)
    await side.do(m.CreateRouter(router_id="r"))
    pair = Pair(side, side)
    producer_id, track = await pair.publish(
        side, lambda publisher: publisher.add_audio(1) if media.audio else publisher.add_video((1,))
    )
    source = side.node.producers[producer_id].encodings[0]
    await wait_until(lambda: source.stream.packets > 0, "packets of the publisher")
    made = []
    for number in range(receivers):
        _, client = await pair.subscribe(side, producer_id)
        await wait_until(client.association.connected.is_set, "a receiver's keys")
        transport = list(side.node.transports.values())[-1]
        assert isinstance(transport, SubscribeTransport)
        made.append(Receiver(client, transport, number))
    publisher = pair.publishers[0]
    publisher.stop()
    await asyncio.sleep(0.2)  # what is under way
    inlet = side.node.publish_transport(side.node.producers[producer_id].transport_id).inlet
    level_id = next(iter(inlet.sources.values())).audio_level_id
    run = Run(side, Sender(publisher, track, media, inlet.twcc_id, level_id), made, media)
    run.window(WARM_UP)
    gc.collect()
    gc.freeze()
    found = [run.window(seconds) for _ in range(repeat)]
    for client in side.clients.values():
        client.close()
    publisher.close()
    await side.link.close()
    return found


def to_markdown(found: Sequence[Costs], receivers: int, seconds: int) -> str:
    lines = [
        "| part | times a second | µs each | µs a second and receiver | µs a packet |",
        "|---|---|---|---|---|",
    ]
    total = 0.0
    forwarded = found[0].forwarded
    for part in found[0].seconds:
        each = min(costs.each(part) for costs in found)
        times = found[0].times[part]
        spent = each * times
        total += spent
        lines.append(
            f"| {part} | {times / seconds:.0f} | {each:.1f} | {spent / seconds / receivers:.0f} "
            f"| {spent / forwarded:.2f} |"
        )
    lines.append(f"| all | | | {total / seconds / receivers:.0f} | {total / forwarded:.2f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--receivers", type=int, default=50)
    parser.add_argument("--frames", type=int, default=25, help="a second")
    parser.add_argument("--burst", type=int, default=16, help="packets of a frame")
    parser.add_argument("--size", type=int, default=1100, help="bytes of payload")
    parser.add_argument("--audio", action="store_true", help="voices of one packet a frame")
    parser.add_argument("--seconds", type=int, default=2, help="length of a window, by the turned clock")
    parser.add_argument("--repeat", type=int, default=5, help="windows")
    arguments = parser.parse_args()
    burst = 1 if arguments.audio else arguments.burst
    media = Media(arguments.frames, burst, arguments.size, audio=arguments.audio)
    before = nanoseconds_per_step()
    found = asyncio.run(measure(media, arguments.receivers, arguments.seconds, arguments.repeat))
    print(to_markdown(found, arguments.receivers, arguments.seconds))
    print(f"\nstep ns {before:.0f}, {nanoseconds_per_step():.0f}")


if __name__ == "__main__":
    main()
