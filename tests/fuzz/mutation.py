"""Seeded mutations: what the short form feeds its targets, and what the long one begins from."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

INTERESTING = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)
MAX_SIZE = 4096


def inputs(seeds: Sequence[bytes], count: int, chance: random.Random) -> Iterator[bytes]:
    """Every seed as it is and cut off everywhere near its beginning, then `count` mutations."""
    yield b""
    for seed in seeds:
        yield seed
        yield from (seed[:length] for length in range(min(len(seed), 64)))
    pool = list(seeds)
    for _ in range(count):
        data = chance.choice(pool)
        for _ in range(1 + chance.randrange(4)):
            data = chance.choice(_MUTATIONS)(data, chance)
        data = data[:MAX_SIZE]
        if chance.random() < 0.1 and len(pool) < 256:
            pool.append(data)
        yield data


def _flip_bit(data: bytes, chance: random.Random) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _set_byte(data: bytes, chance: random.Random) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    # Headers stand in front, so that is where half of the changes go.
    reach = len(changed) if chance.random() < 0.5 else min(len(changed), 24)
    changed[chance.randrange(reach)] = chance.choice(INTERESTING)
    return bytes(changed)


def _cut_off(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _take_out(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    return data[:start] + data[start + 1 + chance.randrange(16) :]


def _put_in(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    return data[:start] + chance.randbytes(1 + chance.randrange(8)) + data[start:]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    piece = data[start : start + 1 + chance.randrange(32)]
    return data[:start] + piece * chance.choice((2, 3, 20)) + data[start:]


_MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip_bit,
    _set_byte,
    _cut_off,
    _take_out,
    _put_in,
    _repeat,
)
