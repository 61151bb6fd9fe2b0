"""RTP packets as real browsers sent them, or other encoders made them. How they came to be is said in each
file; `tests.support.record_rtp` and `tests.support.encode_rtp` make them again.

A file is gzip: a line of JSON (mime, origin, count), then the packets, each as `_HEAD` says, its extension
tail and its payload.
"""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path
from typing import NamedTuple

CAPTURES = Path(__file__).parent
_HEAD = struct.Struct("!BBHIIHH")
"""Encoding, marker, sequence, timestamp, milliseconds since the first one, bytes of tail, of payload."""


class Recorded(NamedTuple):
    """One packet of encoding `encoding` (0 = lowest), which arrived `at` seconds after the first."""

    encoding: int
    sequence: int
    marker: bool
    timestamp: int
    at: float
    tail: bytes
    payload: bytes


class Capture(NamedTuple):
    name: str
    mime: str
    origin: str
    packets: tuple[Recorded, ...]


def write(capture: Capture) -> int:
    """Into its file; the size of that in bytes."""
    head = {"mime": capture.mime, "origin": capture.origin, "count": len(capture.packets)}
    parts = [json.dumps(head).encode() + b"\n"]
    parts.extend(_HEAD.pack(*_head(one)) + one.tail + one.payload for one in capture.packets)
    path = CAPTURES / f"{capture.name}.rtp.gz"
    path.write_bytes(gzip.compress(b"".join(parts), 9, mtime=0))
    return path.stat().st_size


def _head(one: Recorded) -> tuple[int, ...]:
    milliseconds = round(one.at * 1000)
    lengths = len(one.tail), len(one.payload)
    return one.encoding, one.marker, one.sequence, one.timestamp, milliseconds, *lengths


def read(name: str) -> Capture:
    data = gzip.decompress((CAPTURES / f"{name}.rtp.gz").read_bytes())
    line, _, rest = data.partition(b"\n")
    head = json.loads(line)
    packets: list[Recorded] = []
    position = 0
    for _ in range(head["count"]):
        encoding, marker, sequence, timestamp, at, tail, payload = _HEAD.unpack_from(rest, position)
        position += _HEAD.size
        middle, end = position + tail, position + tail + payload
        packets.append(
            Recorded(
                encoding,
                sequence,
                bool(marker),
                timestamp,
                at / 1000,
                rest[position:middle],
                rest[middle:end],
            )
        )
        position = end
    return Capture(name, head["mime"], head["origin"], tuple(packets))


def names() -> list[str]:
    return sorted(path.name.removesuffix(".rtp.gz") for path in CAPTURES.glob("*.rtp.gz"))
