"""Ids as types.

What the REST API shows (organizations, meetings, participants, presets, sessions, keys) are plain UUIDs,
since clients written for the field's APIs expect those. What only the live side knows (peers, publications,
transports, ...) carries a readable prefix, then the time in milliseconds and 80 random bits in base 32
(Crockford's alphabet, lower case), so that ids of one kind sort by age and cannot be guessed. Those of one
process do so without exception: who takes a session over has to know which of two connections is older.
"""

from __future__ import annotations

import secrets
import time
from typing import Literal, NewType
from uuid import uuid4

OrganizationId = NewType("OrganizationId", str)
MeetingId = NewType("MeetingId", str)
ParticipantId = NewType("ParticipantId", str)
PresetId = NewType("PresetId", str)
SessionId = NewType("SessionId", str)
PeerId = NewType("PeerId", str)
PublicationId = NewType("PublicationId", str)
RouterId = NewType("RouterId", str)
TransportId = NewType("TransportId", str)
ProducerId = NewType("ProducerId", str)
ConsumerId = NewType("ConsumerId", str)
NodeId = NewType("NodeId", str)

Prefix = Literal["ses", "peer", "sock", "pub", "rt", "tp", "pr", "cs", "nd", "pipe", "req"]

_SHORT_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without those that are taken for each other when a link is read aloud or copied by hand."""
_SHORT_LENGTH = 12
"""59 bits."""
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BITS = 80
_STEP_BITS = 72
"""By how much the next may be greater where the time says nothing: as hard to guess for all purposes."""
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
"""By ten bits, of which 13 hold the time (48 bits) and the random ones."""
_SHIFTS = tuple(range(120, -1, -10))


def new_uuid() -> str:
    """A random UUID (version 4) as text, for everything the REST API shows."""
    return str(uuid4())


def new_short_id() -> str:
    """`k7mq2xw9e4hr`, for links that people pass on: it cannot be guessed."""
    return "".join(secrets.choice(_SHORT_ALPHABET) for _ in range(_SHORT_LENGTH))


class _Ascending:
    """Numbers of which each is greater than those before, also of one millisecond, and where the clock is set
    back."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        value = (time.time_ns() // 1_000_000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        if value <= self._last:
            value = self._last + 1 + secrets.randbits(_STEP_BITS)
        self._last = value
        return value


_ascending = _Ascending()


def new_id(prefix: Prefix) -> str:
    """`peer_06ehx2...`: the prefix and 26 characters that sort by the time of their making."""
    return f"{prefix}_{_base32(_ascending.next())}"


def _base32(value: int) -> str:
    return "".join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])
