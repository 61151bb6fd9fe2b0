"""The header of a data message: what is read of it, what is refused, what receivers get."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.data.message import (
    MAX_HEADER,
    MAX_MESSAGE,
    MAX_NAMES,
    MAX_PAYLOAD,
    MAX_TOPIC,
    DataMessage,
    parse_message,
    to_message,
)
from sfu.errors import DataError


def message(header: object, payload: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(2, "big") + text + payload


def test_a_message_to_all_and_one_to_some_are_told_apart() -> None:
    assert parse_message(message({}, b"hi")) == DataMessage(None, "", b"hi")
    to_two = parse_message(message({"to": ["a", "b", "a"], "topic": "cursor", "later": 1}))
    assert to_two == DataMessage(("a", "b"), "cursor", b"")
    assert parse_message(message({"to": []})).to == (), "to nobody is not to everybody"


def test_what_receivers_get_is_read_by_its_header_length() -> None:
    data = to_message("peer_1", "tästä", b"\x00payload")
    end = 2 + int.from_bytes(data[:2], "big")
    assert json.loads(data[2:end]) == {"from": "peer_1", "topic": "tästä"}
    assert data[end:] == b"\x00payload"


def test_the_largest_message_is_taken_and_one_byte_more_is_not() -> None:
    padded = b"{}" + b" " * (MAX_HEADER - 2)
    largest = message(padded, bytes(MAX_PAYLOAD))
    assert len(largest) == MAX_MESSAGE
    assert len(parse_message(largest).payload) == MAX_PAYLOAD
    with pytest.raises(DataError):
        parse_message(message(padded + b" "))
    with pytest.raises(DataError):
        parse_message(message({}, bytes(MAX_PAYLOAD + 1)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\0\x03{}",
        message(b"not json"),
        message(b"\xff\xfe"),
        message([]),
        message({"topic": 7}),
        message({"topic": "x" * (MAX_TOPIC + 1)}),
        message({"to": "peer"}),
        message({"to": [1]}),
        message({"to": ["p"] * (MAX_NAMES + 1)}),
        message(b"[" * 4000),
        message(b"1" * 4000),
    ],
)
def test_a_malformed_message_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(DataError):
        parse_message(data)


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    try:
        parsed = parse_message(data)
    except DataError:
        return
    assert data.endswith(parsed.payload)
