"""`/v2/auth`: logging in, staying so, and setting passwords."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field, SecretStr

from signaling.domain.role import Role
from signaling.domain.user import MAX_EMAIL, MAX_PASSWORD
from signaling.errors import (
    LoginRefusedError,
    NotFoundError,
    OverloadedError,
    RateLimitedError,
)
from signaling.rest.access import caller_of
from signaling.rest.client_address import IpNetwork, address_of
from signaling.rest.envelope import Timestamp, success
from signaling.rest.operation import Access, Operation
from signaling.rest.parsing import Answer, Body, parse_body, shown
from signaling.rest.v2.users import PASSWORD_TOKEN
from signaling.services.logins import Entered, LoginService, Profile

Password = Annotated[SecretStr, Field(min_length=1, max_length=2 * MAX_PASSWORD)]
Token = Annotated[SecretStr, Field(min_length=1, max_length=256)]
OrganizationId = Annotated[str, Field(max_length=64)]
_ORGANIZATION_ID: Final = "8f1f4d5c-9d0a-4f0d-8a5b-7c110c0b2c1e"
_REFRESH_TOKEN: Final = f"0c0b2c1e-5f1f-4d5c-9d0a-6f0d5a5b7c11.{PASSWORD_TOKEN}.{PASSWORD_TOKEN}"
_PLACE: Final = {
    "organization_id": _ORGANIZATION_ID,
    "organization_name": "Acme",
    "role": "organization_admin",
    "unit_id": None,
}
_WHO: Final = {
    "id": "0c0b2c1e-5f1f-4d5c-9d0a-6f0d5a5b7c11",
    "email": "ada@example.org",
    "name": "Ada Lovelace",
}


class LoginBody(Body):
    model_config = shown({"email": "ada@example.org", "password": "correct horse battery"})

    email: Annotated[str, Field(min_length=1, max_length=MAX_EMAIL)]
    password: Password
    organization_id: OrganizationId | None = None
    """Of the organization or app to enter; without one: of the first that they became a member of."""


class RefreshBody(Body):
    model_config = shown({"refresh_token": _REFRESH_TOKEN})

    refresh_token: Token
    organization_id: OrganizationId | None = None
    """To go on in another organization or app."""


class LogoutBody(Body):
    model_config = shown({"refresh_token": _REFRESH_TOKEN})

    refresh_token: Token


class PasswordBody(Body):
    model_config = shown({"current_password": "wrong mule battery", "password": "correct horse battery"})

    current_password: Password
    password: Password


class PasswordTokenBody(Body):
    model_config = shown({"password_token": PASSWORD_TOKEN, "password": "correct horse battery"})

    password_token: Token
    password: Password


class IssuedToken(Answer):
    model_config = shown({"token": "...", "expires_at": "2026-01-31T09:40:00.125Z"})

    token: str
    expires_at: Timestamp


class PlaceAnswer(Answer):
    """What somebody is where; without an organization: on the platform."""

    model_config = shown(_PLACE)

    organization_id: str | None
    organization_name: str | None
    role: Role
    unit_id: str | None


class ProfileAnswer(Answer):
    model_config = shown(_WHO | {"memberships": [_PLACE]})

    id: str
    email: str
    name: str
    memberships: tuple[PlaceAnswer, ...]

    @classmethod
    def of(cls, profile: Profile) -> ProfileAnswer:
        places = tuple(
            PlaceAnswer.reading(
                membership,
                role=Role(membership.role),
                organization_name=organization.name if organization else None,
            )
            for membership, organization in profile.places
        )
        return cls.reading(profile.user, memberships=places)


class LoginAnswer(Answer):
    model_config = shown(
        {
            "access": {"token": "eyJhbGciOiJFZERTQSJ9...", "expires_at": "2026-01-31T09:40:00.125Z"},
            "refresh": {"token": _REFRESH_TOKEN, "expires_at": "2026-03-02T09:30:00.125Z"},
            "user_id": _WHO["id"],
            "organization_id": _ORGANIZATION_ID,
            "role": "organization_admin",
            "unit_id": None,
        }
    )

    access: IssuedToken
    """For `Authorization: Bearer`."""
    refresh: IssuedToken
    """Good once: the answer has the next one."""
    user_id: str
    organization_id: str
    role: Role
    unit_id: str | None

    @classmethod
    def of(cls, entered: Entered) -> LoginAnswer:
        access, login = entered.access, entered.login
        return cls.model_construct(
            access=IssuedToken.model_construct(token=access.text, expires_at=access.expires_at),
            refresh=IssuedToken.model_construct(token=entered.refresh_token, expires_at=login.ends_at),
            user_id=entered.user.id,
            organization_id=entered.organization.id,
            role=Role(entered.membership.role),
            unit_id=entered.membership.unit_id,
        )


class DoneAnswer(Answer):
    model_config = shown({"done": True})

    done: bool = True


AUTH: Final = "/v2/auth"
_TRIES: Final = (LoginRefusedError, RateLimitedError, OverloadedError)


class LoginRoutes:
    def __init__(self, service: LoginService, trusted_proxies: Sequence[IpNetwork]) -> None:
        self._service = service
        self._trusted = trusted_proxies

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="POST",
                path=AUTH + "/login",
                handler=self.enter,
                name="logIn",
                summary="Log in with an email address and a password",
                tag="Logins",
                access=Access.ANYBODY,
                body=LoginBody,
                answer=LoginAnswer,
                errors=(*_TRIES, NotFoundError),
            ),
            Operation(
                method="POST",
                path=AUTH + "/refresh",
                handler=self.refresh,
                name="refreshLogin",
                summary="Get new tokens for a login; a refresh token that comes twice ends it",
                tag="Logins",
                access=Access.ANYBODY,
                body=RefreshBody,
                answer=LoginAnswer,
                errors=(LoginRefusedError, NotFoundError),
            ),
            Operation(
                method="POST",
                path=AUTH + "/logout",
                handler=self.leave,
                name="logOut",
                summary="End a login, whose access tokens are void at once",
                tag="Logins",
                access=Access.ANYBODY,
                body=LogoutBody,
                answer=DoneAnswer,
                errors=(LoginRefusedError,),
            ),
            Operation(
                method="GET",
                path=AUTH + "/me",
                handler=self.profile,
                name="getProfile",
                summary="Read who is logged in, and what they are where",
                tag="Logins",
                access=Access.CREDENTIAL,
                answer=ProfileAnswer,
                errors=(NotFoundError,),
            ),
            Operation(
                method="POST",
                path=AUTH + "/password",
                handler=self.change_password,
                name="changePassword",
                summary="Change the password of who is logged in; all their logins end",
                tag="Logins",
                access=Access.CREDENTIAL,
                body=PasswordBody,
                answer=DoneAnswer,
                errors=(*_TRIES, NotFoundError),
            ),
            Operation(
                method="POST",
                path=AUTH + "/password-token",
                handler=self.set_password,
                name="setPassword",
                summary="Set a password with the token of an invitation; all logins of the account end",
                tag="Logins",
                access=Access.ANYBODY,
                body=PasswordTokenBody,
                answer=DoneAnswer,
                errors=_TRIES,
            ),
        ]

    async def enter(self, request: web.Request) -> web.Response:
        body = await parse_body(request, LoginBody)
        entered = await self._service.enter(
            body.email,
            body.password.get_secret_value(),
            organization_id=body.organization_id,
            address=self._address(request),
        )
        return success(LoginAnswer.of(entered))

    async def refresh(self, request: web.Request) -> web.Response:
        body = await parse_body(request, RefreshBody)
        entered = await self._service.refresh(
            body.refresh_token.get_secret_value(), organization_id=body.organization_id
        )
        return success(LoginAnswer.of(entered))

    async def leave(self, request: web.Request) -> web.Response:
        body = await parse_body(request, LogoutBody)
        await self._service.leave(body.refresh_token.get_secret_value())
        return success(DoneAnswer())

    async def profile(self, request: web.Request) -> web.Response:
        return success(ProfileAnswer.of(await self._service.profile(caller_of(request))))

    async def change_password(self, request: web.Request) -> web.Response:
        body = await parse_body(request, PasswordBody)
        await self._service.change_password(
            caller_of(request),
            current=body.current_password.get_secret_value(),
            new=body.password.get_secret_value(),
            address=self._address(request),
        )
        return success(DoneAnswer())

    async def set_password(self, request: web.Request) -> web.Response:
        body = await parse_body(request, PasswordTokenBody)
        await self._service.set_password(
            body.password_token.get_secret_value(),
            body.password.get_secret_value(),
            address=self._address(request),
        )
        return success(DoneAnswer())

    def _address(self, request: web.Request) -> str:
        return address_of(request, self._trusted)
