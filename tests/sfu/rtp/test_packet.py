"""RTP packets: what is built is parsed again, what is malformed is refused by name."""

from __future__ import annotations

import pytest
from aiortc.rtp import HeaderExtensionsMap
from aiortc.rtp import RtpPacket as AiortcPacket
from hypothesis import given
from hypothesis import strategies as st

from sfu.errors import RtpError
from sfu.rtp.packet import RtpPacket, header_length, strip_padding

u16, u32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
one_byte = st.tuples(st.integers(1, 14), st.binary(min_size=1, max_size=16))
two_byte = st.tuples(st.integers(1, 255), st.binary(max_size=60))
packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=u16,
    timestamp=u32,
    ssrc=u32,
    payload=st.binary(max_size=60),
    marker=st.booleans(),
    csrcs=st.lists(u32, max_size=15).map(tuple),
    extensions=(st.lists(one_byte, max_size=5) | st.lists(two_byte, max_size=5)).map(tuple),
    padding=st.integers(0, 255),
)


@given(packets)
def test_what_is_built_is_parsed_again(packet: RtpPacket) -> None:
    data = packet.to_bytes()
    assert RtpPacket.parse(data) == packet
    assert header_length(data) == len(packet.header_bytes())
    assert data == packet.header_bytes() + packet.body_bytes()


@given(packets)
def test_aiortc_reads_what_we_build(packet: RtpPacket) -> None:
    theirs = AiortcPacket.parse(packet.to_bytes(), HeaderExtensionsMap())
    assert (theirs.payload_type, theirs.sequence_number, theirs.timestamp, theirs.ssrc) == (
        packet.payload_type,
        packet.sequence,
        packet.timestamp,
        packet.ssrc,
    )
    assert (theirs.payload, tuple(theirs.csrc), bool(theirs.marker)) == (
        packet.payload,
        packet.csrcs,
        packet.marker,
    )


@given(st.binary(max_size=80), st.sampled_from([0x80, 0x90, 0xB0, 0xBF, 0xA0, 0x9F]))
def test_garbage_raises_nothing_but_rtp_error(data: bytes, first: int) -> None:
    for candidate in (data, bytes([first]) + data):
        try:
            packet = RtpPacket.parse(candidate)
        except RtpError:
            continue
        assert header_length(candidate) + len(packet.payload) + packet.padding == len(candidate)


@given(packets, st.integers(0, 400))
def test_a_cut_off_packet_never_reads_beyond_its_end(packet: RtpPacket, length: int) -> None:
    try:
        RtpPacket.parse(packet.to_bytes()[:length])
    except RtpError:
        pass


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(12),
        b"\x40" + bytes(11),
        b"\x80" + bytes(10),
        b"\x81" + bytes(11),
        b"\x90" + bytes(11),
        b"\x90" + bytes(14),
        b"\x90" + bytes(11) + b"\xbe\xde\xff\xff",
        b"\xa0" + bytes(11),
        b"\xa0" + bytes(11) + b"\x00",
        b"\xa0" + bytes(11) + b"\x02",
    ],
)
def test_malformed_packets_are_refused(data: bytes) -> None:
    with pytest.raises(RtpError):
        RtpPacket.parse(data)


def test_padding_is_counted_by_its_last_byte() -> None:
    assert strip_padding(b"media\0\0\3") == b"media"
    assert strip_padding(b"\1") == b""
    for wrong in (b"", b"\0", b"media\0", b"media\x09"):
        with pytest.raises(RtpError):
            strip_padding(wrong)


@pytest.mark.parametrize(
    "fields",
    [{"payload_type": 128}, {"sequence": -1}, {"ssrc": 2**32}, {"padding": 256}, {"csrcs": (1,) * 16}],
)
def test_fields_that_do_not_fit_are_refused(fields: dict[str, object]) -> None:
    values: dict[str, object] = {"payload_type": 96, "sequence": 1, "timestamp": 2, "ssrc": 3} | fields
    with pytest.raises(RtpError):
        RtpPacket(**values).to_bytes()  # type: ignore[arg-type]


def test_an_extension_is_found_by_its_id() -> None:
    packet = RtpPacket(96, 1, 2, 3, extensions=((1, b"mid"), (4, b"x")))
    assert packet.extension(4) == b"x"
    assert packet.extension(5) is None
