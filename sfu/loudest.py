"""Which voices are forwarded where only the N loudest are. Pure.

A voice that is forwarded stays so until another one has been louder by a margin, so that two people who speak
alike do not take turns in being cut. The dominant speaker is always among them. Who speaks up while fewer
than N do is forwarded at the next look.

A session on several nodes has the same N on all of them, since all choose by the same values: how loud a
voice is, whether it was forwarded and whether it is the dominant one is for its own node to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

MARGIN: Final = 6.0
"""Decibels by which a voice that is not forwarded has to be louder than one that is."""
STEPS: Final = 256
"""To the decibel, in what nodes tell each other."""
QUIETEST: Final = 127


class Voice(NamedTuple):
    """`loudness` is 127 minus the smoothed RFC 6464 level, in steps; `forwarded` as of the last look."""

    loudness: float
    forwarded: bool = False
    dominant: bool = False

    @classmethod
    def heard(cls, loudness: float, *, forwarded: bool, dominant: bool) -> Voice:
        """One of this node's own, in the steps in which others hear of it."""
        return cls(round(min(max(loudness, 0.0), QUIETEST) * STEPS) / STEPS, forwarded, dominant)

    def to_int(self) -> int:
        """In 32 bits, for a pipe's report."""
        return round(self.loudness * STEPS) << 2 | self.dominant << 1 | self.forwarded

    @classmethod
    def from_int(cls, value: int) -> Voice:
        """Of any number at all."""
        return cls(min((value >> 2) / STEPS, QUIETEST), bool(value & 1), bool(value & 2))


def choose_loudest(voices: Mapping[str, Voice], most: int) -> frozenset[str]:
    """The producers to forward, at most `most` of those that may be heard."""
    dominant = max(
        (producer_id for producer_id, voice in voices.items() if voice.dominant),
        key=lambda producer_id: (voices[producer_id].loudness, producer_id),
        default=None,
    )

    def rank(producer_id: str) -> tuple[bool, float, str]:
        voice = voices[producer_id]
        bonus = MARGIN if voice.forwarded else 0.0
        return producer_id == dominant, voice.loudness + bonus, producer_id

    return frozenset(sorted(voices, key=rank, reverse=True)[:most])
