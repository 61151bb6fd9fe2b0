"""Producers on the other side of a pipe: real clients on two real nodes."""

from __future__ import annotations

import socket

import pytest

from sfu.bots.publish import OutboundTrack, PublishTransport
from sfu.clock import monotonic
from sfu.config import NodeConfig
from sfu.control import messages as m
from sfu.control.in_process import InProcessLink
from sfu.errors import NodeCommandError
from sfu.forwarding.batch import PLAIN_TAIL, Packet
from sfu.forwarding.encoding import Encoding
from sfu.forwarding.leg import Egress, Leg
from sfu.forwarding.selector import aim
from sfu.pipes.pipe import PipeState
from sfu.producer import Producer
from sfu.rtp.parameters import Codec
from tests.support.node_pair import PIPE, Line, Pair, Side, joined, packets
from tests.support.wait import wait_until
from tests.vectors.rtp import read


def camera(publisher: PublishTransport) -> OutboundTrack:
    return publisher.add_video((1,), packets_per_second=100.0)


def simulcast(publisher: PublishTransport) -> OutboundTrack:
    """Small enough for the best layer to fit what a receiver is believed to take at first."""
    return publisher.add_video((1, 2, 3), packets_per_second=160.0, payload_size=100)


def microphone(publisher: PublishTransport) -> OutboundTrack:
    return publisher.add_audio(7, source="microphone", payload_size=80)


def speakers(side: Side) -> list[tuple[str, ...]]:
    return [
        tuple(one.producer_id for one in event.speakers)
        for event in side.events
        if isinstance(event, m.SpeakersChanged)
    ]


def carried(pair: Pair, producer_id: str) -> list[bool]:
    """By encoding: whether the pipe is in the origin's fan-out."""
    sender = pair.first.pipe.sending[producer_id]
    return [one.leg in one.encoding.legs for one in sender.legs.values()]


@pytest.mark.parametrize("secure", [True, False])
async def test_a_subscriber_on_the_other_node_receives_everything_in_order(secure: bool) -> None:
    async with joined(secure=secure) as pair:
        producer_id, _ = await pair.publish(pair.first, camera)
        await pair.carry(producer_id, pair.first, pair.second)
        _, client = await pair.subscribe(pair.second, producer_id)
        await wait_until(lambda: packets(client, 1) >= 150, lambda: f"150 packets, got {packets(client, 1)}")
        (stream,) = client.streams_of(1)
        assert (len(stream.tally.missing), stream.tally.duplicates) == (0, 0)
        assert pair.first.pipe.state is pair.second.pipe.state is PipeState.CONNECTED


async def test_what_nobody_on_the_far_side_wants_is_not_carried() -> None:
    async with joined() as pair:
        producer_id, _ = await pair.publish(pair.first, simulcast)
        await pair.carry(producer_id, pair.first, pair.second)
        _, here = await pair.subscribe(pair.first, producer_id)
        await wait_until(lambda: packets(here, 3) > 40, "packets on the publisher's own node")
        assert carried(pair, producer_id) == [False, False, False]
        assert pair.second.pipe.inlet.packets == 0

        low = m.LayerSpec(spatial=0, temporal=7)
        consumer_id, there = await pair.subscribe(pair.second, producer_id, preferred=low)
        await wait_until(lambda: packets(there, 1) > 10, "packets of the lowest layer there")
        assert carried(pair, producer_id) == [True, False, False]

        await pair.second.do(m.SetPreferredLayer(consumer_id=consumer_id, preferred=None))
        await wait_until(
            lambda: carried(pair, producer_id) == [False, False, True],
            lambda: f"the highest layer carried, and it only: {carried(pair, producer_id)}",
        )
        await wait_until(lambda: packets(there, 3) > 20, "packets of the highest layer there")

        await pair.second.do(m.CloseConsumers(consumer_ids=(consumer_id,)))
        await wait_until(
            lambda: carried(pair, producer_id) == [False, False, False], "nothing carried any more"
        )


async def test_the_far_side_knows_what_layers_cost_that_it_does_not_receive() -> None:
    async with joined() as pair:
        producer_id, _ = await pair.publish(pair.first, simulcast)
        await pair.carry(producer_id, pair.first, pair.second)
        here, there = (side.node.producers[producer_id].supply for side in (pair.first, pair.second))

        def costs() -> list[tuple[float, float]]:
            there.look(monotonic())
            known = there.bitrates()
            return list(zip(here.bitrates(), known, strict=True))

        await wait_until(
            lambda: all(ours > 0 and abs(ours - theirs) <= 0.5 * ours for ours, theirs in costs()),
            lambda: f"the same bitrates on both sides, (here, there) {costs()}",
        )
        assert pair.second.pipe.inlet.packets == 0, "nothing of it was carried"


@pytest.mark.parametrize("name", ["av1_l1t3", "vp9_l3t3", "vp8_simulcast"])
async def test_layers_descriptors_and_extensions_pass_untouched(name: str) -> None:
    capture = read(name)
    sent = [one for one in capture.packets if one.encoding == 0][:500]
    async with joined() as pair:
        here = bare_producer(capture.mime)
        pair.first.node.producers[here.id] = here
        await pair.carry(here.id, pair.first, pair.second)
        there = pair.second.node.producers[here.id].encodings[0]
        receiver = Leg(Egress(), ssrc=1, rtx_ssrc=2, first_index=1)  # wants it, and is never ready for it
        aim(receiver, there)
        await wait_until(lambda: bool(here.encodings[0].waiting), "the wish to come across")
        for one in sent:
            here.encodings[0].take(
                one.sequence,
                0x80 if one.marker else 0,
                one.timestamp,
                words_of(one.tail),
                one.tail or PLAIN_TAIL,
                one.payload,
                monotonic(),
            )
            here.encodings[0].flush(monotonic())
        accepted = here.encodings[0].stream.packets  # recordings have a few packets twice
        await wait_until(
            lambda: there.stream.packets == accepted, lambda: f"{there.stream.packets} of {accepted} came"
        )
        assert accepted > 50
        before, after = kept_of(here.encodings[0], accepted), kept_of(there, accepted)
        assert [one[1:] for one in after] == [one[1:] for one in before]


def kept_of(encoding: Encoding, count: int) -> list[Packet]:
    """The last packets of an encoding's history, oldest first."""
    highest = encoding.stream.highest
    found = [encoding.history.get(highest - back) for back in range(count - 1, -1, -1)]
    return [one for one in found if one is not None]


def words_of(tail: bytes) -> int:
    """Words of extension with the transport-wide number's element before the tail."""
    return 1 + len(tail) // 4 if tail and len(tail) % 4 == 0 else (len(tail) + 3) // 4 or 1


def bare_producer(mime: str) -> Producer:
    return Producer(
        producer_id="pr_bare",
        transport_id="tp_bare",
        mid="0",
        source="camera",
        kind="video",
        codec=Codec(mime, 96, 90000),
        rids=(),
        ssrc=1,
        paused=False,
    )


async def test_what_the_pipe_loses_is_repaired() -> None:
    line = Line(0.05)
    async with joined(line=line) as pair:
        producer_id, _ = await pair.publish(pair.first, camera)
        await pair.carry(producer_id, pair.first, pair.second)
        _, client = await pair.subscribe(pair.second, producer_id)
        await wait_until(lambda: packets(client, 1) >= 300, "300 packets over a bad line")
        stream = pair.second.node.producers[producer_id].encodings[0].stream
        assert line.lost >= 10
        await wait_until(lambda: stream.lost <= 1, lambda: f"repairs, {stream.lost} still missing")
        assert sum(one.leg.retransmitted for one in pair.first.pipe.sending[producer_id].legs.values()) >= 10
        assert pair.second.pipe.inlet.inbound is not None
        assert pair.second.pipe.inlet.inbound.auth_failures == 0


async def test_a_voice_is_heard_by_the_detector_of_both_nodes() -> None:
    async with joined() as pair:
        producer_id, _ = await pair.publish(pair.first, microphone)
        await pair.carry(producer_id, pair.first, pair.second)
        _, client = await pair.subscribe(pair.second, producer_id)
        await wait_until(lambda: packets(client, 7) > 20, "audio on the other node")
        await wait_until(lambda: (producer_id,) in speakers(pair.first), "the speaker at the origin")
        await wait_until(lambda: (producer_id,) in speakers(pair.second), "the speaker on the other node")


async def test_a_key_frame_asked_for_there_is_asked_of_the_publisher() -> None:
    async with joined() as pair:
        producer_id, track = await pair.publish(pair.first, camera)
        await pair.carry(producer_id, pair.first, pair.second)
        _, client = await pair.subscribe(pair.second, producer_id)
        await wait_until(lambda: packets(client, 1) > 20, "media before the request")
        before = track.encodings[0].key_frame_requests
        client.request_key_frame(client.streams_of(1)[0].tally.ssrc)
        await wait_until(
            lambda: track.encodings[0].key_frame_requests > before, "a key frame request at the publisher"
        )


async def test_the_publishers_clock_is_known_on_the_far_side() -> None:
    async with joined() as pair:
        producer_id, _ = await pair.publish(pair.first, camera)
        await pair.carry(producer_id, pair.first, pair.second)
        await pair.subscribe(pair.second, producer_id)
        here = pair.first.node.producers[producer_id].encodings[0].stream
        there = pair.second.node.producers[producer_id].encodings[0].stream
        await wait_until(lambda: there.sender_ntp != 0, "a sender report through the pipe")
        # Both say which NTP time belongs to which timestamp; the lines must be the same one.
        apart = (there.sender_ntp - here.sender_ntp) / 2**32
        ticks = (there.sender_timestamp - here.sender_timestamp + 2**31) % 2**32 - 2**31
        assert abs(apart * here.clock_rate - ticks) < here.clock_rate * 0.05


async def test_a_paused_producer_stops_on_both_sides_and_comes_back_with_a_key_frame() -> None:
    async with joined() as pair:
        producer_id, _ = await pair.publish(pair.first, camera)
        await pair.carry(producer_id, pair.first, pair.second)
        _, client = await pair.subscribe(pair.second, producer_id)
        await wait_until(lambda: packets(client, 1) > 20, "media before the pause")
        for side in (pair.first, pair.second):
            await side.do(m.PauseProducer(producer_id=producer_id))
        assert carried(pair, producer_id) == [False]
        stream, received = pair.first.node.producers[producer_id].encodings[0].stream, []
        for _ in range(2):
            goal = stream.packets + 50
            await wait_until(lambda goal=goal: stream.packets > goal, "the publisher sending on")
            received.append(pair.second.pipe.inlet.packets)
        assert received[0] == received[1], "what was on its way is there, and nothing else comes"

        count = packets(client, 1)
        for side in (pair.first, pair.second):
            await side.do(m.ResumeProducer(producer_id=producer_id))
        await wait_until(lambda: packets(client, 1) > count + 20, "media after the pause")
        assert not client.streams_of(1)[0].tally.missing


async def test_closing_the_pipe_ends_what_came_by_it_and_tells_who_received_it() -> None:
    async with joined() as pair:
        producer_id, _ = await pair.publish(pair.first, camera)
        await pair.carry(producer_id, pair.first, pair.second)
        consumer_id, _ = await pair.subscribe(pair.second, producer_id)
        await pair.second.do(m.ClosePipe(pipe_id=PIPE))
        assert pair.second.node.producers == {}
        await wait_until(
            lambda: (
                pair.second.told(m.ConsumerClosed)
                == [m.ConsumerClosed(consumer_id=consumer_id, reason="producer_closed")]
            ),
            "the consumer's end",
        )
        await pair.first.do(m.ClosePipe(pipe_id=PIPE))
        assert pair.first.node.producers[producer_id].branches == {}
        await wait_until(
            lambda: not pair.first.node.producers[producer_id].encodings[0].legs, "no leg left behind"
        )


async def test_a_producer_that_ends_leaves_nothing_on_the_pipe() -> None:
    async with joined() as pair:
        producer_id, _ = await pair.publish(pair.first, camera)
        await pair.carry(producer_id, pair.first, pair.second)
        await pair.subscribe(pair.second, producer_id)
        for side in (pair.first, pair.second):
            await side.do(m.CloseProducer(producer_id=producer_id))
        assert (pair.first.pipe.sending, pair.second.pipe.receiving) == ({}, {})
        assert pair.second.pipe.inlet.sources == {}
        assert not pair.second.node.routers["r"].piped


async def test_packets_of_a_stranger_or_without_the_key_go_nowhere() -> None:
    async with joined() as pair:
        producer_id, _ = await pair.publish(pair.first, camera)
        spec = await pair.carry(producer_id, pair.first, pair.second)
        _, client = await pair.subscribe(pair.second, producer_id)
        await wait_until(lambda: packets(client, 1) > 20, "media before the attack")
        ssrc = spec.encodings[0].ssrc
        forged = b"\x80\x60\x40\x00" + bytes(4) + ssrc.to_bytes(4, "big") + bytes(200)
        end = pair.second.node.pipes.create(m.CreatePipe(pipe_id=PIPE))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(10):
                stranger.sendto(forged, (end.host, end.port))
        await wait_until(lambda: pair.second.node.pipes.strangers >= 10, "the stranger's packets counted")
        taken = pair.second.node.producers[producer_id].encodings[0].stream.packets

        pair.second.pipe.rtp_in.append(forged)
        pair.second.pipe.handle_batch(0.0)
        inbound = pair.second.pipe.inlet.inbound
        assert inbound is not None and inbound.auth_failures == 1
        assert pair.second.node.producers[producer_id].encodings[0].stream.packets == taken


async def test_a_pipe_in_the_clear_is_refused_beyond_loopback() -> None:
    link = await InProcessLink.start(NodeConfig("nd", hosts=("127.0.0.1",), udp_port=0))
    try:
        await link.request(m.CreatePipe(pipe_id="p", secure=False))
        with pytest.raises(NodeCommandError) as refused:
            await link.request(m.ConnectPipe(pipe_id="p", host="192.0.2.1", port=4000))
        assert refused.value.code == "insecure_pipe"
        await link.request(m.CreatePipe(pipe_id="s", secure=True))
        for key in (None, "00" * 27, "nonsense"):
            with pytest.raises(NodeCommandError) as refused:
                await link.request(m.ConnectPipe(pipe_id="s", host="127.0.0.1", port=4000, key=key))
            assert refused.value.code == "bad_key"
    finally:
        await link.close()

    wide = await InProcessLink.start(NodeConfig("nd", hosts=("127.0.0.1",), udp_port=0, pipe_host="0.0.0.0"))
    try:
        with pytest.raises(NodeCommandError) as refused:
            await wide.request(m.CreatePipe(pipe_id="p", secure=False))
        assert refused.value.code == "insecure_pipe"
    finally:
        await wide.close()


async def test_an_end_that_falls_silent_is_noticed() -> None:
    async with joined() as pair:
        await wait_until(lambda: pair.first.pipe.state is PipeState.CONNECTED, "a sign of life")
        await pair.second.do(m.ClosePipe(pipe_id=PIPE))
        await wait_until(lambda: pair.first.pipe.state is PipeState.SILENT, "silence noticed")
        assert [event.state for event in pair.first.told(m.PipeStateChanged)] == [  # type: ignore[union-attr]
            "connected",
            "silent",
        ]
