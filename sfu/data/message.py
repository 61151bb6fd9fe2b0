"""A data channel message as clients and node exchange it: a header that says whose, to whom and what about.

    length of the header (u16, big-endian) | header: JSON object in UTF-8 | payload

    client to node   {"to": ["peer_01m7..."], "topic": "cursor"}      without "to": to everybody else
    node to client   {"from": "peer_01m6...", "topic": "cursor"}

The payload is opaque. A message is sent as binary, on a channel labelled "reliable" or "lossy", and leaves on
the receivers' channel of the same label. Header fields that are not known are ignored. Pure.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass

from sfu.errors import DataError

MAX_PAYLOAD = 64 * 1024
MAX_HEADER = 4 * 1024
MAX_MESSAGE = 2 + MAX_HEADER + MAX_PAYLOAD
"""What the SDP says (a=max-message-size, RFC 8841 section 6.1): a payload of 64 KiB, and its header."""
MAX_TOPIC = 128
MAX_NAMES = 128

_LENGTH = struct.Struct("!H")


@dataclass(frozen=True, slots=True)
class DataMessage:
    """As a client sent it. `to` are peers' names, None for everybody else."""

    to: tuple[str, ...] | None
    topic: str
    payload: bytes


def parse_message(data: bytes) -> DataMessage:
    """Raises `DataError` with what is wrong."""
    if len(data) < _LENGTH.size:
        raise DataError("a data message is shorter than the length of its header")
    (length,) = _LENGTH.unpack_from(data)
    end = _LENGTH.size + length
    if length > MAX_HEADER or end > len(data):
        raise DataError("the header of a data message is longer than it may be, or than the message")
    if len(data) - end > MAX_PAYLOAD:
        raise DataError(f"the payload of a data message is longer than {MAX_PAYLOAD} bytes")
    to, topic = _parse_header(data[_LENGTH.size : end])
    return DataMessage(to, topic, data[end:])


def to_message(sender: str, topic: str, payload: bytes) -> bytes:
    """As a receiver gets it."""
    header = json.dumps({"from": sender, "topic": topic}, separators=(",", ":")).encode()
    return _LENGTH.pack(len(header)) + header + payload


def _parse_header(text: bytes) -> tuple[tuple[str, ...] | None, str]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise DataError("the header of a data message is not JSON") from None
    if not isinstance(header, dict):
        raise DataError("the header of a data message is not an object")
    topic = header.get("topic", "")
    if not isinstance(topic, str) or len(topic) > MAX_TOPIC:
        raise DataError(f"the topic of a data message is not a string of at most {MAX_TOPIC} characters")
    return _parse_names(header.get("to")), topic


def _parse_names(to: object) -> tuple[str, ...] | None:
    if to is None:
        return None
    if not isinstance(to, list) or len(to) > MAX_NAMES or not all(isinstance(name, str) for name in to):
        raise DataError(f"the receivers of a data message are not a list of at most {MAX_NAMES} names")
    return tuple(dict.fromkeys(to))
