"""What a pipe alone costs, in one process: a packet sent on it, received at the far end, and nothing else.

    python -m benchmarks.pipe_alone [--packets 40000] [--repeat 7]

Two nodes in this process; bursts of video are fed to a producer, with and without a pipe that carries them,
in turn. The difference in this process's CPU time is the leg at the origin, both system calls and the whole
reception: what `benchmarks.pipe` shows as part of a server, without the noise of one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time

from benchmarks.bare_loop import nanoseconds_per_step
from sfu.clock import monotonic
from sfu.forwarding.batch import PLAIN_TAIL
from sfu.forwarding.encoding import Encoding
from sfu.forwarding.leg import Egress, Leg
from sfu.forwarding.selector import aim, detach
from sfu.producer import Producer
from sfu.rtp.parameters import Codec
from tests.support.node_pair import joined

BURST = 16
PAYLOAD = b"\x90\xe0\x80\x01\x01\x20\x10" + os.urandom(1093)
"""The beginning of a VP8 key frame, so that the pipe's leg may join at any packet."""


async def cost(packets: int, repeat: int, *, secure: bool) -> float:
    """Microseconds of CPU for one packet's way: the least with the pipe less the least without it."""
    async with joined(secure=secure) as pair:
        producer = _producer()
        pair.first.node.producers[producer.id] = producer
        await pair.carry(producer.id, pair.first, pair.second)
        feeder = _Feeder(producer.encodings[0])
        there = pair.second.node.producers[producer.id].encodings[0]
        receiver = Leg(Egress(), ssrc=1, rtx_ssrc=2, first_index=1)  # wants it, and is never ready for it
        without, with_pipe = [], []
        for _ in range(repeat):
            detach(receiver)
            await feeder.until(carried=False)
            without.append(await feeder.feed(packets))
            aim(receiver, there)
            await feeder.until(carried=True)
            before = pair.second.pipe.inlet.packets
            with_pipe.append(await feeder.feed(packets))
            await asyncio.sleep(0.1)  # the last burst
            received = pair.second.pipe.inlet.packets - before
            if received < packets:
                raise RuntimeError(f"{packets - received} of {packets} packets were lost on the pipe")
        return min(with_pipe) - min(without)


class _Feeder:
    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._sequence = 0

    async def until(self, *, carried: bool) -> None:
        """Feed until the pipe is in the fan-out, or out of it, and what is under way has come."""
        while bool(self._encoding.legs) is not carried:
            await self.feed(BURST)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)

    async def feed(self, packets: int) -> float:
        """Microseconds of CPU for each packet."""
        encoding = self._encoding
        begun = time.process_time()
        for _ in range(packets // BURST):
            now = monotonic()
            for _ in range(BURST):
                sequence = self._sequence = (self._sequence + 1) & 0xFFFF
                encoding.take(sequence, 0, 0, 1, PLAIN_TAIL, PAYLOAD, now)
            encoding.flush(now)
            await asyncio.sleep(0)
        return (time.process_time() - begun) * 1e6 / packets


def _producer() -> Producer:
    codec = Codec("video/VP8", 96, 90000)
    return Producer(
        producer_id="pr_bench",
        transport_id="tp_bench",
        mid="0",
        source="camera",
        kind="video",
        codec=codec,
        rids=(),
        ssrc=1,
        paused=False,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packets", type=int, default=40_000, help="in each run")
    parser.add_argument("--repeat", type=int, default=7, help="runs with and without the pipe, in turn")
    arguments = parser.parse_args()
    for name, secure in (("in the clear, loopback", False), ("sealed with AES-128-GCM", True)):
        before = nanoseconds_per_step()
        found = asyncio.run(cost(arguments.packets, arguments.repeat, secure=secure))
        steps = f"step ns {before:.0f}, {nanoseconds_per_step():.0f}"
        print(f"a packet of 1,100 B through a pipe, {name}: {found:.2f} µs ({steps})")


if __name__ == "__main__":
    main()
