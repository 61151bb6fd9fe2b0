"""Frames on a link between signaling and a worker: a 9-byte head, then JSON.

    length of the body (u32) | type (1 byte) | number (u32) | body

Types: H hello (configuration), S serving, F failed to start, C command, R reply, E event. The number pairs
replies with commands.
"""

from __future__ import annotations

import struct

HEAD = struct.Struct("!IcI")
MAX_BODY = 8 << 20
HELLO, SERVING, FAILED, COMMAND, REPLY, EVENT = b"H", b"S", b"F", b"C", b"R", b"E"


def frame(kind: bytes, number: int, body: bytes) -> bytes:
    return HEAD.pack(len(body), kind, number) + body
