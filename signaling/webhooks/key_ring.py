"""The pairs of keys that this process knows: one signs webhooks, all are published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from signaling.domain.webhook_key import current_of, status_of
from signaling.services.ports import Clock
from signaling.webhooks.signing import WebhookKeys


@dataclass(frozen=True, slots=True)
class RingPair:
    keys: WebhookKeys
    active_from: datetime


class WebhookKeyRing:
    """`take` what there is; then `signing` and `document`."""

    def __init__(self, clock: Clock, pairs: Sequence[RingPair] = ()) -> None:
        self._clock = clock
        self._pairs: tuple[RingPair, ...] = ()
        self.take(pairs)

    @classmethod
    def of(cls, keys: WebhookKeys, clock: Clock) -> WebhookKeyRing:
        """With that pair alone."""
        return cls(clock, [RingPair(keys, datetime.fromtimestamp(0, UTC))])

    def take(self, pairs: Sequence[RingPair]) -> None:
        """In place of those there were."""
        self._pairs = tuple(sorted(pairs, key=lambda one: one.active_from))

    @property
    def signing(self) -> WebhookKeys:
        return self._pairs[self._current].keys

    def document(self) -> Mapping[str, Any]:
        """What is published: `publicKey` is the RSA key in PEM that signs now, `ed25519` the other in base64;
        `keys` are all as JWKs (RFC 7517, RFC 8037), those that sign now first."""
        current = self._current
        told: list[dict[str, Any]] = []
        for place in sorted(range(len(self._pairs)), key=lambda one: (one != current, -one)):
            pair = self._pairs[place]
            when = {"status": status_of(place, current), "active_from": _text(pair.active_from)}
            told += [jwk | when for jwk in pair.keys.jwks()]
        signing = self._pairs[current].keys
        return {"publicKey": signing.rsa_pem, "ed25519": signing.ed25519_text, "keys": told}

    @property
    def _current(self) -> int:
        return current_of([one.active_from for one in self._pairs], self._clock.now())


def _text(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
