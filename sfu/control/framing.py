"""Frames on a link between signaling and a worker: a 9-byte head, then JSON.

    length of the body (u32) | type (1 byte) | number (u32) | body

Types: H hello (configuration), S serving, F failed to start, C command, R reply, E event. The number pairs
replies with commands. At a worker's door: W welcome (who it is), T take (the link is this one from now on);
these two and their bodies stay as they are, so that workers of any version can be asked for theirs.
"""

from __future__ import annotations

import struct

HEAD = struct.Struct("!IcI")
MAX_BODY = 32 << 20
"""Bytes. The longest is what a node tells of a large session that is taken over, some 150 a subscription."""
HELLO, SERVING, FAILED, COMMAND, REPLY, EVENT = b"H", b"S", b"F", b"C", b"R", b"E"
WELCOME, TAKE = b"W", b"T"


def frame(kind: bytes, number: int, body: bytes) -> bytes:
    return HEAD.pack(len(body), kind, number) + body
