"""What a server should know of a database before it starts on it, looked up without changing anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal

from sqlalchemy import Connection, func, select

from signaling.store.migrate import HEAD, revision_of
from signaling.store.revision import look_at
from signaling.store.tables import servers, signing_keys, webhook_key_pairs

SealedIn = Literal["signing_keys", "webhook_keys"]
SEEN_WITHIN: Final = 60.0
"""Seconds since a server said that it is there, for it to count."""


@dataclass(frozen=True, slots=True)
class Sealed:
    kept_in: SealedIn
    id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Skew:
    """Seconds by which the database's clock is `ahead` of ours, give or take `doubt`: half of what it took to
    ask it."""

    ahead: float
    doubt: float


@dataclass(frozen=True, slots=True)
class Examined:
    """`skew` is of clocks that may not be the same. `sealed`: a secret of each kind. `servers`: URLs by id.
    Of another schema than the present one only the revision is known."""

    revision: str | None = None
    shared: bool = False
    """Whether other servers can use it, too."""
    skew: Skew | None = None
    sealed: Sequence[Sealed] = ()
    servers: Mapping[str, str] = field(default_factory=dict)


async def examine(url: str, wall: Callable[[], float] = time.time) -> Examined:
    """`wall`: seconds since 1970. Raises as `look_at` does."""
    return await look_at(url, partial(_examined, wall)) or Examined()


def _examined(wall: Callable[[], float], connection: Connection) -> Examined:
    revision = revision_of(connection)
    shared = connection.dialect.name != "sqlite"
    skew = _skew(wall, connection) if shared else None
    if revision != HEAD:
        return Examined(revision, shared, skew)
    return Examined(revision, shared, skew, _sealed(connection), _servers(connection) if shared else {})


def _skew(wall: Callable[[], float], connection: Connection) -> Skew:
    asked = wall()
    theirs = float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())
    answered = wall()
    return Skew(theirs - (asked + answered) / 2, (answered - asked) / 2)


def _sealed(connection: Connection) -> list[Sealed]:
    keys = select(signing_keys.c.id, signing_keys.c.private_key).limit(1)
    pairs = select(webhook_key_pairs.c.id, webhook_key_pairs.c.ed25519).limit(1)
    return [
        *(Sealed("signing_keys", *row) for row in connection.execute(keys)),
        *(Sealed("webhook_keys", *row) for row in connection.execute(pairs)),
    ]


def _servers(connection: Connection) -> dict[str, str]:
    age = func.extract("epoch", func.clock_timestamp() - servers.c.seen_at)
    rows = connection.execute(select(servers.c.id, servers.c.url).where(age < SEEN_WITHIN))
    return {row.id: row.url for row in rows}
