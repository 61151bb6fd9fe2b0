"""A node that drops what it reads too late asks nobody to send that again: it would have more to read."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sfu.bots.publish import OutboundTrack, PublishTransport
from sfu.control import messages as m
from tests.support.node_pair import PIPE, Line, Side, joined, packets
from tests.support.wait import wait_until


def camera(publisher: PublishTransport) -> OutboundTrack:
    return publisher.add_video((1,), packets_per_second=100.0)


def leave_out_every_tenth_frame(publisher: PublishTransport) -> list[int]:
    """How many packets each lost frame had."""
    association = publisher.association
    send, lost, frames = association.send_burst, list[int](), iter(range(1_000_000))

    def pass_most(datagrams: Sequence[bytes]) -> None:
        if next(frames) % 10 == 9:
            lost.append(len(datagrams))
        else:
            send(datagrams)

    association.send_burst = pass_most  # type: ignore[method-assign]
    return lost


def fall_behind(side: Side, *, for_good: bool) -> None:
    (port,) = side.node.ports._udp
    port.late_at = math.inf if for_good else -math.inf


async def test_a_publisher_is_asked_for_what_is_missing_once_the_node_has_caught_up() -> None:
    async with joined() as pair:
        producer_id, track = await pair.publish(pair.first, camera)
        (encoding,) = track.encodings
        _, client = await pair.subscribe(pair.first, producer_id)
        await wait_until(lambda: packets(client, 1) > 20, "media")
        fall_behind(pair.first, for_good=True)
        await wait_until(lambda: pair.first.node.behind, "the next tick")
        lost = leave_out_every_tenth_frame(pair.publishers[0])
        await wait_until(lambda: sum(lost) >= 12, "lost packets")
        seen = packets(client, 1)
        await wait_until(lambda: packets(client, 1) > seen + 40, "what follows them")
        assert encoding.retransmitted == 0
        fall_behind(pair.first, for_good=False)
        await wait_until(lambda: encoding.retransmitted >= sum(lost[:3]), "repairs")


async def test_so_is_the_node_at_the_other_end_of_a_pipe() -> None:
    line = Line(0.05)
    async with joined(line=line) as pair:
        producer_id, _ = await pair.publish(pair.first, camera)
        await pair.carry(producer_id, pair.first, pair.second)
        _, client = await pair.subscribe(pair.second, producer_id)
        legs = pair.first.pipe.sending[producer_id].legs.values()
        fall_behind(pair.second, for_good=True)
        await wait_until(lambda: pair.second.node.behind, "the next tick")
        before = sum(one.leg.retransmitted for one in legs)
        await wait_until(lambda: packets(client, 1) > 20, "media")
        lost = line.lost
        await wait_until(lambda: line.lost >= lost + 10, "lost packets")
        assert sum(one.leg.retransmitted for one in legs) == before
        fall_behind(pair.second, for_good=False)
        await wait_until(lambda: sum(one.leg.retransmitted for one in legs) > before, "repairs")


async def test_a_pipe_that_was_renewed_counts_with_its_own_socket() -> None:
    async with joined() as pair:
        pipes = pair.second.node.pipes
        renewed = await pair.second.do(m.CreatePipe(pipe_id=PIPE, renew=True))
        assert isinstance(renewed, m.PipeCreated)
        other = await pair.first.do(m.CreatePipe(pipe_id=PIPE))
        assert isinstance(other, m.PipeCreated)
        connect = m.ConnectPipe(pipe_id=PIPE, host=other.host, port=other.port, key=other.key)
        await pair.second.do(connect)
        assert pipes.late_at == -math.inf
        pipes._ends[PIPE].port.late_at = math.inf
        assert pipes.late_at == math.inf
        await wait_until(lambda: pair.second.node.behind, "the next tick")
