"""A session description as a value. See `sfu.webrtc.sdp` for its text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sfu.rtp.parameters import MediaSection

Setup = Literal["active", "passive", "actpass", "holdconn"]


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A description: its transport and its m-sections.

    `fingerprints` are (hash algorithm, value) pairs. `ice_ufrag` and `ice_pwd` are empty where the text has
    none, which is legal only if no section is in use. `bundle` lists the mids of the one BUNDLE group.
    """

    ice_ufrag: str = ""
    ice_pwd: str = ""
    fingerprints: tuple[tuple[str, str], ...] = ()
    setup: Setup = "actpass"
    ice_lite: bool = False
    bundle: tuple[str, ...] = ()
    sections: tuple[MediaSection, ...] = ()
    session_id: int = 0
    session_version: int = 0
    ice_options: tuple[str, ...] = ()
    extmap_allow_mixed: bool = False

    def section(self, mid: str) -> MediaSection | None:
        return next((section for section in self.sections if section.mid == mid), None)

    @property
    def candidates(self) -> tuple[str, ...]:
        """All candidates, in order: the sections share one transport."""
        return tuple(candidate for section in self.sections for candidate in section.candidates)
