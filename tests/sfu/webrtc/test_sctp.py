"""SCTP of clients that mean well, and of those that do not: what gets through, and what it may cost."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import AsyncIterator, Callable

import pytest
from google_crc32c import value as crc32c
from hypothesis import given, settings
from hypothesis import strategies as st

from sfu.errors import SctpError
from sfu.webrtc.sctp import MAX_CHANNELS, MAX_HELD, MAX_MALFORMED, Received, SctpAssociation, SendOutcome
from sfu.webrtc.sctp_guard import (
    COOKIE_ECHO,
    DATA,
    FORWARD_TSN,
    HEARTBEAT,
    INIT,
    MAX_PACKET,
    MAX_STREAMS,
    RECONFIG,
    SACK,
    inspect,
)
from tests.sfu.webrtc.sctp_client import Pair
from tests.support.wait import wait_until

PLENTY = 1 << 20
Chunk = tuple[int, int, bytes]
"""Type, flags, body."""


def packet(*chunks: Chunk, tag: int = 0) -> bytes:
    """Chunks in a packet with a right checksum."""
    body = b"".join(
        struct.pack("!BBH", kind, flags, len(content) + 4) + content + bytes(-len(content) % 4)
        for kind, flags, content in chunks
    )
    header = struct.pack("!HHL", 5000, 5000, tag)
    return header + struct.pack("<L", crc32c(header + bytes(4) + body)) + body


def data_chunk(tsn: int, *, stream: int = 0, sequence: int = 0, flags: int = 3, user: bytes = b"x") -> Chunk:
    return DATA, flags, struct.pack("!LHHL", tsn, stream, sequence, 53) + user


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    pair = Pair()
    yield pair
    await pair.close()


async def opened(pair: Pair, *labels: str) -> None:
    await pair.start()
    channels = [pair.open(label) for label in labels]
    await wait_until(
        lambda: all(one.readyState == "open" for one in channels) and all(map(pair.node.is_open, labels)),
        lambda: f"open channels; {[one.readyState for one in channels]}",
    )


# --- well-meant --------------------------------------------------------------------------------------


async def test_messages_of_every_size_pass_both_ways_in_order(pair: Pair) -> None:
    await pair.start()
    channel = pair.open("reliable")
    await wait_until(lambda: channel.readyState == "open", "the channel")
    messages = [bytes([size % 251]) * size for size in (1, 1000, 1172, 1173, 65_536, 3)]
    for message in messages:
        channel.send(message)
        assert pair.node.send("reliable", message, most_buffered=PLENTY) is SendOutcome.SENT
    await wait_until(
        lambda: len(pair.received) == len(pair.got) == len(messages),
        lambda: f"{len(messages)} messages; {len(pair.received)} up, {len(pair.got)} down",
    )
    assert pair.received == [Received("reliable", message, binary=True) for message in messages]
    assert [data for _, data in pair.got] == messages


async def test_strings_are_told_apart(pair: Pair) -> None:
    await opened(pair, "a")
    pair.client._data_channels[0].send("text")
    await wait_until(lambda: bool(pair.received), "the message")
    assert pair.received == [Received("a", b"text", binary=False)]


async def test_without_a_channel_of_that_label_nothing_is_sent(pair: Pair) -> None:
    assert pair.node.send("a", b"x", most_buffered=PLENTY) is SendOutcome.NOT_OPEN
    await opened(pair, "a")
    assert pair.node.send("b", b"x", most_buffered=PLENTY) is SendOutcome.NOT_OPEN


async def test_a_receiver_that_does_not_acknowledge_fills_its_buffer_and_no_more(pair: Pair) -> None:
    await opened(pair, "a")
    pair._hand_down = lambda packet: None  # type: ignore[method-assign]
    outcomes = [pair.node.send("a", bytes(60_000), most_buffered=PLENTY) for _ in range(100)]
    assert outcomes.count(SendOutcome.SENT) <= PLENTY // 60_000 + 1
    assert outcomes[-1] is SendOutcome.FULL


async def test_a_message_larger_than_the_client_takes_is_not_sent() -> None:
    pair = Pair(remote_max_message=1000)
    await opened(pair, "a")
    assert pair.node.send("a", bytes(1001), most_buffered=PLENTY) is SendOutcome.TOO_LARGE
    assert pair.node.send("a", bytes(1000), most_buffered=PLENTY) is SendOutcome.SENT
    await pair.close()


async def test_a_channel_that_the_node_closes_can_be_opened_again(pair: Pair) -> None:
    await opened(pair, "a")
    pair.node.close_channel("a")
    first = pair.client._data_channels[0]
    await wait_until(lambda: first.readyState == "closed", lambda: f"a closed channel, {first.readyState}")
    assert not pair.node.is_open("a")
    again = pair.open("a")
    await wait_until(lambda: again.readyState == "open" and pair.node.is_open("a"), "the channel again")


async def test_what_is_lost_is_sent_again_on_a_reliable_channel() -> None:
    chance = random.Random(3)
    pair = Pair(up=lambda packet: packet[12] != DATA or chance.random() > 0.2)
    await opened(pair, "a")
    channel = pair.client._data_channels[0]
    for number in range(100):
        channel.send(number.to_bytes(2, "big"))
    await wait_until(lambda: len(pair.received) == 100, lambda: f"100 messages, got {len(pair.received)}")
    assert [int.from_bytes(one.data, "big") for one in pair.received] == list(range(100))
    await pair.close()


async def test_a_repeated_init_does_not_disturb_what_is_established(pair: Pair) -> None:
    await opened(pair, "a")
    init = next(one for one in pair.sent_up if one[12] == INIT)
    pair.client._data_channels[0].send(b"before")
    await wait_until(lambda: len(pair.received) == 1, "the first message")
    pair.feed(init)
    pair.client._data_channels[0].send(b"after")
    await wait_until(lambda: len(pair.received) == 2, "the second message")


async def test_a_closed_association_says_so_and_hears_nothing(pair: Pair) -> None:
    await opened(pair, "a")
    pair.node.close()
    pair.node.close()
    await wait_until(lambda: pair.client.state == "closed", "the client's association to be aborted")
    pair.feed(packet(data_chunk(1)))
    assert pair.received == []
    assert pair.node.send("a", b"x", most_buffered=PLENTY) is SendOutcome.NOT_OPEN


# --- hostile -----------------------------------------------------------------------------------------

ENDLESS = struct.pack("!HH", 7, 0)

MALFORMED = {
    "no chunk": packet(),
    "an endless parameter": packet((HEARTBEAT, 0, ENDLESS)),
    "an endless parameter of INIT": packet((INIT, 0, struct.pack("!LLHHL", 1, 1, 1, 1, 1) + ENDLESS)),
    "a parameter longer than its chunk": packet((HEARTBEAT, 0, struct.pack("!HH", 1, 400))),
    "a short INIT": packet((INIT, 0, bytes(8))),
    "an INIT of tag 0": packet((INIT, 0, struct.pack("!LLHHL", 0, 1, 1, 1, 1))),
    "an INIT with company": packet(
        (INIT, 0, struct.pack("!LLHHL", 1, 1, 1, 1, 1)), (COOKIE_ECHO, 0, b"cookie")
    ),
    "DATA without data": packet((DATA, 3, struct.pack("!LHHL", 1, 0, 0, 53))),
    "a stream never negotiated": packet(data_chunk(1, stream=MAX_STREAMS)),
    "a short SACK": packet((SACK, 0, bytes(8))),
    "a SACK shorter than it says": packet((SACK, 0, struct.pack("!LLHH", 1, 1, 900, 0))),
    "gaps out of order": packet((SACK, 0, struct.pack("!LLHHHHHH", 1, 1, 2, 0, 5, 9, 2, 3))),
    "gaps backwards": packet((SACK, 0, struct.pack("!LLHHHH", 1, 1, 1, 0, 9, 5))),
    "a FORWARD TSN cut short": packet((FORWARD_TSN, 0, bytes(6))),
    "a FORWARD TSN of every stream": packet((FORWARD_TSN, 0, bytes(4) + bytes(4) * 400)),
    "a reset cut short": packet((RECONFIG, 0, struct.pack("!HHL", 13, 8, 1))),
    "a reset of half a stream": packet((RECONFIG, 0, struct.pack("!HHLLLB", 13, 17, 1, 1, 1, 1))),
    "a chunk longer than its packet": packet() + b"\x0a\x00\x00\xff" + b"cookie",
    "too long": packet(data_chunk(1, user=bytes(MAX_PACKET))),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_what_is_malformed_never_reaches_the_stack(data: bytes) -> None:
    with pytest.raises(SctpError):
        inspect(data)


async def test_a_client_that_keeps_sending_nonsense_loses_its_association(pair: Pair) -> None:
    await opened(pair, "a")
    for _ in range(MAX_MALFORMED):
        pair.feed(MALFORMED["an endless parameter"])
    assert not pair.node.closed
    pair.feed(MALFORMED["an endless parameter"])
    assert pair.node.closed


async def hostile(pair: Pair) -> tuple[int, int]:
    """An association that is up: our tag towards it, and the TSN it expects next."""
    await opened(pair, "a")
    return pair.node._stack._local_verification_tag, (pair.node._stack._last_received_tsn or 0) + 1


async def test_a_sack_for_what_was_never_sent_costs_nothing(pair: Pair) -> None:
    tag, _ = await hostile(pair)
    sacked = pair.node._stack._last_sacked_tsn
    before = pair.node.dropped
    pair.feed(packet((SACK, 0, struct.pack("!LLHHHH", sacked, 1, 1, 0, 2, 65_535)), tag=tag))
    pair.feed(packet((SACK, 0, struct.pack("!LLHH", (sacked + 9) % 2**32, 1, 0, 0)), tag=tag))
    assert pair.node.dropped == before + 2
    assert pair.node._stack._last_sacked_tsn == sacked


async def test_unfinished_messages_are_not_kept_without_bound(pair: Pair) -> None:
    tag, tsn = await hostile(pair)
    kept = 0
    for number in range(4 * MAX_HELD):
        pair.now += 0.01
        pair.feed(packet(data_chunk((tsn + number) % 2**32, flags=2 if number == 0 else 0), tag=tag))
        kept = max(kept, pair.node.held)
    assert pair.node.closed
    assert kept <= MAX_HELD + 1


async def test_messages_far_ahead_of_a_missing_one_are_left_to_be_sent_again(pair: Pair) -> None:
    tag, tsn = await hostile(pair)
    for number in range(1, 4 * MAX_HELD):
        pair.now += 0.01
        pair.feed(packet(data_chunk((tsn + number) % 2**32, sequence=1), tag=tag))
    assert not pair.node.closed
    assert pair.node.held <= MAX_HELD
    assert pair.node.dropped > 0


async def test_more_channels_than_anybody_needs_end_the_association(pair: Pair) -> None:
    await pair.start()
    for number in range(MAX_CHANNELS + 1):
        pair.open(f"channel {number}")
    await wait_until(lambda: pair.node.closed, "the association to be aborted")


async def test_a_flood_of_packets_is_dropped_before_any_work_is_done_on_it(pair: Pair) -> None:
    tag, tsn = await hostile(pair)
    chunks = [data_chunk((tsn + number) % 2**32, sequence=number + 1) for number in range(50)]
    small = packet(*chunks, tag=tag)
    for _ in range(1000):
        pair.feed(small)
    assert pair.node.dropped > 900
    assert not pair.node.closed


CONTRADICTIONS: dict[str, Callable[[int], list[Chunk]]] = {
    "an ACK for a channel that is not there": lambda tsn: [dcep(tsn, b"\x02", stream=8)],
    "a channel opened twice": lambda tsn: [
        dcep(tsn, struct.pack("!BBHLHH", 3, 0, 0, 0, 1, 0) + b"a", stream=10),
        dcep(tsn + 1, struct.pack("!BBHLHH", 3, 0, 0, 0, 1, 0) + b"a", stream=10, sequence=1),
    ],
    "a label that is not UTF-8": lambda tsn: [
        dcep(tsn, struct.pack("!BBHLHH", 3, 0, 0, 0, 2, 0) + b"\xff\xfe", stream=10)
    ],
}


def dcep(tsn: int, message: bytes, *, stream: int, sequence: int = 0) -> Chunk:
    return DATA, 3, struct.pack("!LHHL", tsn % 2**32, stream, sequence, 50) + message


@pytest.mark.parametrize("chunks", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
async def test_what_contradicts_the_protocol_ends_the_association_and_raises_nothing(
    pair: Pair, chunks: Callable[[int], list[Chunk]]
) -> None:
    tag, tsn = await hostile(pair)
    for chunk in chunks(tsn):
        pair.feed(packet(chunk, tag=tag))
    assert pair.node.closed


CHUNKS = st.tuples(
    st.one_of(st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 130, 192]), st.integers(0, 255)),
    st.integers(0, 255),
    st.binary(max_size=80),
)


@given(st.lists(CHUNKS, max_size=4))
def test_every_packet_is_described_or_refused(chunks: list[Chunk]) -> None:
    try:
        summary = inspect(packet(*chunks))
    except SctpError:
        return
    assert summary.chunks == len(chunks)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), steps=st.lists(CHUNKS, min_size=1, max_size=30))
async def test_an_established_association_survives_whatever_is_fed_to_it(
    seed: int, steps: list[Chunk]
) -> None:
    """Chunks of every kind, some made of right numbers; each must be over in little time."""
    pair = Pair()
    tag, tsn = await hostile(pair)
    chance = random.Random(seed)
    begun = time.process_time()
    for step, (kind, flags, body) in enumerate(steps):
        if kind in (DATA, SACK, FORWARD_TSN) and chance.random() < 0.7:
            sacked = pair.node._stack._last_sacked_tsn
            near = (sacked if kind == SACK else tsn) + chance.randrange(-3, 300)
            body = struct.pack("!L", near % 2**32) + body[4:].ljust(12, b"\0")
        pair.feed(packet((kind, flags, body), tag=0 if kind == INIT else tag))
        if step % 5 == 0:
            pair.node.send("a", body, most_buffered=PLENTY)
    spent = time.process_time() - begun
    held = pair.node.held
    await pair.close()
    assert held <= MAX_HELD
    assert spent < 5.0, "a step ran away"


async def test_before_the_association_is_up_data_is_ignored() -> None:
    node = SctpAssociation(lambda _: None, remote_port=5000, remote_max_message=0, now=0.0)
    node.start()
    tag = node._stack._local_verification_tag
    assert node.handle_packet(packet(data_chunk(1), tag=tag), 0.0) == []
    assert node.handle_packet(packet((SACK, 0, struct.pack("!LLHH", 1, 1, 0, 0)), tag=tag), 0.0) == []
    assert not node.closed
    node.close()
