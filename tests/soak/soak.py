"""Joins and leaves in a loop against a real server, and what it holds afterwards compared with before.

    warm-up rounds -> empty -> census -> rounds, by time or by number -> empty -> census

Both counts are taken while nobody is there, so whatever is more the second time belongs to people who left.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sfu.bot import BotError
from tests.soak.census import Census, take, wait_empty
from tests.soak.rounds import run_round
from tests.support.server import Server

SERVER_FLAGS = (
    *("--session-grace", "1", "--resume-within", "1", "--spread-above", "0", "--log-level", "warning"),
    *("--full-above", "1", "--shed-above", "2"),
)
"""Who is gone is forgotten soon, and every meeting is spread over the workers, so that pipes come and go.
A worker that is busy takes people all the same: this is about what they leave behind."""

Progress = Callable[[str], None]


@dataclass(slots=True)
class Soaked:
    """`joins` between the two counts."""

    before: Census
    after: Census
    joins: int
    seconds: float
    failures: list[str] = field(default_factory=list)
    """What went wrong in rounds that were not finished: a machine busy with other work lets people wait."""
    samples: list[tuple[int, Census]] = field(default_factory=list)
    """(joins so far, what there was), while nobody was there."""

    @property
    def bytes_per_join(self) -> float:
        return (self.after.memory - self.before.memory) / max(1, self.joins)

    @property
    def growth_per_thousand(self) -> float:
        """Growth of memory per 1,000 joins, as a fraction of what there was before."""
        return self.bytes_per_join * 1000 / self.before.memory


async def soak(
    server: Server,
    *,
    seconds: float,
    warm_up: float,
    at_once: int = 2,
    sample_every: float | None = None,
    progress: Progress = lambda text: None,
) -> Soaked:
    """Run rounds, `at_once` of them side by side. Raises `AssertionError` if anything stays."""
    numbers = itertools.count()
    soaked = await _warmed_up(server, _for_seconds(numbers, warm_up), at_once)
    progress(_describe(0, soaked.before))
    begun = time.monotonic()
    while (left := begun + seconds - time.monotonic()) > 0:
        await _add_sample(server, soaked, _for_seconds(numbers, min(left, sample_every or left)), at_once)
        progress(_describe(soaked.joins, soaked.after))
    soaked.seconds = time.monotonic() - begun
    return soaked


async def soak_rounds(server: Server, *, warm_up: int, rounds: int, at_once: int = 2) -> Soaked:
    """Run so many rounds, whatever time they take, after some that warm up."""
    soaked = await _warmed_up(server, iter(range(warm_up)), at_once)
    begun = time.monotonic()
    await _add_sample(server, soaked, iter(range(warm_up, warm_up + rounds)), at_once)
    soaked.seconds = time.monotonic() - begun
    return soaked


async def _warmed_up(server: Server, numbers: Iterator[int], at_once: int) -> Soaked:
    await _rounds(server, numbers, at_once, [])
    await wait_empty(server)
    before = await take(server)
    return Soaked(before, before, 0, 0.0)


async def _add_sample(server: Server, soaked: Soaked, numbers: Iterator[int], at_once: int) -> None:
    soaked.joins += await _rounds(server, numbers, at_once, soaked.failures)
    await wait_empty(server)
    soaked.after = await take(server)
    soaked.samples.append((soaked.joins, soaked.after))


def _for_seconds(numbers: Iterator[int], seconds: float) -> Iterator[int]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield next(numbers)


async def _rounds(server: Server, numbers: Iterator[int], at_once: int, failures: list[str]) -> int:
    """One for each of the numbers, `at_once` of them side by side."""

    async def one_after_another() -> int:
        joins = 0
        for number in numbers:
            try:
                joins += await run_round(server, number)
            except* (BotError, AssertionError, OSError) as group:
                failures.append(f"round {number}: {_first(group)}")
        return joins

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one_after_another()) for _ in range(at_once)]
    return sum(task.result() for task in tasks)


def _first(error: BaseException) -> BaseException:
    """What is at the bottom of groups of errors, or the first of it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _describe(joins: int, census: Census) -> str:
    memory = ", ".join(f"{name} {one.memory / 1e6:.2f} MB" for name, one in census.processes.items())
    return f"{joins:6d} joins: {memory}; {census.descriptors} descriptors, {census.tasks} tasks"
