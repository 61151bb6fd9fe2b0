"""Reading big-endian bit fields, as codecs' headers have them."""

from __future__ import annotations

from typing import Final

from sfu.errors import CodecError

MAX_GOLOMB_ZEROS: Final = 31


class BitReader:
    """Past the end every read raises `CodecError`."""

    __slots__ = ("_left", "_value")

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def read(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise CodecError("a header is cut short")
        return self._value >> self._left & (1 << count) - 1

    def skip(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise CodecError("a header is cut short")

    def read_golomb(self) -> int:
        """ue(v): an unsigned number in an Exp-Golomb code (H.264, 9.1; H.265, 9.2)."""
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros > MAX_GOLOMB_ZEROS:
                raise CodecError("a number is longer than there are any")
        return (1 << zeros) - 1 + self.read(zeros)

    def read_signed_golomb(self) -> int:
        """se(v): a signed number in an Exp-Golomb code (H.264, 9.1.1)."""
        code = self.read_golomb()
        return (code + 1) // 2 if code & 1 else -(code // 2)
