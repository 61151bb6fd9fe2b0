"""The secret key of the settings, and what it opens."""

from __future__ import annotations

from datetime import timedelta

from signaling.auth.sealing import SECRET_KEY_FILE, SecretBox, read_secret_key
from signaling.auth.signing_keys import PURPOSE, SigningKeys
from signaling.config import Settings
from signaling.domain.client_token import MAX_REFRESH_TTL
from signaling.services.ports import Clock, UnitOfWorkFactory


def secret_box(settings: Settings, purpose: str) -> SecretBox:
    """Raises `InvalidInputError` for the file of the secret key, which is made where there is none."""
    secret = settings.secret_key
    text = secret.get_secret_value() if secret else read_secret_key(settings.data_dir / SECRET_KEY_FILE)
    return SecretBox(text, purpose)


def signing_keys(settings: Settings, units: UnitOfWorkFactory, clock: Clock) -> SigningKeys:
    """Not read yet. Raises as `secret_box` does."""
    return SigningKeys(
        units,
        secret_box(settings, PURPOSE),
        clock,
        longest_token=timedelta(seconds=max(settings.token_ttl, MAX_REFRESH_TTL)),
        rotate_after=timedelta(days=settings.signing_key_days) if settings.signing_key_days else None,
    )
