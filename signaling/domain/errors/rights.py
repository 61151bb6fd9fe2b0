"""Who somebody is, and what they may not do."""

from __future__ import annotations

from typing import Self

from signaling.domain.errors.base import SignalingError


class UnauthorizedError(SignalingError):
    code = 9401
    name = "Unauthorized"
    http_status = 401
    default_message = (
        "Credentials are missing or wrong. Send 'Authorization: Basic base64(organization_id:api_key)'."
    )


class InvalidTokenError(UnauthorizedError):
    code = 4
    name = "InvalidToken"
    default_message = "The participant token is not valid or has expired. Ask for a new one and join again."


class LoginRefusedError(InvalidTokenError):
    """The same for an unknown address, a wrong password and a disabled account."""

    code = 9465
    name = "LoginRefused"
    default_message = "The address or the password is wrong, or the account is disabled."


class ForbiddenError(SignalingError):
    code = 101
    name = "Forbidden"
    http_status = 403
    default_message = "You may not do this."


class PermissionDenied(ForbiddenError):  # noqa: N818 - the field's name
    code = 2001
    name = "PermissionDenied"
    default_message = "Your preset does not permit this. Ask a host, or have the preset changed."


class MissingScopeError(ForbiddenError):
    code = 9466
    name = "MissingScope"
    default_message = "The credential that was sent may not do this. Use one that has the scope for it."

    @classmethod
    def of(cls, scope: str) -> Self:
        return cls(
            f"The credential that was sent does not have the scope '{scope!s}'. Use one that has, or ask an "
            "administrator for a key with it."
        )


class CensoredError(ForbiddenError):
    code = 9456
    name = "Censored"
    default_message = "A moderator has blocked this. Ask them to allow it again."


class FeatureDisabledError(ForbiddenError):
    code = 9463
    name = "FeatureDisabled"
    default_message = "The plan of this organization does not have this."

    @classmethod
    def of(cls, feature: str) -> Self:
        return cls(
            f"The plan of this organization does not have '{feature}'. Ask who runs this server for it."
        )


class PlanLimitError(ForbiddenError):
    code = 9464
    name = "PlanLimit"
    default_message = "The plan of this organization has no room for another one."


class JoinRefusedError(ForbiddenError):
    """`reason` is one of `signaling.domain.join_policy.Refusal`."""

    code = 9470
    name = "JoinRefused"
    default_message = "The meeting's join policy does not let you in."

    def __init__(self, message: str | None = None, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class ConfigurationLockedError(ForbiddenError):
    """`field` is the key, dotted."""

    code = 9473
    name = "ConfigurationLocked"
    default_message = "A level above has locked this key. Have it unlocked there."

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field
