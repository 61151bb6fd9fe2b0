"""One batch, many receivers: what leaves is what came, under each receiver's own numbers and keys."""

import pytest

from sfu.forwarding import fanout
from sfu.forwarding.batch import PLAIN_TAIL as PLAIN
from sfu.forwarding.batch import Batch, Packet
from sfu.forwarding.departure import Departure
from sfu.forwarding.fanout import TOGETHER, forward, send
from sfu.rtp.extensions import parse_extensions
from sfu.webrtc.srtp import SrtpProfile
from tests.sfu.forwarding.world import Receiver, aim, encoding, feed, vp8

AUDIO_LEVEL = bytes((0x30, 0x85))


def packet(sequence: int, size: int = 100, tail: bytes = PLAIN, marker: int = 0) -> Packet:
    words = 1 if tail is PLAIN else (3 + len(tail)) // 4
    return (sequence, marker, 3000 * sequence, words, tail, bytes((sequence & 0xFF,)) * size)


def tail_with_level() -> bytes:
    tail = AUDIO_LEVEL
    return tail + bytes(-(len(tail) + 3) % 4)


@pytest.mark.parametrize("profile", list(SrtpProfile))
@pytest.mark.parametrize("twcc", [True, False])
@pytest.mark.parametrize("tail", [PLAIN, tail_with_level()])
def test_every_receiver_gets_every_packet_under_its_own_numbers(
    profile: SrtpProfile, twcc: bool, tail: bytes
) -> None:
    receivers = [Receiver(profile, twcc=twcc) for _ in range(3)]
    legs = [receiver.leg(1000 + 10 * i, first_index=i + 1) for i, receiver in enumerate(receivers)]
    source = encoding()
    for leg in legs:
        leg.open_epoch(source.whole, 65536, 5)
    batch = Batch([packet(65536, tail=tail), packet(65537, tail=tail, marker=0x80), packet(65538, 40, tail)])
    forwarded, blocked = forward(batch, legs, 1.0)
    assert (forwarded, blocked) == (9, None)
    for i, receiver in enumerate(receivers):
        got = receiver.receive()
        assert [p.sequence for p in got] == [i + 1, i + 2, i + 3]
        assert [p.payload for p in got] == [p[5] for p in batch.packets]
        assert [p.timestamp for p in got] == [(p[2] + 5) & 0xFFFFFFFF for p in batch.packets]
        assert [p.marker for p in got] == [False, True, False]
        assert {p.ssrc for p in got} == {1000 + 10 * i}
        if tail is not PLAIN:
            assert all(AUDIO_LEVEL in p.extension for p in got)
        if twcc:
            assert [p.extension[:3] for p in got] == [bytes((0x21, 0, n)) for n in range(3)]


@pytest.mark.parametrize("profile", list(SrtpProfile))
@pytest.mark.parametrize("tail", [PLAIN, tail_with_level()])
@pytest.mark.parametrize("count", [1, 3])
def test_a_leg_without_numbers_has_none_beside_one_with(
    profile: SrtpProfile, tail: bytes, count: int
) -> None:
    receiver = Receiver(profile)
    voice, camera = receiver.leg(1000), receiver.leg(2000)
    voice.numbered = False
    voice.prepare(payload_type=111, rtx_payload_type=0)
    source = encoding("audio/opus")
    for leg in (voice, camera):
        leg.open_epoch(source.whole, 65530, 7)
    words = (3 + len(tail)) // 4
    packets = [(65530 + n, 0x80 * (n == 0), 960 * n, words, tail, bytes(50 - n)) for n in range(count)]
    assert forward(Batch(packets), [voice], 1.0) == (count, None)
    got = receiver.receive()
    assert [(p.sequence, p.timestamp, p.marker, p.payload_type, p.ssrc) for p in got] == [
        (1 + n, 960 * n + 7, n == 0, 111, 1000) for n in range(count)
    ]
    assert [p.payload for p in got] == [p[5] for p in packets]
    for one in got:
        elements = dict(parse_extensions(0xBEDE, one.extension))
        assert elements == ({} if tail is PLAIN else {AUDIO_LEVEL[0] >> 4: AUDIO_LEVEL[1:]})
    assert not receiver.egress.sent, "nothing will be reported of it"
    forward(Batch(packets), [camera], 1.0)
    assert all(2 in dict(parse_extensions(0xBEDE, p.extension)) for p in receiver.receive())
    assert len(receiver.egress.sent) == 1


@pytest.mark.parametrize("profile", [SrtpProfile.AEAD_AES_128_GCM, SrtpProfile.AES128_CM_SHA1_80])
@pytest.mark.parametrize("twcc", [True, False])
@pytest.mark.parametrize("sizes", [(100,), (100, 100, 100), (100, 40, 7)])
def test_a_receiver_with_ids_of_its_own_gets_the_extensions_under_them(
    profile: SrtpProfile, twcc: bool, sizes: tuple[int, ...]
) -> None:
    receiver = Receiver(profile, twcc=twcc)
    leg = receiver.leg()
    leg.numbering = bytes((0, 0, 0, 7)) + bytes(12)
    leg.prepare(payload_type=120, rtx_payload_type=0)
    leg.open_epoch(encoding().whole, 10, 0)
    batches = [
        Batch([packet(start + n, size, tail_with_level()) for n, size in enumerate(sizes)])
        for start in (10, 20)
    ]
    for batch in batches:
        assert forward(batch, [leg], 1.0) == (len(sizes), None)
    got = receiver.receive()
    assert {p.payload_type for p in got} == {120}
    assert [p.payload for p in got] == [p[5] for batch in batches for p in batch.packets]
    for number, one in enumerate(got):
        elements = dict(parse_extensions(0xBEDE, one.extension))
        assert elements.pop(7) == AUDIO_LEVEL[1:]
        assert elements == ({2: number.to_bytes(2, "big")} if twcc else {})


@pytest.mark.parametrize("twcc", [True, False])
@pytest.mark.parametrize(
    "sizes", [(100,) * 5, (100, 100, 40, 100, 40, 40), (40, 100), (7,), (1, 2, 3, 3, 2, 1)]
)
@pytest.mark.parametrize("profile", [SrtpProfile.AEAD_AES_128_GCM, SrtpProfile.AES128_CM_SHA1_80])
def test_a_burst_of_any_sizes_is_cut_right(sizes: tuple[int, ...], twcc: bool, profile: SrtpProfile) -> None:
    receiver = Receiver(profile, twcc=twcc)
    leg = receiver.leg()
    leg.open_epoch(encoding().whole, 65536, 0)
    tails = [tail_with_level() if position % 2 else PLAIN for position in range(len(sizes))]
    batch = Batch([packet(65536 + i, size, tails[i]) for i, size in enumerate(sizes)])
    assert send(leg, batch, 0.0)
    assert [len(p.payload) for p in receiver.receive()] == list(sizes)


def test_a_burst_of_one_size_is_one_call() -> None:
    receiver = Receiver()
    leg = receiver.leg()
    leg.open_epoch(encoding().whole, 65536, 0)
    send(leg, Batch([packet(65536 + i) for i in range(16)]), 0.0)
    assert receiver.calls == 1
    assert len(receiver.receive()) == 16


def test_a_very_long_burst_respects_the_kernels_limits() -> None:
    receiver = Receiver()
    leg = receiver.leg()
    leg.open_epoch(encoding().whole, 65536, 0)
    batch = Batch([packet(65536 + i, 1200) for i in range(200)])
    send(leg, batch, 0.0)
    assert all(end - start <= 64 and (end - start) * size < 65000 for start, end, size in batch.runs)
    assert len(receiver.receive()) == 200


def test_the_rollover_counter_goes_on_where_the_sequence_wraps() -> None:
    receiver = Receiver()
    leg = receiver.leg(first_index=65530)
    leg.open_epoch(encoding().whole, 65536, 0)
    for start in range(0, 20, 5):
        send(leg, Batch([packet(65536 + start + i) for i in range(5)]), 0.0)
    got = receiver.receive()
    assert [p.sequence for p in got] == [(65530 + i) & 0xFFFF for i in range(20)]


def test_a_full_socket_is_told_and_the_others_still_get_theirs() -> None:
    full, free = Receiver(), Receiver()
    full.full = True
    legs = [full.leg(), free.leg()]
    for leg in legs:
        leg.open_epoch(encoding().whole, 65536, 0)
    forwarded, blocked = forward(Batch([packet(65536)]), legs, 0.0)
    assert forwarded == 1
    assert blocked == [legs[0]]
    assert len(free.receive()) == 1
    assert full.egress.blocked == 1


def test_without_segmentation_each_packet_goes_alone() -> None:
    receiver = Receiver()
    receiver.refuse_segments = True
    leg = receiver.leg()
    leg.open_epoch(encoding().whole, 65536, 0)
    assert send(leg, Batch([packet(65536 + i) for i in range(4)]), 0.0)
    assert len(receiver.receive()) == 4


def test_a_path_that_takes_whole_datagrams_gets_them() -> None:
    receiver = Receiver()
    receiver.egress.sendto = None
    leg = receiver.leg()
    leg.open_epoch(encoding().whole, 65536, 0)
    assert send(leg, Batch([packet(65536 + i) for i in range(3)]), 0.0)
    assert [p.sequence for p in receiver.receive()] == [1, 2, 3]


def test_a_packet_too_large_for_libsrtp_is_left_out_for_its_receivers_alone() -> None:
    old, new = Receiver(SrtpProfile.AES128_CM_SHA1_80), Receiver()
    legs = [old.leg(), new.leg()]
    for leg in legs:
        leg.open_epoch(encoding().whole, 65536, 0)
    batch = Batch([packet(65536), packet(65537, 1600), packet(65538)])
    forward(batch, legs, 0.0)
    forward(Batch([packet(65539, 1600)]), legs, 0.0)
    assert [p.sequence for p in old.receive()] == [1, 3]
    assert [p.sequence for p in new.receive()] == [1, 2, 3, 4]
    assert legs[0].oversized == 2


@pytest.mark.parametrize("profile", list(SrtpProfile))
def test_packets_that_fill_an_ethernet_frame_reach_every_receiver(profile: SrtpProfile) -> None:
    receiver = Receiver(profile)
    leg = receiver.leg()
    leg.open_epoch(encoding().whole, 65536, 0)
    forward(Batch([packet(65536 + number, 1400, tail_with_level()) for number in range(3)]), [leg], 0.0)
    assert [len(p.payload) for p in receiver.receive()] == [1400] * 3
    assert leg.oversized == 0


@pytest.mark.parametrize("twcc", [True, False])
def test_every_field_may_wrap_within_a_batch(twcc: bool) -> None:
    receiver = Receiver(twcc=twcc)
    receiver.egress.transport_sequence = 65534
    leg = receiver.leg(first_index=65534)
    leg.open_epoch(encoding().whole, 65536, 0)
    stamps = [0xFFFFFFFE, 0xFFFFFFFE, 2, 2]
    packets: list[Packet] = [(65536 + n, 0, stamp, 1, PLAIN, b"x" * 9) for n, stamp in enumerate(stamps)]
    send(leg, Batch(packets), 0.0)
    got = receiver.receive()
    assert [p.sequence for p in got] == [65534, 65535, 0, 1]
    assert [p.timestamp for p in got] == stamps
    if twcc:
        assert [int.from_bytes(p.extension[1:3], "big") for p in got] == [65534, 65535, 0, 1]
    leg.timestamp_offset = 0xFFFFFFFF
    send(leg, Batch([(65540, 0, 1, 1, PLAIN, b"y"), (65541, 0, 3, 1, PLAIN, b"y")]), 0.0)
    assert [p.timestamp for p in receiver.receive()] == [0, 2]


def test_timestamps_that_run_back_within_a_batch_stay_as_they_are() -> None:
    receiver = Receiver()
    leg = receiver.leg()
    leg.open_epoch(encoding().whole, 65536, 0)
    stamps = [9000, 3000, 6000]
    send(leg, Batch([(65536 + n, 0, stamp, 1, PLAIN, b"b") for n, stamp in enumerate(stamps)]), 0.0)
    assert [p.timestamp for p in receiver.receive()] == stamps


def test_an_index_that_libsrtp_will_not_seal_costs_a_key_frame_and_nothing_else() -> None:
    source = encoding()
    receivers = [Receiver(SrtpProfile.AES128_CM_SHA1_80), Receiver()]
    legs = [receiver.leg() for receiver in receivers]
    for leg in legs:
        aim(leg, source)
    feed(source, *((n, 3000 * n, vp8(key=n == 0)) for n in range(3000)))
    for receiver in receivers:
        receiver.receive()
    legs[0].index_offset -= 2000  # an index from before libsrtp's window
    feed(source, (3000, 9_000_000, vp8()))
    assert [len(receiver.receive()) for receiver in receivers] == [0, 1]
    feed(source, (3001, 9_003_000, vp8(key=True)))
    assert [len(receiver.receive()) for receiver in receivers] == [1, 1]


@pytest.mark.parametrize("count", [1, 3])
def test_to_the_last_of_many_a_batch_is_noted_to_leave_when_it_does(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(100))
    monkeypatch.setattr(fanout, "_departure", Departure(lambda: 0.01 * next(ticks)))
    receivers = [Receiver() for _ in range(2 * TOGETHER + 1)]
    legs = [receiver.leg(1000 + number) for number, receiver in enumerate(receivers)]
    source = encoding()
    for leg in legs:
        leg.open_epoch(source.whole, 65536, 0)
    batch = Batch([packet(65536 + number) for number in range(count)])
    assert forward(batch, legs, 5.0) == (count * len(legs), None)
    left = [leg.egress.sent[0][1] for leg in legs]
    assert left == pytest.approx([5.0] * TOGETHER + [5.01] * TOGETHER + [5.02])
    assert {leg.last_sent_at for leg in legs} == {5.0}, "of one moment, for the reports to all"
    forward(Batch([packet(65540 + number) for number in range(count)]), legs, 5.0)
    assert legs[0].egress.sent[1][1] == pytest.approx(5.03), "the second one of the turn"
