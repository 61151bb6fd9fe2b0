"""What the others have of a participant that floods: their delay and loss before, during and after.

    python -m benchmarks.flood [--seconds 10] [--valid 40000] [--rubbish 10000] [--write docs/performance.md]

One worker, two rooms of six with camera and microphone each. A thirteenth participant, legitimate, is in the
first room and sends ten times what a client may (`sfu.webrtc.intake`), every packet authentic, and rubbish
besides, from a process of its own. Nothing is given up and nobody refused for want of CPU, so it is the
intake alone that protects the others.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.case import fresh_server
from benchmarks.document import machine_line, write_json, write_section
from benchmarks.people import Crowd, crowd, until
from benchmarks.phases import Meter, Phase
from sfu.bot import AudioSpec, Bot, VideoSpec
from sfu.load.usage import describe_machine
from sfu.webrtc.intake import MEDIA_PACKETS
from tests.support.server import Server

ROOMS = ("the flooder's room", "another room")
ROOM_SIZE = 6
VIDEO_RATE = 60.0
VALID, RUBBISH = 10 * MEDIA_PACKETS, 2.5 * MEDIA_PACKETS
FLOODED_STREAM = 900_000
SETTLE = 3.0
LATE = 20.0
OUTPUT = Path("artifacts/flood.json")
HEADER = (
    "| phase | who | voices: lost | p50 / p99 / p99.9 ms | videos: lost | p50 / p99 / p99.9 ms "
    "| worker (waited) | over the limit |",
    "|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True, slots=True)
class Flood:
    """`sent` is the flooder's own count, `over` by phase the packets that the server dropped as too many."""

    phases: tuple[Phase, ...]
    over: tuple[float, ...]
    sent: dict[str, float]

    def lines(self) -> list[str]:
        rows = []
        for phase, over in zip(self.phases, self.over, strict=True):
            for room in ROOMS:
                audio, video = phase.heard[f"{room} audio"], phase.heard[f"{room} video"]
                rows.append(
                    f"| {phase.name} | {room} | {audio.losses} | {audio.delays} "
                    f"| {video.losses} | {video.delays} "
                    f"| {100 * phase.busy:.0f} % ({100 * phase.waited:.0f} %) | {over:.0f} |"
                )
        return rows

    def to_markdown(self) -> str:
        return "\n".join([machine_line(describe_machine()), "", *HEADER, *self.lines(), "", self.offered])

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @property
    def offered_briefly(self) -> str:
        seconds = self.sent["seconds"]
        packets = (self.sent["valid"] + self.sent["rubbish"]) / seconds
        return f"one more sends {packets:,.0f} packets/s for {seconds:.0f} s, four fifths authentic"

    @property
    def offered(self) -> str:
        seconds = self.sent["seconds"]
        return (
            f"The flooder sent {self.sent['valid'] / seconds:,.0f} authentic packets a second and "
            f"{self.sent['rubbish'] / seconds:,.0f} of rubbish for {seconds:.0f} s; a client may send "
            f"{MEDIA_PACKETS:,.0f}."
        )


async def measure_flood(seconds: float, *, valid: float = VALID, rubbish: float = RUBBISH) -> Flood:
    """Raises `RuntimeError` when the flooder does not come to flood."""
    async with fresh_server() as server, crowd(server) as people:
        meetings = [await people.organization.create_meeting(name) for name in ROOMS]
        groups: dict[str, Sequence[Bot]] = {}
        for name, meeting in zip(ROOMS, meetings, strict=True):
            groups[name] = [await _talking(people, meeting) for _ in range(ROOM_SIZE)]
        async with _flooder(server, meetings[0], seconds, valid, rubbish) as process:
            await until(
                lambda: all(_streams(bot) >= 2 * (ROOM_SIZE - 1) for bot in people.bots), "all see all"
            )
            await asyncio.sleep(SETTLE)
            phases, over = [], []
            sent: dict[str, float] = {}
            for name in ("before", "during", "after"):
                dropped = await _over_limit(server)
                meter = Meter(name, server.pid, groups, without=frozenset((FLOODED_STREAM,)))
                if name == "during":
                    sent = json.loads(await _tell(process, seconds + LATE))
                else:
                    await asyncio.sleep(seconds)
                phases.append(meter.read())
                await asyncio.sleep(SETTLE)  # workers report every two seconds
                over.append(await _over_limit(server) - dropped)
            return Flood(tuple(phases), tuple(over), sent)


def _streams(bot: Bot) -> int:
    return 0 if bot.subscriber is None else len(bot.subscriber.media_streams())


async def _talking(people: Crowd, meeting: str) -> Bot:
    bot = await people.enter(meeting, subscribe=True)
    number = people.bots.index(bot)
    await bot.publish(
        [
            AudioSpec(8 * number),
            VideoSpec((8 * number + 1,), packets_per_second=VIDEO_RATE, payload_size=1000),
        ]
    )
    assert bot.publisher is not None
    bot.publisher.start(phase=0.003 * number)
    return bot


@asynccontextmanager
async def _flooder(
    server: Server, meeting: str, seconds: float, valid: float, rubbish: float
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Joined and ready; it leaves at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "benchmarks.flooder", str(server.key_file), server.base_url, meeting, str(FLOODED_STREAM)),
        *(str(seconds), str(valid), str(rubbish)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(LATE):
            line = await process.stdout.readline()
        if line != b"ready\n":
            raise RuntimeError(f"the flooder is not ready: {line.decode().strip() or 'it ended'}")
        yield process
    finally:
        if process.returncode is None:
            assert process.stdin is not None
            process.stdin.close()  # what it reads ends, and so does it
            await asyncio.wait_for(process.wait(), LATE)


async def _tell(process: asyncio.subprocess.Process, timeout: float) -> str:
    """Let it flood; its report."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"now\n")
    await process.stdin.drain()
    async with asyncio.timeout(timeout):
        line = await process.stdout.readline()
    if not line:
        raise RuntimeError("the flooder ended without a report")
    return line.decode()


async def _over_limit(server: Server) -> float:
    """Dropped as too many: by the worker, and by the kernel for it."""
    found = await server.metrics()
    names = ("packets_over_limit", "socket_dropped")
    return sum(found.get(f"rostrum_worker_{name}_total", 0.0) for name in names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each phase")
    parser.add_argument("--valid", type=float, default=VALID, help="authentic packets a second")
    parser.add_argument("--rubbish", type=float, default=RUBBISH, help="other datagrams a second")
    parser.add_argument("--write", type=Path, help="put the table into this document, between its marks")
    arguments = parser.parse_args()
    machine = describe_machine()
    found = asyncio.run(measure_flood(arguments.seconds, valid=arguments.valid, rubbish=arguments.rubbish))
    print(found.to_markdown())
    write_json(OUTPUT, machine, found.to_json())
    if arguments.write is not None:
        write_section(arguments.write, "flood", found.to_markdown())


if __name__ == "__main__":
    main()
