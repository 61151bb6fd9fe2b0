"""The m-lines of a WHIP or WHEP client's offer, as far as signaling needs to know them. Pure.

What the lines say of codecs and keys is the node's business, which parses the whole; here they are only
counted and named, so that a source can be given to each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

Kind = Literal["audio", "video"]

MAX_SDP: Final = 64 * 1024
MAX_LINES: Final = 32
_MID: Final = re.compile(r"[!-~]{1,64}")
_DIRECTIONS: Final = {
    "sendrecv": (True, True),
    "sendonly": (True, False),
    "recvonly": (False, True),
    "inactive": (False, False),
}


class OfferError(ValueError):
    """The text is no offer; the message says why."""


@dataclass(frozen=True, slots=True)
class OfferedLine:
    """One audio or video m-line: what the client would do on it."""

    mid: str
    kind: Kind
    sends: bool = True
    receives: bool = True


def read_offer(sdp: str) -> tuple[OfferedLine, ...]:
    """The audio and video lines in use, in order. Raises `OfferError`."""
    if not sdp.startswith("v=0"):
        raise OfferError("an offer begins with v=0")
    lines = [line for line in _lines(sdp) if line is not None]
    if len({line.mid for line in lines}) < len(lines):
        raise OfferError("two m-lines have the same a=mid")
    return tuple(lines)


def _lines(sdp: str) -> Iterator[OfferedLine | None]:
    """None stands for an m-line of no concern: rejected, or of another kind."""
    current: OfferedLine | None = None
    session_direction = (True, True)
    number = 0
    for text in sdp.splitlines():
        if text.startswith("m="):
            yield current
            number += 1
            if number > MAX_LINES:
                raise OfferError(f"an offer has at most {MAX_LINES} m-lines")
            current = _begin(text, str(number - 1), session_direction)
        elif text.startswith("a=mid:") and current is not None:
            if not _MID.fullmatch(text[6:]):
                raise OfferError("an a=mid is not a word of up to 64 characters")
            current = replace(current, mid=text[6:])
        elif text.startswith("a=") and text[2:] in _DIRECTIONS:
            sends, receives = _DIRECTIONS[text[2:]]
            if number == 0:
                session_direction = (sends, receives)
            elif current is not None:
                current = replace(current, sends=sends, receives=receives)
    yield current


def _begin(text: str, mid: str, direction: tuple[bool, bool]) -> OfferedLine | None:
    words = text[2:].split()
    if len(words) < 4:
        raise OfferError("an m-line is not kind, port, protocol and formats")
    match words[0]:
        case "audio":
            return OfferedLine(mid, "audio", *direction)
        case "video":
            return OfferedLine(mid, "video", *direction)
        case _:
            return None
