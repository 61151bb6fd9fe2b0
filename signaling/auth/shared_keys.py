"""Keys in the store that are the same for all servers on it: each looks every few seconds for what others
changed, and one of them takes away what has had its day."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar, Final, Generic, Protocol, TypeVar

import structlog

from signaling.repeating import Repeating
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed

log = structlog.get_logger(__name__)

LOOK_EVERY: Final = 10.0
"""Seconds."""


class Stored(Protocol):
    @property
    def id(self) -> str: ...


K = TypeVar("K", bound=Stored)
T = TypeVar("T")


class SharedKeys(ABC, Generic[K]):
    """`look` once, or `looking` from start to close."""

    NAME: ClassVar[str]
    """What they are, for the log."""

    def __init__(self, units: UnitOfWorkFactory, clock: Clock) -> None:
        self._units = units
        self._clock = clock
        self._known: tuple[str, ...] = ()
        self.looking = Repeating(self.NAME, self.look, every=LOOK_EVERY)

    async def look(self) -> None:
        """Takes what others changed, and does what is due."""
        before, keys = self._known, await self.stored()
        if self._due(keys):
            await self._changed(self._tidy)
        else:
            self._take(keys)
        if self._known != before:
            log.info("keys.changed", of=self.NAME, keys=self._known)

    async def stored(self) -> Sequence[K]:
        """By when they begin to sign."""
        async with self._units(reading=True) as uow:
            return await self._all(uow)

    # --- what kind of keys they are --------------------------------------------------------------------

    @abstractmethod
    async def _all(self, uow: UnitOfWork) -> Sequence[K]: ...

    @abstractmethod
    def _due(self, keys: Sequence[K]) -> bool:
        """Whether there is something to do about them."""

    @abstractmethod
    async def _tidy(self, uow: UnitOfWork) -> None:
        """Does what is due, if it still is."""

    @abstractmethod
    def _open(self, keys: Sequence[K]) -> None:
        """These are the ones from now on. Raises `InvalidInputError` for what another secret key sealed."""

    # --- for these ------------------------------------------------------------------------------------

    async def _changed(self, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """Does the work in a transaction, and takes what there is at its end."""

        async def and_all(uow: UnitOfWork) -> tuple[T, Sequence[K]]:
            return await work(uow), await self._all(uow)

        done, keys = await committed(self._units, and_all)
        self._take(keys)
        return done

    def _take(self, keys: Sequence[K]) -> None:
        known = tuple(one.id for one in keys)
        if known != self._known:
            self._open(keys)
            self._known = known
