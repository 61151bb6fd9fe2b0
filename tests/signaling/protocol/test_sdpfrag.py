"""Trickled candidates and restarts as fragments of SDP (RFC 8840)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.protocol.sdpfrag import (
    MAX_CANDIDATES,
    FragmentError,
    IceFragment,
    parse_fragment,
    print_fragment,
)

CANDIDATE = "candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw"
PWD = "P2uYro0UCOQ4zxjKXaWCBui1"


def test_a_fragment_as_in_the_rfc_is_read() -> None:
    text = (
        f"a=ice-ufrag:EsAw\r\na=ice-pwd:{PWD}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
        f"a={CANDIDATE}\r\na=end-of-candidates\r\n"
    )
    assert parse_fragment(text) == IceFragment("EsAw", PWD, (CANDIDATE,), end_of_candidates=True)


def test_what_is_printed_is_read_again() -> None:
    fragment = IceFragment("EsAw", PWD, (CANDIDATE,), end_of_candidates=True)
    text = print_fragment(fragment, mid="a", kind="video")
    assert parse_fragment(text) == fragment
    assert "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:a\r\n" in text
    assert text.startswith("a=ice-lite\r\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "a=mid:0",
        "a=ice-ufrag:EsAw",
        f"a=ice-pwd:{PWD}",
        f"a=ice-ufrag:abc\na=ice-pwd:{PWD}",
        f"a=ice-ufrag:EsAw\na=ice-pwd:{PWD[:10]}",
        f'a=ice-ufrag:Es"w\na=ice-pwd:{PWD}',
        "a=candidate:",
        "a=candidate:" + "x" * 600,
        f"a={CANDIDATE}\n" * (MAX_CANDIDATES + 1),
    ],
)
def test_what_is_no_fragment_is_refused_by_name(text: str) -> None:
    with pytest.raises(FragmentError):
        parse_fragment(text)


@given(st.text(max_size=300))
def test_any_text_is_a_fragment_or_refused(text: str) -> None:
    try:
        fragment = parse_fragment(text)
    except FragmentError:
        return
    assert (fragment.ufrag is None) is (fragment.pwd is None)
