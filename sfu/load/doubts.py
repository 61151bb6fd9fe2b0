"""Whether a report's figures can be true, and whether it was the server that they say something of. Pure.

A load generator counts what it sends and what it receives, and shares its machine with the server. So two
things can be wrong with a report: it has more of something than can be (a fault in the counting: the figures
are worth nothing), or somebody could do no more (the figures are of that limit): the generator or the server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

ENOUGH: Final = 0.97
"""Of what a plan sends in the window; less, and the generator was behind."""
ALL_OF_A_CORE: Final = 0.95
MOST_OF_A_CORE: Final = 0.9
"""Of one core, which is all that a generator in one process has."""


@dataclass(frozen=True, slots=True)
class Count:
    """One publication at one receiver, in the window: `sent` by its publisher in all encodings together,
    `received` packets, each once, of which `opened` were decrypted and found to be it."""

    sent: int
    received: int
    opened: int


@dataclass(frozen=True, slots=True)
class Effort:
    """How the generator did. `planned` and `sent` in packets, CPU in seconds of the window's `seconds`."""

    planned: int
    sent: int
    frames_skipped: int
    cpu_s: float
    seconds: float
    server_cpu_s: float
    """Of the server's busiest process; 0 where it was not measured."""
    buffer_errors: int
    """Datagrams that the kernel dropped in the window because a socket's buffer was full, on this machine."""


def impossibilities(counts: Iterable[Count]) -> list[str]:
    """What cannot be. Nothing of it is ever due to the server: it cannot deliver what nobody sent, for each
    sequence number is counted once."""
    found = []
    over = [one for one in counts if one.received > one.sent]
    if over:
        received, sent = sum(one.received for one in over), sum(one.sent for one in over)
        found.append(f"{len(over)} receptions counted more than was sent to them: {received} of {sent}")
    opened = [one for one in counts if one.opened > one.received]
    if opened:
        found.append(f"{len(opened)} receptions opened more packets than they counted")
    return found


def doubts(effort: Effort) -> list[str]:
    """Why the generator may have been the limit, or the server was at its own."""
    found = []
    if effort.frames_skipped:
        found.append(f"the generator skipped {effort.frames_skipped} frames")
    if effort.sent < ENOUGH * effort.planned:
        found.append(f"the generator sent {effort.sent} of the planned {effort.planned} packets")
    if effort.cpu_s > MOST_OF_A_CORE * effort.seconds:
        found.append(f"the generator used {100 * effort.cpu_s / effort.seconds:.0f} % of a core")
    if effort.server_cpu_s > ALL_OF_A_CORE * effort.seconds:
        found.append(
            f"the server's busiest process used {100 * effort.server_cpu_s / effort.seconds:.0f} % of a core"
        )
    if effort.buffer_errors:
        found.append(f"{effort.buffer_errors} datagrams met a full socket buffer")
    return found
