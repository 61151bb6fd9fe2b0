"""The client's half of a negotiation, without media: answers to subscribe offers, and a Chromium's offer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from sfu.rtp.parameters import Direction
from sfu.webrtc.sdp import parse_sdp, to_sdp

VECTORS = Path(__file__).parent.parent / "vectors" / "sdp"
FINGERPRINT = ":".join(["AB"] * 32)


def chromium_offer() -> str:
    """m-line 0: Opus; m-line 1: video with three rids l, m, h."""
    return (VECTORS / "chromium_publish_offer.sdp").read_text()


def answer(offer: str, *, refuse: Collection[str] = (), ufrag: str = "clnt", setup: str = "active") -> str:
    """Accept every section but the mids in `refuse`, which are rejected."""
    description = parse_sdp(offer)
    sections = []
    for section in description.sections:
        active = section.direction is not Direction.INACTIVE
        changed = replace(
            section,
            direction=Direction.RECVONLY if active else Direction.INACTIVE,
            candidates=(),
            ssrcs=(),
            ssrc_groups=(),
            msid=None,
        )
        if section.mid in refuse:
            changed = replace(changed, port=0, direction=Direction.INACTIVE)
        sections.append(changed)
    text = to_sdp(
        replace(
            description,
            ice_ufrag=ufrag,
            ice_pwd="p" * 24,
            ice_lite=False,
            fingerprints=(("sha-256", FINGERPRINT),),
            setup="active",
            sections=tuple(sections),
            bundle=tuple(section.mid for section in sections if section.mid not in refuse),
        )
    )
    return text.replace("a=setup:active", f"a=setup:{setup}")
