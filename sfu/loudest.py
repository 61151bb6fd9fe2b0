"""Which voices are forwarded where only the N loudest are. Pure.

A voice that is forwarded stays so until another one has been louder by a margin, so that two people who speak
alike do not take turns in being cut. The dominant speaker is always among them. Who speaks up while fewer
than N do is forwarded at the next look.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MARGIN: Final = 6.0
"""Decibels by which a voice that is not forwarded has to be louder than one that is."""


def choose_loudest(
    loudness: Mapping[str, float], forwarded: frozenset[str], dominant: str | None, most: int
) -> frozenset[str]:
    """The producers to forward, at most `most`.

    `loudness` is 127 minus the smoothed RFC 6464 level, of every producer that may be heard; `forwarded` are
    those of the last time.
    """

    def rank(producer_id: str) -> tuple[bool, float, str]:
        bonus = MARGIN if producer_id in forwarded else 0.0
        return producer_id == dominant, loudness[producer_id] + bonus, producer_id

    return frozenset(sorted(loudness, key=rank, reverse=True)[:most])
