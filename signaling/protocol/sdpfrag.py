"""Fragments of SDP that carry trickled candidates and ICE restarts (RFC 8840, RFC 9725 section 4.3). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MEDIA_TYPE: Final = "application/trickle-ice-sdpfrag"
MAX_FRAGMENT: Final = 32 * 1024
MAX_CANDIDATES: Final = 64
_UFRAG: Final = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PWD: Final = re.compile(r"[A-Za-z0-9+/]{22,256}")
_CANDIDATE: Final = re.compile(r"candidate:[!-~ ]{1,500}")


class FragmentError(ValueError):
    """The text is no fragment; the message says why."""


@dataclass(frozen=True, slots=True)
class IceFragment:
    """`candidates` as in SDP, without "a=". `ufrag` and `pwd` are both there or both None."""

    ufrag: str | None = None
    pwd: str | None = None
    candidates: tuple[str, ...] = ()
    end_of_candidates: bool = False


def parse_fragment(text: str) -> IceFragment:
    """Raises `FragmentError`. Lines of no concern to ICE are passed over."""
    ufrag: str | None = None
    pwd: str | None = None
    candidates: list[str] = []
    end = False
    for line in text.splitlines():
        if line and line[1:2] != "=":
            raise FragmentError("a line is not of the form x=...")
        name, _, value = line[2:].partition(":")
        if not line.startswith("a="):
            continue
        if name == "ice-ufrag":
            ufrag = ufrag or _checked(_UFRAG, value, "ice-ufrag")
        elif name == "ice-pwd":
            pwd = pwd or _checked(_PWD, value, "ice-pwd")
        elif name == "candidate":
            candidates.append(_checked(_CANDIDATE, line[2:], "candidate"))
        elif name == "end-of-candidates":
            end = True
    if (ufrag is None) is not (pwd is None):
        raise FragmentError("a=ice-ufrag and a=ice-pwd come together")
    if len(candidates) > MAX_CANDIDATES:
        raise FragmentError(f"a fragment has at most {MAX_CANDIDATES} candidates")
    if ufrag is None and not candidates and not end:
        raise FragmentError("the fragment has no candidate and no credentials")
    return IceFragment(ufrag, pwd, tuple(candidates), end)


def print_fragment(fragment: IceFragment, *, mid: str, kind: str) -> str:
    """As the answer to an ICE restart; the candidates stand under the first m-line of the bundle."""
    lines = ["a=ice-lite", "a=ice-options:trickle"]
    if fragment.ufrag is not None:
        lines += [f"a=ice-ufrag:{fragment.ufrag}", f"a=ice-pwd:{fragment.pwd}"]
    lines += [f"m={kind} 9 UDP/TLS/RTP/SAVPF 0", f"a=mid:{mid}"]
    lines += [f"a={candidate}" for candidate in fragment.candidates]
    if fragment.end_of_candidates:
        lines.append("a=end-of-candidates")
    return "\r\n".join(lines) + "\r\n"


def _checked(pattern: re.Pattern[str], value: str, name: str) -> str:
    if not pattern.fullmatch(value):
        raise FragmentError(f"a={name} is too short, too long or has characters it must not")
    return value
