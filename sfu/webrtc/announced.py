"""Of what type a client said that its addresses are. A node does not need to know; reports do. Pure."""

from __future__ import annotations

from typing import Final

from sfu.errors import SdpError
from sfu.webrtc.candidate import CandidateType, parse_candidate

MAX_ANNOUNCED: Final = 32
"""Addresses that are remembered of one client; of more it is not said what they are."""


class Announced:
    __slots__ = ("_types",)

    def __init__(self) -> None:
        self._types: dict[tuple[str, int], CandidateType] = {}

    def add(self, line: str | None) -> None:
        """A candidate as in SDP; what is none, or hides behind a name, tells nothing."""
        if not line or len(self._types) >= MAX_ANNOUNCED:
            return
        try:
            candidate = parse_candidate(line)
        except SdpError:
            return
        if not candidate.host.endswith(".local"):
            self._types.setdefault((candidate.host, candidate.port), candidate.type)

    def type_of(self, host: str, port: int) -> CandidateType:
        """Of an address that was never announced it is known only that checks came from it (RFC 8445
        section 7.3.1.3)."""
        return self._types.get((host, port), "prflx")
