"""Signing keys that all servers on a database share: read from it, rotated in it, sealed within it.

Every server looks for changes every few seconds. A key is in the store for `PUBLISHED_BEFORE` before it
signs; so whoever meets a token of it has read it already. One that was superseded goes when no token of it
can be good any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final

from signaling.auth.keyring import KeyRing, RingKey
from signaling.auth.keys import SigningKey
from signaling.auth.sealing import SecretBox
from signaling.auth.shared_keys import SharedKeys
from signaling.domain.signing_key import StoredKey, outlived
from signaling.services.ports import Clock, UnitOfWork, UnitOfWorkFactory

PURPOSE: Final = "signing keys"
PUBLISHED_BEFORE: Final = timedelta(seconds=60)


class SigningKeys(SharedKeys[StoredKey]):
    """`start` before use; then `looking`."""

    NAME: ClassVar = PURPOSE

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
        super().__init__(units, clock)
        self._box = box
        self._longest = int(longest_token.total_seconds())
        self._rotate_after = rotate_after
        self.ring = KeyRing(clock)

    async def start(self, former: SigningKey | None = None) -> None:
        """There is a key from here on. `former`: one that was in use before keys were in the store. It signs,
        if there is none yet, and otherwise verifies for as long as its tokens are good. Raises
        `InvalidInputError` where the keys there are were sealed with another secret key."""

        async def work(uow: UnitOfWork) -> None:
            keys, now = await uow.signing_keys.all(), self._clock.now()
            if former is not None and all(one.id != former.key_id for one in keys):
                await uow.signing_keys.add(self._before(keys, former, now))
            elif not keys:
                await uow.signing_keys.add(self._sealed(SigningKey.generate(), now, now))

        await self._changed(work)
        await self.look()

    async def rotate(self, *, void_others: bool = False) -> str:
        """The id of a new key, which signs a minute from now. `void_others`: at once, and no token that was
        made before is good any more."""
        key = SigningKey.generate()

        async def work(uow: UnitOfWork) -> None:
            now = self._clock.now()
            if void_others:
                for one in await uow.signing_keys.all():
                    await uow.signing_keys.remove(one.id)
            await uow.signing_keys.add(self._sealed(key, now, now if void_others else now + PUBLISHED_BEFORE))

        await self._changed(work)
        return key.key_id

    # --- inside ----------------------------------------------------------------------------------------

    async def _all(self, uow: UnitOfWork) -> Sequence[StoredKey]:
        return await uow.signing_keys.all()

    def _due(self, keys: Sequence[StoredKey]) -> bool:
        now = self._clock.now()
        return bool(outlived(keys, now)) or self._is_old(keys, now) or bool(self._too_short(keys))

    async def _tidy(self, uow: UnitOfWork) -> None:
        keys, now = await uow.signing_keys.all(), self._clock.now()
        for one in outlived(keys, now):
            await uow.signing_keys.remove(one.id)
        for one in self._too_short(keys):
            await uow.signing_keys.lengthen(one.id, self._longest)
        if self._is_old(keys, now):
            key = SigningKey.generate()
            await uow.signing_keys.add(self._sealed(key, now, now + PUBLISHED_BEFORE))

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
            return self._sealed(key, now, now)
        first = min(one.active_from for one in keys)
        kept = self._longest + max(0, int((now - first).total_seconds()))
        return self._sealed(key, now, first - timedelta(seconds=1), longest=kept)

    def _sealed(
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

    def _open(self, keys: Sequence[StoredKey]) -> None:
        self.ring.take(
            [
                RingKey(SigningKey.from_pem(self._box.open(one.private_key, one.id)), one.active_from)
                for one in keys
            ]
        )
