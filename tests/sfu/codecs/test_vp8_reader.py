"""The reader of VP8 takes the inner packets of a frame for what they are, and nothing else for them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sfu.codecs.layering import Vp8Reader
from sfu.layers import Layer

packets = st.builds(
    lambda first, extension, picture, tl0, temporal, marker, late: (
        bytes((first, extension, 0x80, picture, tl0, temporal)) + b"\x10media",
        0x80 * marker,
        late,
    ),
    st.sampled_from((0x90, 0x80, 0x81, 0x91)),
    st.sampled_from((0xE0, 0x80)),
    st.integers(0, 2),
    st.integers(0, 1),
    st.sampled_from((0x00, 0x40, 0x60, 0x80)),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(packets, max_size=40))
def test_a_packet_is_read_as_if_none_had_been_before(sent: list[tuple[bytes, int, bool]]) -> None:
    reader, highest = Vp8Reader(), 0
    for payload, marker, late in sent:
        alone = Vp8Reader()
        mark = alone.read(0, marker, b"", payload)
        assert reader.read(0, marker, b"", payload, late=late) == mark
        highest = highest if late else max(highest, mark.layer.temporal)
        assert reader.top == Layer(0, highest)
        if not late:
            for origin in range(3):
                alone.top = reader.top
                ways = [one.reach(Layer(0, origin), Layer(0, 2)) for one in (alone, reader)]
                assert ways[0] == ways[1], "the way up that the last packet opened"
