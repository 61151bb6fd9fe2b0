"""Participant tokens."""

from __future__ import annotations

from typing import Protocol

from signaling.domain.participant import Participant, ParticipantClaims


class Tokens(Protocol):
    """Participant tokens: JWT, EdDSA pinned, with a key id."""

    def issue(self, participant: Participant) -> str: ...

    def verify(self, token: str) -> ParticipantClaims:
        """Raises `signaling.errors.InvalidTokenError` (bad, expired, wrong algorithm, wrong issuer)."""
        ...
