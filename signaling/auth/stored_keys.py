"""Signing keys that all servers on a database share: read from it, rotated in it, sealed within it.

Every server looks for changes every few seconds. A key is in the store for `PUBLISHED_BEFORE` before it
signs; so whoever meets a token of it has read it already. One that was superseded goes when no token of it
can be good any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from signaling.auth.keyring import KeyRing, RingKey
from signaling.auth.keys import SigningKey
from signaling.auth.sealing import SecretBox
from signaling.domain.signing_key import StoredKey, outlived
from signaling.errors import SignalingError
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory
from signaling.services.transaction import committed

log = structlog.get_logger(__name__)

PURPOSE: Final = "signing keys"
LOOK_EVERY: Final = 10.0
"""Seconds."""
PUBLISHED_BEFORE: Final = timedelta(seconds=60)


class StoredKeys:
    """`start` before use; then `look_forever`."""

    def __init__(
        self,
        units: UnitOfWorkFactory,
        box: SecretBox,
        clock: Clock,
        *,
        longest_token: timedelta,
        rotate_after: timedelta | None = None,
    ) -> None:
        """`longest_token`: how long any token is good that this server makes. `rotate_after` None: never."""
        self._units = units
        self._box = box
        self._clock = clock
        self._longest = int(longest_token.total_seconds())
        self._rotate_after = rotate_after
        self._known: tuple[str, ...] = ()
        self.ring = KeyRing(clock)

    async def start(self, former: SigningKey | None = None) -> None:
        """There is a key from here on. `former`: one that was in use before keys were in the store. It signs,
        if there is none yet, and otherwise verifies for as long as its tokens are good. Raises
        `InvalidInputError` where the keys there are were sealed with another secret key."""

        async def work(uow: UnitOfWork) -> Sequence[StoredKey]:
            keys, now = await uow.signing_keys.all(), self._clock.now()
            if former is not None and all(one.id != former.key_id for one in keys):
                await uow.signing_keys.add(self._before(keys, former, now))
            elif not keys:
                await uow.signing_keys.add(self._stored(SigningKey.generate(), now, now))
            return await uow.signing_keys.all()

        self._take(await committed(self._units, work))
        await self.look()

    async def look(self) -> None:
        """Takes what others changed; rotates what is old, and takes away what is outlived."""
        async with self._units(reading=True) as uow:
            keys = await uow.signing_keys.all()
        if self._due(keys):
            keys = await committed(self._units, self._tidied)
        if self._take(keys):
            log.info("signing_keys.changed", keys=self._known)

    async def look_forever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.look()
            except SignalingError as error:
                log.warning("signing_keys.not_read", error=error.message)
            except Exception:
                log.exception("signing_keys.not_read")

    async def rotate(self, *, void_others: bool = False) -> str:
        """The id of a new key, which signs a minute from now. `void_others`: at once, and no token that was
        made before is good any more."""
        key = SigningKey.generate()

        async def work(uow: UnitOfWork) -> Sequence[StoredKey]:
            now = self._clock.now()
            if void_others:
                for one in await uow.signing_keys.all():
                    await uow.signing_keys.remove(one.id)
            await uow.signing_keys.add(self._stored(key, now, now if void_others else now + PUBLISHED_BEFORE))
            return await uow.signing_keys.all()

        self._take(await committed(self._units, work))
        return key.key_id

    # --- inside ----------------------------------------------------------------------------------------

    def _due(self, keys: Sequence[StoredKey]) -> bool:
        now = self._clock.now()
        return bool(outlived(keys, now)) or self._is_old(keys, now) or bool(self._too_short(keys))

    async def _tidied(self, uow: UnitOfWork) -> Sequence[StoredKey]:
        keys, now = await uow.signing_keys.all(), self._clock.now()
        for one in outlived(keys, now):
            await uow.signing_keys.remove(one.id)
        for one in self._too_short(keys):
            await uow.signing_keys.lengthen(one.id, self._longest)
        if self._is_old(keys, now):
            key = SigningKey.generate()
            await uow.signing_keys.add(self._stored(key, now, now + PUBLISHED_BEFORE))
        return await uow.signing_keys.all()

    def _is_old(self, keys: Sequence[StoredKey], now: datetime) -> bool:
        return self._rotate_after is not None and all(
            one.created_at + self._rotate_after <= now for one in keys
        )

    def _too_short(self, keys: Sequence[StoredKey]) -> list[StoredKey]:
        """Those that sign now or will, and are kept for less long than our tokens are good."""
        now = self._clock.now()
        signing = max((one.active_from for one in keys if one.active_from <= now), default=now)
        return [one for one in keys if one.active_from >= signing and one.longest_token < self._longest]

    def _before(self, keys: Sequence[StoredKey], key: SigningKey, now: datetime) -> StoredKey:
        """In front of all others, until tokens that were made until now are over."""
        if not keys:
            return self._stored(key, now, now)
        first = min(one.active_from for one in keys)
        kept = self._longest + max(0, int((now - first).total_seconds()))
        return self._stored(key, now, first - timedelta(seconds=1), longest=kept)

    def _stored(
        self, key: SigningKey, now: datetime, active_from: datetime, *, longest: int | None = None
    ) -> StoredKey:
        return StoredKey(
            id=key.key_id,
            private_key=self._box.seal(key.to_pem(), key.key_id),
            public_key=key.public_text,
            created_at=now,
            active_from=active_from,
            longest_token=self._longest if longest is None else longest,
        )

    def _take(self, keys: Sequence[StoredKey]) -> bool:
        """Whether they are others than before."""
        known = tuple(one.id for one in keys)
        if known == self._known:
            return False
        opened = [
            RingKey(SigningKey.from_pem(self._box.open(one.private_key, one.id)), one.active_from)
            for one in keys
        ]
        self.ring.take(opened)
        self._known = known
        return True
