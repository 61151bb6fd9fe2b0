"""Before, during, after: what a set of bots receives in one phase of a benchmark, and what the server uses.

The media goes on from phase to phase, so what was lost in one is told by the gaps in what came, not by what
was sent.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from sfu.bot import Bot
from sfu.bots.tally import StreamTally
from sfu.load.usage import PROC, Usage, tree_usage


@dataclass(frozen=True, slots=True)
class Heard:
    """Of all streams of one kind at all receivers. Delays are what the server added, in milliseconds."""

    packets: int
    lost: int
    p50: float
    p99: float
    p999: float

    @property
    def share_lost(self) -> float:
        return self.lost / max(1, self.packets + self.lost)

    @property
    def losses(self) -> str:
        return f"{self.lost} of {self.packets + self.lost} ({100 * self.share_lost:.2f} %)"

    @property
    def delays(self) -> str:
        return f"{self.p50:.2f} / {self.p99:.2f} / {self.p999:.2f}"


@dataclass(frozen=True, slots=True)
class Phase:
    """`busy` and `generator` are fractions of a core: the server's busiest process, and this one. `waited`:
    for how much of the time that one of the server's processes which waited most was ready to run and had no
    core. Where that is much, a worker was not at its own limit."""

    name: str
    seconds: float
    busy: float
    generator: float
    waited: float
    heard: dict[str, Heard]
    """By whatever name the bots were given to `Meter`, and kind."""

    def to_json(self) -> dict[str, object]:
        return asdict(self)


class Meter:
    """Measures one phase: from its making to `read`. `groups` are receivers by name; streams of the ids in
    `without` do not count."""

    def __init__(
        self,
        name: str,
        server_pid: int,
        groups: dict[str, Sequence[Bot]],
        *,
        without: frozenset[int] = frozenset(),
    ) -> None:
        self._name = name
        self._pid = server_pid
        self._groups = groups
        self._without = without
        for bots in groups.values():
            for tally in (one for kind in ("audio", "video") for one in tallies(bots, kind)):
                tally.begin_window()
        self._usage: Usage = tree_usage(server_pid)
        self._waits = waits(self._usage.cpu_by_process)
        self._own = time.process_time()
        self._begun = time.monotonic()

    def read(self) -> Phase:
        elapsed = time.monotonic() - self._begun
        usage = tree_usage(self._pid)
        busy = usage.busiest_since(self._usage) / elapsed
        before = self._waits
        waited = max(now - before.get(pid, 0.0) for pid, now in waits(usage.cpu_by_process).items()) / elapsed
        own = (time.process_time() - self._own) / elapsed
        heard = {
            f"{name} {kind}": hear([one for one in tallies(bots, kind) if one.stream_id not in self._without])
            for name, bots in self._groups.items()
            for kind in ("audio", "video")
        }
        return Phase(self._name, elapsed, busy, own, waited, heard)


def waits(pids: Iterable[int]) -> dict[int, float]:
    """Seconds for which the main thread of each was ready to run and had no core (proc_pid_schedstat(5)); 0
    where the kernel does not say."""
    found = {}
    for pid in pids:
        try:
            found[pid] = int((PROC / str(pid) / "schedstat").read_text().split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            found[pid] = 0.0
    return found


def tallies(bots: Iterable[Bot], kind: str) -> list[StreamTally]:
    return [
        stream.tally
        for bot in bots
        if bot.subscriber is not None
        for stream in bot.subscriber.media_streams()
        if stream.kind == kind
    ]


def hear(found: Sequence[StreamTally]) -> Heard:
    delays = [delay / 1e6 for tally in found for delay in tally.added_ns]
    p50, p99, p999 = np.percentile(delays, [50, 99, 99.9]) if delays else (np.nan,) * 3
    return Heard(
        packets=sum(tally.packets - tally.padding for tally in found),
        lost=sum(len(tally.missing) for tally in found),
        p50=float(p50),
        p99=float(p99),
        p999=float(p999),
    )
