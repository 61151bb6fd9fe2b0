"""The bot's RTCP, held against aiortc's where it knows the format, else against the draft by hand."""

from __future__ import annotations

import struct

from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRrPacket, RtcpRtpfbPacket, RtcpSdesPacket, RtcpSrPacket
from hypothesis import given
from hypothesis import strategies as st

from sfu.bots import feedback


def test_a_sender_report_is_what_aiortc_reads() -> None:
    report, description = RtcpPacket.parse(feedback.sender_report(7, 1.5, 90_000, 10, 1000))
    assert isinstance(report, RtcpSrPacket)
    assert isinstance(description, RtcpSdesPacket)
    assert report.ssrc == 7
    assert (report.sender_info.rtp_timestamp, report.sender_info.packet_count) == (90_000, 10)
    assert report.sender_info.ntp_timestamp == (feedback.NTP_EPOCH_OFFSET << 32) + (3 << 31)
    assert description.chunks[0].items == [(1, b"bot")]


def test_a_receiver_report_is_what_aiortc_reads() -> None:
    block = feedback.ReceptionReport(9, 12, 345, 0x1_0002)
    (report,) = RtcpPacket.parse(feedback.receiver_report(7, [block]))
    assert isinstance(report, RtcpRrPacket)
    assert (report.reports[0].ssrc, report.reports[0].fraction_lost) == (9, 12)
    assert (report.reports[0].packets_lost, report.reports[0].highest_sequence) == (345, 0x1_0002)


def test_a_picture_loss_indication_is_what_aiortc_reads() -> None:
    (packet,) = RtcpPacket.parse(feedback.picture_loss(7, 9))
    assert isinstance(packet, RtcpPsfbPacket)
    assert (packet.fmt, packet.ssrc, packet.media_ssrc) == (1, 7, 9)


@given(st.sets(st.integers(0, 0xFFFF), min_size=1, max_size=60))
def test_a_nack_names_exactly_the_packets_given(sequences: set[int]) -> None:
    packet = feedback.negative_acknowledgement(7, 9, sorted(sequences))
    (parsed,) = RtcpPacket.parse(packet)
    assert isinstance(parsed, RtcpRtpfbPacket)
    assert set(parsed.lost) == sequences
    ((form, kind, body),) = feedback.split_compound(packet)
    assert (form, kind) == (feedback.NACK_FORMAT, feedback.TRANSPORT_FEEDBACK)
    assert set(feedback.nacked_sequences(body)) == sequences


def read_transport_feedback(packet: bytes) -> dict[int, int]:
    """Sequence number -> arrival in microseconds, as the draft's section 3.1 says, symbol by symbol."""
    _, _, base, count, reference = struct.unpack_from("!IIHHI", packet, 4)
    position, symbols = 20, []
    while len(symbols) < count:
        (chunk,) = struct.unpack_from("!H", packet, position)
        position += 2
        if not chunk >> 15:
            symbols += [chunk >> 13 & 3] * (chunk & 0x1FFF)
        elif chunk >> 14 & 1:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    clock = (reference >> 8) * 64_000
    times = {}
    for offset, symbol in enumerate(symbols[:count]):
        if symbol == 1:
            clock += packet[position] * 250
            position += 1
        elif symbol == 2:
            clock += struct.unpack_from("!h", packet, position)[0] * 250
            position += 2
        else:
            continue
        times[(base + offset) & 0xFFFF] = clock
    return times


arrivals = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 2_000_000)),
    min_size=1,
    max_size=100,
    unique_by=lambda a: a[0],
)


@given(arrivals, st.integers(0, 0xFFFF), st.integers(0, 10**9))
def test_transport_feedback_tells_each_arrival_within_its_resolution(
    offsets: list[tuple[int, int]], first: int, start_us: int
) -> None:
    sent = [((first + offset) & 0xFFFF, start_us + time) for offset, time in offsets]
    packet = feedback.transport_feedback(7, 9, 3, sent)
    assert len(packet) % 4 == 0
    assert struct.unpack_from("!H", packet, 2)[0] == len(packet) // 4 - 1
    told = read_transport_feedback(packet)
    assert told.keys() == dict(sent).keys()
    assert all(0 <= time - told[sequence] < 250 for sequence, time in sent)


def test_of_a_packet_that_came_twice_the_first_arrival_is_told() -> None:
    packet = feedback.transport_feedback(7, 9, 3, [(5, 64_000), (5, 90_000)])
    assert read_transport_feedback(packet) == {5: 64_000}


@given(st.binary(max_size=200))
def test_splitting_rubbish_ends_without_an_error(data: bytes) -> None:
    for _, _, body in feedback.split_compound(data):
        feedback.nacked_sequences(body)
