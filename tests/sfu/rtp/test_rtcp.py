"""RTCP: what is built is parsed again, by us and by aiortc; what is malformed is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from aiortc import rtp as aiortc
from hypothesis import given
from hypothesis import strategies as st

from sfu.errors import RtcpError
from sfu.rtp.rtcp import (
    Bye,
    Fir,
    Nack,
    Pli,
    ReceiverReport,
    Remb,
    ReportBlock,
    RtcpPacket,
    Sdes,
    SenderReport,
    TransportFeedback,
    XrDlrr,
    XrRrtr,
    build_transport_feedback,
    is_transport_feedback,
    parse_rtcp,
)

u8, u16, u32, u64 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))
blocks = st.lists(
    st.builds(
        ReportBlock,
        ssrc=u32,
        fraction_lost=u8,
        lost=st.integers(-(2**23), 2**23 - 1),
        highest=u32,
        jitter=u32,
        lsr=u32,
        dlsr=u32,
    ),
    max_size=31,
).map(tuple)
cnames = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)


@st.composite
def losses(draw: st.DrawFn) -> tuple[int, ...]:
    """Increasing sequence numbers that may wrap, spread over less than half the range."""
    start = draw(u16)
    steps = draw(st.lists(st.integers(1, 100), max_size=60))
    numbers = [start]
    for step in steps:
        numbers.append((numbers[-1] + step) & 0xFFFF)
    return tuple(numbers)


senders = st.builds(
    SenderReport, ssrc=u32, ntp=u64, rtp_timestamp=u32, packet_count=u32, octet_count=u32, reports=blocks
)
receivers = st.builds(ReceiverReport, ssrc=u32, reports=blocks)
descriptions = st.lists(st.tuples(u32, cnames), max_size=31).map(lambda names: Sdes(tuple(names)))
byes = st.lists(u32, max_size=31).map(lambda ssrcs: Bye(tuple(ssrcs)))
nacks = st.builds(Nack, sender_ssrc=u32, media_ssrc=u32, lost=losses())
plis = st.builds(Pli, sender_ssrc=u32, media_ssrc=u32)
firs = st.builds(Fir, sender_ssrc=u32, entries=st.lists(st.tuples(u32, u8), max_size=9).map(tuple))
rembs = st.builds(
    Remb,
    sender_ssrc=u32,
    bitrate=st.tuples(st.integers(0, 2**18 - 1), st.integers(0, 40)).map(lambda pair: pair[0] << pair[1]),
    ssrcs=st.lists(u32, max_size=9).map(tuple),
)
rrtrs = st.builds(XrRrtr, sender_ssrc=u32, ntp=u64)
dlrrs = st.builds(XrDlrr, sender_ssrc=u32, reports=st.lists(st.tuples(u32, u32, u32), max_size=9).map(tuple))
packets: st.SearchStrategy[RtcpPacket] = st.one_of(
    senders, receivers, descriptions, byes, nacks, plis, firs, rembs, rrtrs, dlrrs
)


@given(st.lists(packets, min_size=1, max_size=4))
def test_what_is_built_is_parsed_again(compound: list[RtcpPacket]) -> None:
    assert parse_rtcp(b"".join(packet.to_bytes() for packet in compound)) == compound


@given(st.lists(packets, min_size=1, max_size=3), st.data())
def test_a_damaged_compound_raises_nothing_but_rtcp_error(
    compound: list[RtcpPacket], data: st.DataObject
) -> None:
    raw = bytearray(b"".join(packet.to_bytes() for packet in compound))
    for _ in range(3):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(u8)
    cut = data.draw(st.integers(0, len(raw)))
    for damaged in (bytes(raw), bytes(raw[:cut])):
        survive(damaged)


@given(st.binary(max_size=100), st.integers(192, 215), u8)
def test_garbage_raises_nothing_but_rtcp_error(data: bytes, packet_type: int, first: int) -> None:
    survive(data)
    body = data[: len(data) // 4 * 4]
    survive(bytes([0x80 | first & 0x3F, packet_type]) + (len(body) // 4).to_bytes(2, "big") + body)


def survive(data: bytes) -> None:
    try:
        for packet in parse_rtcp(data):
            if isinstance(packet, TransportFeedback):
                packet.arrivals()
    except RtcpError:
        return


def parse_with_aiortc(data: bytes) -> list[Any]:
    return list(aiortc.RtcpPacket.parse(data))


def does_not_wrap(nack: Nack) -> bool:
    """aiortc knows no wrap of sequence numbers within a NACK."""
    return list(nack.lost) == sorted(nack.lost) and max(nack.lost) < 0xFFF0


@given(senders)
def test_aiortc_reads_our_sender_reports(report: SenderReport) -> None:
    (theirs,) = parse_with_aiortc(report.to_bytes())
    assert theirs.ssrc == report.ssrc
    assert theirs.sender_info.ntp_timestamp == report.ntp
    assert theirs.sender_info.rtp_timestamp == report.rtp_timestamp
    assert [r.packets_lost for r in theirs.reports] == [r.lost for r in report.reports]
    assert [r.highest_sequence for r in theirs.reports] == [r.highest for r in report.reports]
    assert bytes(theirs) == report.to_bytes()


@given(nacks.filter(does_not_wrap))
def test_aiortc_reads_our_nacks(nack: Nack) -> None:
    (theirs,) = parse_with_aiortc(nack.to_bytes())
    assert theirs.lost == list(nack.lost)


@given(nacks.filter(does_not_wrap))
def test_we_read_the_nacks_of_aiortc(nack: Nack) -> None:
    theirs = aiortc.RtcpRtpfbPacket(
        fmt=aiortc.RTCP_RTPFB_NACK, ssrc=nack.sender_ssrc, media_ssrc=nack.media_ssrc, lost=list(nack.lost)
    )
    assert parse_rtcp(bytes(theirs)) == [nack]


@given(rembs)
def test_aiortc_reads_our_bandwidth_estimates(remb: Remb) -> None:
    (theirs,) = parse_with_aiortc(remb.to_bytes())
    assert aiortc.unpack_remb_fci(theirs.fci) == (remb.bitrate, list(remb.ssrcs))


@given(plis, st.builds(lambda ssrc, cname: Sdes(((ssrc, cname),)), u32, cnames.filter(bool)), byes)
def test_aiortc_reads_our_other_packets(pli: Pli, sdes: Sdes, bye: Bye) -> None:
    theirs = parse_with_aiortc(pli.to_bytes() + sdes.to_bytes() + bye.to_bytes())
    assert (theirs[0].fmt, theirs[0].media_ssrc) == (aiortc.RTCP_PSFB_PLI, pli.media_ssrc)
    chunks = [(chunk.ssrc, dict(chunk.items).get(1, b"").decode()) for chunk in theirs[1].chunks]
    assert chunks == list(sdes.cnames)
    assert theirs[2].sources == list(bye.ssrcs)


def test_a_bitrate_is_rounded_down_to_18_bits() -> None:
    (remb,) = parse_rtcp(Remb(1, 1_234_567_890).to_bytes())
    assert isinstance(remb, Remb)
    assert 0 <= 1_234_567_890 - remb.bitrate < 1 << 13


def test_cumulative_loss_is_kept_within_24_bits() -> None:
    for lost, expected in ((2**30, 2**23 - 1), (-(2**30), -(2**23))):
        (report,) = parse_rtcp(ReceiverReport(1, (ReportBlock(2, 0, lost, 0, 0, 0, 0),)).to_bytes())
        assert isinstance(report, ReceiverReport)
        assert report.reports[0].lost == expected


def test_what_nobody_knows_is_skipped() -> None:
    unknown = bytes.fromhex("80cc0001 00000001") + bytes.fromhex("8fce0003 00000001 00000000 41424344")
    assert parse_rtcp(unknown + Pli(1, 2).to_bytes()) == [Pli(1, 2)]


def test_a_farewell_may_give_a_reason() -> None:
    assert parse_rtcp(bytes.fromhex("81cb0002 00000007 03627965")) == [Bye((7,))]


def test_the_last_packet_may_be_padded_and_no_other() -> None:
    padded = bytes.fromhex("a0c90002 00000001 00000004")
    assert parse_rtcp(padded) == [ReceiverReport(1)]
    with pytest.raises(RtcpError):
        parse_rtcp(padded + padded)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "80",
        "40c90001 00000001",
        "80c90002 00000001",
        "80c90000",
        "81c90001 00000001",
        "80c80001 00000001",
        "81ca0001 00000001",
        "81ca0002 00000001 01ff6162",
        "81cb0000",
        "80cf0000",
        "80cf0002 00000001 05000001",
        "80cf0002 00000001 04000000",
        "81cd0001 00000001",
        "84ce0003 00000001 00000000 00000001",
        "8fce0004 00000001 00000000 52454d42 02000000",
        "8fcd0002 00000001 00000002",
        "8fcd0004 00000001 00000002 0000ffff 00000000",
        "a0c90001 00000000",
        "a0c90001 000000ff",
    ],
)
def test_malformed_packets_are_refused(data: str) -> None:
    with pytest.raises(RtcpError):
        parse_rtcp(bytes.fromhex(data))


def test_a_datagram_of_transport_feedback_alone_is_told_by_its_header() -> None:
    (feedback,) = build_transport_feedback(1, 2, 0, [(5, 1_000_000), (6, 1_002_000)])
    assert is_transport_feedback(feedback)
    assert not is_transport_feedback(feedback + Pli(1, 2).to_bytes())
    assert not is_transport_feedback(feedback[:-4])
    assert not is_transport_feedback(Pli(1, 2).to_bytes())
    assert not is_transport_feedback(Nack(1, 2, (3,)).to_bytes())
    assert not is_transport_feedback(b"")
