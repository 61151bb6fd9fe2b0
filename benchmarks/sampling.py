"""What reports about peers cost: 20 rooms of 10, everybody with camera and microphone. CPU time, no traffic.

    python -m benchmarks.sampling [--times 15]

The node: settling the meters of all 3,600 consumers, which happens every two seconds with reports or without;
and telling what passed, which signaling asks for every 10 seconds. Signaling: reading that into the series of
200 peers, and writing their reports, full as they are after hours, to SQLite every 5 minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any, Final, cast

from benchmarks.document import machine_line
from sfu.config import NodeConfig
from sfu.control import messages as m
from sfu.control.link import InProcessLink
from sfu.control.messages import reply_adapter
from sfu.control.server import CommandServer
from sfu.load.usage import describe_machine
from tests.sfu.client_sdp import chromium_offer

ROOMS: Final = 20
PEOPLE: Final = 10
GRANTS: Final = (m.Grant(source="camera", kind="video"), m.Grant(source="microphone", kind="audio"))
PACKETS: Final = 120
"""A stream sends in the two seconds of a meter."""
MS: Final = 1000.0


@dataclass
class Timer:
    """CPU time of this thread, in milliseconds."""

    taken: list[float]

    def run(self, work: Callable[[], object]) -> object:
        before = time.thread_time()
        found = work()
        self.taken.append(MS * (time.thread_time() - before))
        return found

    @property
    def line(self) -> str:
        return f"{median(self.taken):.2f} ms"


async def fill(link: InProcessLink) -> None:
    for room in range(ROOMS):
        await link.request(m.CreateRouter(router_id=f"r{room}"))
        for one in range(PEOPLE):
            name = f"{room}_{one}"
            publish, subscribe = f"tp_{name}", f"ts_{name}"
            await link.request(
                m.CreateTransport(
                    router_id=f"r{room}", transport_id=publish, direction="publish", grants=GRANTS
                )
            )
            specs = (
                m.ProducerSpec(producer_id=f"mic_{name}", mid="0", source="microphone", kind="audio"),
                m.ProducerSpec(producer_id=f"cam_{name}", mid="1", source="camera", kind="video"),
            )
            await link.request(m.HandleOffer(transport_id=publish, sdp=chromium_offer(), producers=specs))
            await link.request(
                m.CreateTransport(router_id=f"r{room}", transport_id=subscribe, direction="subscribe")
            )
    for room in range(ROOMS):
        for one in range(PEOPLE):
            consumers = tuple(
                m.ConsumerSpec(
                    consumer_id=f"{kind}_{room}_{one}_{other}", producer_id=f"{kind}_{room}_{other}"
                )
                for other in range(PEOPLE)
                if other != one
                for kind in ("mic", "cam")
            )
            await link.request(m.Consume(transport_id=f"ts_{room}_{one}", consumers=consumers))


def pass_packets(link: InProcessLink, now: float) -> None:
    for consumer in link.node.consumers.values():
        consumer.leg.packets += PACKETS
        consumer.leg.octets += 1000 * PACKETS
        consumer.leg.last_sent_at = now


def settle(link: InProcessLink, now: float) -> None:
    for consumer in link.node.consumers.values():
        consumer.meter.poll(now)


def chunks(ids: list[str]) -> Iterator[tuple[str, ...]]:
    for begin in range(0, len(ids), m.MAX_SAMPLED):
        yield tuple(ids[begin : begin + m.MAX_SAMPLED])


async def measure_node(times: int) -> list[m.Sampled]:
    link = await InProcessLink.start(NodeConfig("nd_bench", hosts=("127.0.0.1",), udp_port=0))
    try:
        await fill(link)
        server, settling, sampling, longest = CommandServer(link.node), Timer([]), Timer([]), Timer([])
        told: list[m.Sampled] = []
        now = 1000.0
        for _ in range(times):
            for _ in range(5):
                now += 2.0
                pass_packets(link, now)
                settling.run(partial(settle, link, now))
            if not hasattr(m, "Sample"):
                continue  # a version without reports, to compare with
            ids = list(link.node.transports)
            each = Timer([])
            replies = [each.run(partial(_asked, server, some)) for some in chunks(ids)]
            sampling.taken.append(sum(each.taken))
            longest.taken.append(max(each.taken))
            told = [cast(m.Sampled, reply_adapter.validate_json(cast(bytes, one))) for one in replies]
        count = len(link.node.consumers)
        _say(f"settling {count} consumers, every 2 s: {settling.line}")
        if sampling.taken:
            _say(f"telling of {len(ids)} transports, every 10 s: {sampling.line}, in one go {longest.line}")
            size = sum(len(cast(bytes, one)) for one in replies)
            _say(f"bytes over the link in 10 s: {size}")
        return told
    finally:
        await link.close()


def _asked(server: CommandServer, some: tuple[str, ...]) -> bytes:
    return reply_adapter.dump_json(server.apply(m.Sample(transport_ids=some)))


async def measure_signaling(told: list[m.Sampled], times: int) -> None:
    from signaling.domain.quality_series import MAX_POINTS
    from signaling.nodes.words import samples_in_peoples_words
    from signaling.services.live.reports import PeerReports
    from signaling.store.database import Database, sqlite_url
    from signaling.testing import FakeClock
    from tests.signaling import values

    clock = FakeClock()
    texts = [reply_adapter.dump_json(one) for one in told]
    names: Any = SimpleNamespace(by_transport={})
    peers: dict[str, Any] = {}
    for one in told:
        for transport in one.transports:
            direction = "publish" if transport.transport_id.startswith("tp_") else "subscribe"
            peer_id = "peer_" + transport.transport_id[3:]
            names.by_transport[transport.transport_id] = SimpleNamespace(peer_id=peer_id, direction=direction)
            peers[peer_id] = SimpleNamespace(id=peer_id, joined_at=clock.now() - timedelta(seconds=10))
    reading = Timer([])

    class Media:
        async def sample(self) -> list[Any]:
            found: list[Any] = []
            for text in texts:
                sampled = cast(m.Sampled, reply_adapter.validate_json(text))
                found += samples_in_peoples_words(sampled, names)
            return found

    acme = values.organization()
    meeting = values.meeting(acme)
    session = values.session(meeting)
    live: Any = SimpleNamespace(
        media=Media(), session=SimpleNamespace(peers=peers, organization_id=acme.id, id=session.id)
    )
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(sqlite_url(Path(folder) / "bench.db"))
        try:
            async with database() as uow:
                await uow.organizations.add(acme)
                await uow.meetings.add(meeting)
                await uow.sessions.add(session)
                for peer_id in peers:
                    await uow.sessions.add_attendance(values.attendance(session, peer_id))
                await uow.commit()
            around: Any = SimpleNamespace(
                uow=database, clock=clock, settings=SimpleNamespace(keep_reports_every=1e9)
            )
            reports = PeerReports(around, lambda: [live])
            for _ in range(MAX_POINTS):
                clock.advance(10.0)
                before = time.thread_time()
                await reports.poll()
                reading.taken.append(MS * (time.thread_time() - before))
            _say(f"reading samples of {len(peers)} peers, every 10 s: {reading.line}")
            writing = Timer([])
            for _ in range(times):
                clock.advance(10.0)
                await reports.poll()
                before = time.process_time()
                await reports.save()
                writing.taken.append(MS * (time.process_time() - before))
            packed = [cast(Any, reports.current(peer_id)).pack() for peer_id in peers]
            _say(f"writing them full, every 300 s: {writing.line} of CPU, SQLite's thread included")
            _say(f"a full report: {len(packed[0])} bytes in memory")
        finally:
            await database.close()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=15)
    arguments = parser.parse_args()
    _say(machine_line(describe_machine()))
    told = asyncio.run(measure_node(arguments.times))
    if told:
        asyncio.run(measure_signaling(told, arguments.times))


if __name__ == "__main__":
    main()
