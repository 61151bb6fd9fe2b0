"""`rostrum users`: accounts made where the database is, for who runs the server.

This is how the first account comes about, and how one gets back in whose password is lost: whoever can read
the data directory decides about all of it anyway. The server may run meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from signaling.admin.command import GROUPS
from signaling.auth.secrets import RandomSecrets
from signaling.clock import SystemClock
from signaling.config import Settings
from signaling.database_commands import database_url
from signaling.domain.caller import EVERYTHING, Caller
from signaling.domain.role import Role
from signaling.domain.user import INVITATION_TTL, normal_email
from signaling.errors import InvalidInputError, NotFoundError
from signaling.flags import complaints, settings_of, settings_options
from signaling.preflight import prepare_data_dir
from signaling.services.ports import UnitOfWorkFactory
from signaling.services.remembered_callers import RememberedCallers
from signaling.services.users import Invitation, Invited, UserService
from signaling.store.database import Database

_WHO: Final = "the command line"

T = TypeVar("T")


users: Final = GROUPS["users"]
"""With what every noun has."""


@users.command("create")
@click.argument("email")
@click.option("--name", help="Of the person [what stands before the @].")
@click.option("--platform-admin", is_flag=True, help="May do everything, in every organization.")
@click.option("--organization", help="Of which to make an administrator [the first one].")
@settings_options
def create(
    email: str,
    name: str | None,
    organization: str | None,
    config: Path | None,
    *,
    platform_admin: bool,
    **flags: Any,
) -> None:
    """Make an account for EMAIL, and print the token with which its password is set."""
    role = Role.PLATFORM_ADMIN if platform_admin else Role.ORGANIZATION_ADMIN
    invitation = Invitation(email, name or email.partition("@")[0], role)

    async def work(units: UnitOfWorkFactory, service: UserService) -> Invited:
        place = "" if platform_admin else await _organization(units, organization)
        return await service.invite(_caller(place), invitation)

    with complaints():
        invited = _run(settings_of(flags, config), work)
    _tell(invited)


@users.command("reset-password")
@click.argument("email")
@settings_options
def reset_password(email: str, config: Path | None, **flags: Any) -> None:
    """Print a token with which the password of EMAIL is set anew."""

    async def work(units: UnitOfWorkFactory, service: UserService) -> Invited:
        async with units(reading=True) as uow:
            user = await uow.users.by_email(normal_email(email))
            memberships = await uow.users.memberships(user.id) if user else ()
        if user is None or not memberships:
            raise NotFoundError(f"{email} has no account here")
        return await service.new_password_token(_caller(memberships[0].organization_id or ""), user.id)

    with complaints():
        invited = _run(settings_of(flags, config), work)
    _tell(invited)


def _caller(organization_id: str) -> Caller:
    return Caller(organization_id, _WHO, EVERYTHING, None, True)


async def _organization(units: UnitOfWorkFactory, wanted: str | None) -> str:
    async with units(reading=True) as uow:
        found = await (uow.organizations.get(wanted) if wanted else uow.organizations.first())
    if found is None:
        raise InvalidInputError("--organization: there is no such organization; start the server once first")
    return found.id


def _tell(invited: Invited) -> None:
    click.echo(f"{invited.member.user.email}: {invited.member.membership.role}")
    if invited.password_token is None:
        click.echo("It has an account already, and keeps its password.")
        return
    click.echo(f"password token, good once and for {INVITATION_TTL.days} days: {invited.password_token}")
    click.echo("Set the password with it: POST /v2/auth/password-token (docs/tenancy.md)")


def _run(settings: Settings, work: Callable[[UnitOfWorkFactory, UserService], Awaitable[T]]) -> T:
    async def opened() -> T:
        database = await Database.open(database_url(settings))
        try:
            service = UserService(database, SystemClock(), RandomSecrets(), RememberedCallers())
            return await work(database, service)
        finally:
            await database.close()

    if settings.database_url is None:
        prepare_data_dir(settings.data_dir)
    return asyncio.run(opened())
