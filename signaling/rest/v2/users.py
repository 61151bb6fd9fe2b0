"""`/v2/users`: the people who administer the organization or app whose credential asks."""

from __future__ import annotations

from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from signaling.domain.caller import Scope
from signaling.domain.role import Role
from signaling.domain.user import MAX_EMAIL
from signaling.errors import ConflictError, NotFoundError, PlanLimitError
from signaling.rest.access import caller_of
from signaling.rest.conditions import expected_versions, once_of, replayed, tagged
from signaling.rest.envelope import Timestamp, listing, success
from signaling.rest.operation import Many, Operation
from signaling.rest.paging import Page
from signaling.rest.parsing import Answer, Body, parse_body, parse_query, shown
from signaling.services.idempotency import AnsweredBefore
from signaling.services.users import Invitation, Invited, Member, UserService

Email = Annotated[str, Field(min_length=3, max_length=MAX_EMAIL)]
UnitId = Annotated[str, Field(max_length=64)]
_USER: Final = {
    "id": "0c0b2c1e-5f1f-4d5c-9d0a-6f0d5a5b7c11",
    "email": "ada@example.org",
    "name": "Ada Lovelace",
    "role": "unit_admin",
    "unit_id": "2c1e5f1f-4d5c-4d0a-8f0d-5a5b7c110c0b",
    "disabled": False,
    "account_disabled": False,
    "has_password": True,
    "created_at": "2026-01-31T09:30:00.125Z",
    "updated_at": "2026-01-31T09:30:00.125Z",
}
PASSWORD_TOKEN: Final = "Jq3o5Zb0w1sWm8nXx0kq2vT6yR4uE9aLhGdCfPiBjNs"


class InvitationBody(Body):
    """Of POST."""

    model_config = shown({"email": "ada@example.org", "name": "Ada Lovelace", "role": "member"})

    email: Email
    name: Annotated[str, Field(min_length=1, max_length=128)]
    role: Role
    unit_id: UnitId | None = None
    """Needed for a `unit_admin`; limits a `member`."""


class MemberPatch(Body):
    """Of PATCH. A field that is left out stays as it is."""

    model_config = shown({"disabled": True})

    role: Role = Role.MEMBER
    unit_id: UnitId | None = None
    disabled: bool = False
    """Whether they are kept out of this organization."""
    account_disabled: bool = False
    """Whether they are kept out of all: by who runs the platform, or by the account's only organization."""


class MemberAnswer(Answer):
    model_config = shown(_USER)

    id: str
    email: str
    name: str
    role: Role
    unit_id: str | None
    disabled: bool
    account_disabled: bool
    has_password: bool
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, member: Member) -> MemberAnswer:
        return cls.reading(member.membership, **told(member))


class InvitedAnswer(MemberAnswer):
    model_config = shown(_USER | {"has_password": False, "password_token": PASSWORD_TOKEN})

    password_token: str | None
    """With it the password is set (`POST /v2/auth/password-token`), once, within 7 days. Shown here and never
    again; null where there was an account, and where the request was sent again: then `password-token` makes
    another one."""


class PasswordTokenAnswer(Answer):
    model_config = shown({"password_token": PASSWORD_TOKEN})

    password_token: str | None


class MemberSearch(Page):
    search: Annotated[str, Field(max_length=256)] | None = None
    """Part of a name or an address."""
    platform: bool = False
    """Those of the platform instead."""


def told(member: Member) -> dict[str, Any]:
    """What an answer has that does not stand in the membership as such."""
    user = member.user
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": Role(member.membership.role),
        "account_disabled": user.disabled,
        "has_password": user.password_hash is not None,
    }


def _member_of(invited: Invited) -> MemberAnswer:
    return MemberAnswer.of(invited.member)


USERS: Final = "/v2/users"
USER: Final = USERS + "/{user_id}"


class UserRoutes:
    def __init__(self, service: UserService) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="POST",
                path=USERS,
                handler=self.invite,
                name="inviteUser",
                summary="Make an account for somebody, and make them a member",
                tag="Users",
                access=Scope.USERS_WRITE,
                body=InvitationBody,
                answer=InvitedAnswer,
                status=201,
                errors=(ConflictError, NotFoundError, PlanLimitError),
                tagged=True,
                once=True,
            ),
            Operation(
                method="GET",
                path=USERS,
                handler=self.list,
                name="listUsers",
                summary="List members, newest first",
                tag="Users",
                access=Scope.USERS_READ,
                query=MemberSearch,
                answer=MemberAnswer,
                many=Many.PAGE,
            ),
            Operation(
                method="GET",
                path=USER,
                handler=self.get,
                name="getUser",
                summary="Read a member",
                tag="Users",
                access=Scope.USERS_READ,
                answer=MemberAnswer,
                tagged=True,
            ),
            Operation(
                method="PATCH",
                path=USER,
                handler=self.change,
                name="changeUser",
                summary="Change what a member is, or keep them out; it holds from the next request on",
                tag="Users",
                access=Scope.USERS_WRITE,
                body=MemberPatch,
                answer=MemberAnswer,
                errors=(ConflictError,),
                conditional=True,
                tagged=True,
            ),
            Operation(
                method="DELETE",
                path=USER,
                handler=self.remove,
                name="removeUser",
                summary="Remove a member, and the account where this was its last membership",
                tag="Users",
                access=Scope.USERS_WRITE,
                answer=MemberAnswer,
                errors=(ConflictError,),
                conditional=True,
            ),
            Operation(
                method="POST",
                path=USER + "/password-token",
                handler=self.new_password_token,
                name="createPasswordToken",
                summary="Make a token with which a member who forgot their password sets a new one",
                tag="Users",
                access=Scope.USERS_WRITE,
                answer=PasswordTokenAnswer,
            ),
        ]

    async def invite(self, request: web.Request) -> web.Response:
        body = await parse_body(request, InvitationBody)
        invitation = Invitation(body.email, body.name, body.role, body.unit_id)
        once = await once_of(request, _member_of)
        try:
            invited = await self._service.invite(caller_of(request), invitation, once=once)
        except AnsweredBefore as before:
            return replayed(before, password_token=None)
        member = invited.member
        answer = InvitedAnswer.reading(
            member.membership, password_token=invited.password_token, **told(member)
        )
        return tagged(success(answer, status=201), member.membership.version)

    async def list(self, request: web.Request) -> web.Response:
        query = parse_query(request, MemberSearch)
        found, total = await self._service.list(
            caller_of(request),
            platform=query.platform,
            search=query.search,
            offset=query.offset,
            limit=query.per_page,
        )
        return listing([MemberAnswer.of(one) for one in found], query, total)

    async def get(self, request: web.Request) -> web.Response:
        member = await self._service.get(caller_of(request), request.match_info["user_id"])
        return tagged(success(MemberAnswer.of(member)), member.membership.version)

    async def change(self, request: web.Request) -> web.Response:
        body = await parse_body(request, MemberPatch)
        member = await self._service.change(
            caller_of(request),
            request.match_info["user_id"],
            if_version=expected_versions(request),
            **body.given(),
        )
        return tagged(success(MemberAnswer.of(member)), member.membership.version)

    async def remove(self, request: web.Request) -> web.Response:
        member = await self._service.remove(
            caller_of(request), request.match_info["user_id"], if_version=expected_versions(request)
        )
        return success(MemberAnswer.of(member))

    async def new_password_token(self, request: web.Request) -> web.Response:
        invited = await self._service.new_password_token(caller_of(request), request.match_info["user_id"])
        return success(PasswordTokenAnswer.model_construct(password_token=invited.password_token))
