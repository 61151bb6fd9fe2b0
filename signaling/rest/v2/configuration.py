"""Configuration of organizations and units, and what follows from it for a meeting and for a session."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from pydantic import Field, JsonValue

from signaling.domain.caller import Scope
from signaling.domain.configuration import (
    MAX_LOCKED,
    Configuration,
    ConfigurationRecord,
    EffectiveConfiguration,
    LevelKind,
    Origin,
)
from signaling.errors import ConfigurationLockedError, FeatureDisabledError, NotFoundError
from signaling.rest.access import caller_of, organization_id_of
from signaling.rest.conditions import expected_versions, tagged
from signaling.rest.described_as import DescribedAs
from signaling.rest.envelope import success
from signaling.rest.operation import Operation
from signaling.rest.parsing import Answer, Body, parse_body, shown
from signaling.services.configuration import ConfigurationService

Values = Annotated[dict[str, JsonValue], DescribedAs(Configuration)]
Keys = Annotated[tuple[Annotated[str, Field(max_length=255)], ...], Field(max_length=MAX_LOCKED)]
_SAID: Final = {"max_participants": 50, "recording_config": {"max_seconds": 3600}}


class ConfigurationBody(Body):
    """Of PUT."""

    model_config = shown({"configuration": _SAID, "locked": ["max_participants"]})

    configuration: Values = Field(default_factory=dict)
    locked: Keys = ()
    """Keys, dotted, of which the levels below say nothing that counts."""


class ConfigurationPatch(Body):
    """Of PATCH: objects are merged key by key, null takes back what was said; `locked` is taken whole."""

    model_config = shown({"configuration": {"max_participants": None}})

    configuration: Values | None = None
    locked: Keys | None = None


class ConfigurationAnswer(Answer):
    model_config = shown({"configuration": _SAID, "locked": ["max_participants"]})

    configuration: Values
    """What this level says itself."""
    locked: tuple[str, ...]

    @classmethod
    def of(cls, record: ConfigurationRecord) -> ConfigurationAnswer:
        return cls(configuration=record.said.to_values(), locked=record.locked)


class OriginAnswer(Answer):
    """Which level: `id` of the organization, unit, meeting or session; null for the system."""

    model_config = shown({"level": "organization", "id": "6f0d5a5b-7c11-4c0b-8c1e-5f1f4d5c9d0a"})

    level: LevelKind
    id: str | None

    @classmethod
    def of(cls, origin: Origin) -> OriginAnswer:
        return cls(level=origin.level, id=origin.id)


_ORIGIN: Final = {"level": "organization", "id": "6f0d5a5b-7c11-4c0b-8c1e-5f1f4d5c9d0a"}


class EffectiveAnswer(Answer):
    model_config = shown(
        {
            "values": {"max_participants": 50, "join_policy": "ORG"},
            "origins": {"max_participants": _ORIGIN, "join_policy": {"level": "system", "id": None}},
            "locked": {"max_participants": _ORIGIN},
            "passed_over": {},
        }
    )

    values: Values
    origins: dict[str, OriginAnswer]
    """By dotted key: the level that a value comes from."""
    locked: dict[str, OriginAnswer]
    """By dotted key: the level that locked it."""
    passed_over: dict[str, OriginAnswer]
    """By dotted key: the level below a lock that says something of it in vain."""

    @classmethod
    def of(cls, effective: EffectiveConfiguration) -> EffectiveAnswer:
        return cls(
            values=effective.values.to_values(),
            origins={key: OriginAnswer.of(one) for key, one in effective.origins.items()},
            locked={key: OriginAnswer.of(one) for key, one in effective.locked.items()},
            passed_over={key: OriginAnswer.of(one) for key, one in effective.passed_over.items()},
        )


CONFIGURATION: Final = "/v2/orgs/{org_id}/configuration"
OF_UNIT: Final = "/v2/orgs/{org_id}/units/{unit_id}/configuration"


class ConfigurationRoutes:
    def __init__(self, service: ConfigurationService) -> None:
        self._service = service

    def operations(self) -> list[Operation]:
        return [
            *self._of(
                "", CONFIGURATION, "the organization", Scope.ORGANIZATIONS_READ, Scope.ORGANIZATIONS_WRITE
            ),
            *self._of("Unit", OF_UNIT, "a unit", Scope.UNITS_READ, Scope.UNITS_WRITE),
            Operation(
                method="GET",
                path="/v2/meetings/{meeting_id}/effective-config",
                handler=self.of_meeting,
                name="getEffectiveConfigurationOfMeeting",
                summary="What the next session of a meeting would be run with, and which level says so",
                tag="Configuration",
                access=Scope.MEETINGS_READ,
                answer=EffectiveAnswer,
            ),
            Operation(
                method="GET",
                path="/v2/sessions/{session_id}/effective-config",
                handler=self.of_session,
                name="getEffectiveConfigurationOfSession",
                summary="What a session was started with, and which level said so",
                tag="Configuration",
                access=Scope.SESSIONS_READ,
                answer=EffectiveAnswer,
            ),
        ]

    def _of(self, noun: str, path: str, whose: str, read: Scope, write: Scope) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path=path,
                handler=self.get,
                name=f"get{noun}Configuration",
                summary=f"Read what {whose} says of how sessions are run",
                tag="Configuration",
                access=read,
                answer=ConfigurationAnswer,
                tagged=True,
            ),
            Operation(
                method="PUT",
                path=path,
                handler=self.replace,
                name=f"replace{noun}Configuration",
                summary=f"Replace what {whose} says of how sessions are run",
                tag="Configuration",
                access=write,
                body=ConfigurationBody,
                answer=ConfigurationAnswer,
                conditional=True,
                tagged=True,
                errors=(ConfigurationLockedError, FeatureDisabledError),
            ),
            Operation(
                method="PATCH",
                path=path,
                handler=self.change,
                name=f"change{noun}Configuration",
                summary=f"Change what {whose} says of how sessions are run",
                tag="Configuration",
                access=write,
                body=ConfigurationPatch,
                answer=ConfigurationAnswer,
                conditional=True,
                tagged=True,
                errors=(ConfigurationLockedError, FeatureDisabledError),
            ),
        ]

    async def get(self, request: web.Request) -> web.Response:
        record = await self._service.get(*_owner(request), caller=caller_of(request))
        return tagged(success(ConfigurationAnswer.of(record)), record.version)

    async def replace(self, request: web.Request) -> web.Response:
        body = await parse_body(request, ConfigurationBody)
        record = await self._service.replace(
            *_owner(request),
            body.configuration,
            body.locked,
            caller=caller_of(request),
            if_version=expected_versions(request),
        )
        return tagged(success(ConfigurationAnswer.of(record)), record.version)

    async def change(self, request: web.Request) -> web.Response:
        body = await parse_body(request, ConfigurationPatch)
        record = await self._service.change(
            *_owner(request),
            body.configuration,
            body.locked,
            caller=caller_of(request),
            if_version=expected_versions(request),
        )
        return tagged(success(ConfigurationAnswer.of(record)), record.version)

    async def of_meeting(self, request: web.Request) -> web.Response:
        found = await self._service.of_meeting(organization_id_of(request), request.match_info["meeting_id"])
        return success(EffectiveAnswer.of(found))

    async def of_session(self, request: web.Request) -> web.Response:
        found = await self._service.of_session(organization_id_of(request), request.match_info["session_id"])
        return success(EffectiveAnswer.of(found))


def _owner(request: web.Request) -> tuple[str, str | None]:
    """organization, unit. Raises `NotFoundError` for an organization that is not the caller's."""
    caller, wanted = caller_of(request), request.match_info["org_id"]
    if wanted != caller.organization_id and not caller.platform:
        raise NotFoundError.of("organization", wanted)
    return wanted, request.match_info.get("unit_id")
