"""What signaling reads of an offer: which m-lines there are, and what the client would do on them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.protocol.offer import MAX_LINES, OfferedLine, OfferError, read_offer
from tests.vectors import sdp as vectors


def test_the_lines_of_browsers_and_encoders_are_read() -> None:
    assert read_offer(vectors.read("obs_publish_offer")) == (
        OfferedLine("0", "audio", sends=True, receives=False),
        OfferedLine("1", "video", sends=True, receives=False),
    )
    assert read_offer(vectors.read("chromium_view_offer")) == (
        OfferedLine("0", "audio", sends=False, receives=True),
        OfferedLine("1", "video", sends=False, receives=True),
    )


def test_a_direction_of_the_whole_holds_where_a_line_has_none() -> None:
    lines = read_offer("v=0\na=recvonly\nm=audio 9 x 0\nm=video 9 x 0\na=sendonly\nm=application 9 x y\n")
    assert lines == (
        OfferedLine("0", "audio", sends=False, receives=True),
        OfferedLine("1", "video", sends=True, receives=False),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=1\r\n",
        "v=0\r\nm=audio 9\r\n",
        "v=0\r\nm=audio 9 x 0\r\na=mid:a b\r\n",
        "v=0\r\nm=audio 9 x 0\r\na=mid:\r\n",
        "v=0\r\nm=audio 9 x 0\r\na=mid:1\r\nm=video 9 x 0\r\n",
        "v=0\r\n" + "m=audio 9 x 0\r\n" * (MAX_LINES + 1),
    ],
)
def test_what_is_no_offer_is_refused_by_name(text: str) -> None:
    with pytest.raises(OfferError):
        read_offer(text)


@given(st.text(alphabet="v=0m=audiovideo 9xa=mid:\r\n1recvonly", max_size=200))
def test_any_text_is_an_offer_or_refused(text: str) -> None:
    try:
        lines = read_offer("v=0\r\n" + text)
    except OfferError:
        return
    assert len({line.mid for line in lines}) == len(lines) <= MAX_LINES
