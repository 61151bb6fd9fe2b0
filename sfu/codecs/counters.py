"""The numbers in a packet that count pictures, and how they go on after a switch between encodings.

Each encoding of a simulcast counts its pictures on its own, from a random start. A receiver takes all of
them for one stream, so after a switch every number is moved by a constant: the picture id of VP8 and VP9,
their TL0PICIDX, and the frame number of a dependency descriptor.
"""

from __future__ import annotations

from typing import NamedTuple


class Counters(NamedTuple):
    """Where the numbers stand, `data[start:end]`, and what they say.

    `bits` is the width of `picture`, 7, 15 or 16; `between` is what stands between it and `tl0`.
    """

    start: int
    end: int
    picture: int
    bits: int
    between: bytes
    tl0: int | None

    def moved(self, picture_offset: int, tl0_offset: int) -> bytes:
        """The bytes to put there instead, moved by these offsets modulo their widths."""
        if self.bits == 7:
            head = bytes(((self.picture + picture_offset) & 0x7F,))
        else:
            marked = 0x8000 if self.bits == 15 else 0
            value = self.picture + picture_offset & (1 << self.bits) - 1
            head = (marked | value).to_bytes(2, "big")
        head += self.between
        return head if self.tl0 is None else head + bytes(((self.tl0 + tl0_offset) & 0xFF,))

    def rewrite(self, data: bytes, picture_offset: int, tl0_offset: int) -> bytes:
        return data[: self.start] + self.moved(picture_offset, tl0_offset) + data[self.end :]
