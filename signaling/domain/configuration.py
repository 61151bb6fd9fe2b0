"""What a session is run with, and which level said so. Pure.

    system  ▶  organization (▶ app)  ▶  units, from the root to the leaf  ▶  meeting  ▶  session

Each level says something about some keys, or nothing. What the levels say is merged leaf by leaf: objects are
merged key by key, everything else, lists included, is taken whole; null means that a level says nothing, so
what is above it shows through. A level may lock keys: what is said of them below is passed over. The result
names for every value the level that it comes from, and is stored with a session when it starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_serializer

from signaling.domain.dotted import leaves, lock_of, put
from signaling.domain.invalid_input import from_json, invalid_input
from signaling.domain.join_policy import Policy
from signaling.domain.meeting_config import AiConfig, RecordingConfig
from signaling.domain.preset import Preset
from signaling.domain.profile import Profile, Profiles, Skin, Skins, in_session
from signaling.domain.version import FIRST

MAX_PARTICIPANTS: Final = 100_000
"""The most that any meeting may be set to take; an installation may say less."""
MIN_DURATION: Final = 60
"""Seconds."""
MAX_DURATION: Final = 604_800
"""Seconds; a week."""
MAX_KEEP_ALIVE: Final = 3600
"""Seconds."""
MAX_UNITS: Final = 100
"""That an allow list names."""
MAX_LOCKED: Final = 200
"""Keys that a level locks."""

Name = Annotated[str, Field(min_length=1, max_length=128)]
UnitIds = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=64)], ...], Field(max_length=MAX_UNITS)
]


class Configuration(BaseModel):
    """Every key that a level may say something about; None where it says nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_participants: Annotated[int, Field(ge=1, le=MAX_PARTICIPANTS)] | None = None
    """Peers that are in at once, the hidden ones not counted; with none set, any number."""
    max_duration_secs: Annotated[int, Field(ge=MIN_DURATION, le=MAX_DURATION)] | None = None
    """After so many seconds a session ends; with none set, never for its age."""
    session_keep_alive_time_in_secs: Annotated[int, Field(ge=0, le=MAX_KEEP_ALIVE)] | None = None
    """Seconds for which a session outlives its last peer."""
    loudest_audio: Annotated[int, Field(ge=0, le=1000)] | None = None
    """How many of the loudest microphones are forwarded; 0: all; with none set, as the server is."""
    lobby_enabled: bool | None = None
    """Whether all wait who may not admit others, until one of those admits them."""
    open_policy: Policy | None = None
    """Who may begin a session."""
    allow_open_units: UnitIds | None = None
    """For ORGUNIT."""
    join_policy: Policy | None = None
    allow_join_units: UnitIds | None = None
    """For ORGUNIT."""
    default_guest_preset: Name | None = None
    """The preset that guests get; with none set, there are no guests."""
    default_member_preset: Name | None = None
    """The preset that members get who join by their login."""
    profile: Name | None = None
    """The name of one of `profiles`; with none set, what presets permit."""
    skin: Name | None = None
    """The name of one of `skins`; with none set, as presets look."""
    profiles: Profiles | None = None
    """Sets of features by name: see `signaling.domain.profile`."""
    skins: Skins | None = None
    """Parts of the design tokens by name."""
    persist_chat: bool | None = None
    record_on_start: bool | None = None
    live_stream_on_start: bool | None = None
    transcribe_on_end: bool | None = None
    summarize_on_end: bool | None = None
    recording_config: RecordingConfig | None = None
    ai_config: AiConfig | None = None

    @property
    def chosen_profile(self) -> Profile | None:
        """None also where the one that is named is not there (any more)."""
        return None if self.profile is None else (self.profiles or {}).get(self.profile)

    @property
    def chosen_skin(self) -> Skin | None:
        return None if self.skin is None else (self.skins or {}).get(self.skin)

    def laid_over(self, preset: Preset) -> Preset:
        """The preset as somebody has it in a session that is run with this."""
        return in_session(preset, self.chosen_profile, self.chosen_skin)

    @model_serializer(mode="plain")
    def to_values(self) -> dict[str, Any]:
        """Only what it says, as JSON. It is dumped so everywhere: what is not said must not come back as
        said."""
        said = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: _to_json(value) for name, value in said if value is not None}


def _to_json(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    if isinstance(value, Mapping):
        return {name: _to_json(one) for name, one in value.items()}
    return list(value) if isinstance(value, tuple) else value


NOTHING_SAID: Final = Configuration()
DEFINED: Final = {"profile": "profiles", "skin": "skins"}
"""Keys that choose by name, and where is said what there is."""

LIVE_KEYS: Final = (
    "max_participants",
    "session_keep_alive_time_in_secs",
    "loudest_audio",
    "lobby_enabled",
    "open_policy",
    "allow_open_units",
    "join_policy",
    "allow_join_units",
)
"""What a change of a meeting changes of the session that runs in it: whom it takes, and what costs nobody who
is in anything. The rest stays as the session was started."""

SYSTEM: Final = Configuration(
    session_keep_alive_time_in_secs=60,
    lobby_enabled=False,
    open_policy=Policy.PUBLIC,
    allow_open_units=(),
    join_policy=Policy.ORG,
    allow_join_units=(),
    default_member_preset="group_call_participant",
    persist_chat=False,
    record_on_start=False,
    live_stream_on_start=False,
    transcribe_on_end=False,
    summarize_on_end=False,
)
"""What holds where nobody says anything, unless the server was started with something else."""


def parse_configuration(values: Mapping[str, Any]) -> Configuration:
    """Raises `ValidationFailedError` that names the key."""
    try:
        said = from_json(Configuration, values)
    except ValidationError as error:
        raise invalid_input(error) from None
    return Configuration.model_validate(said.to_values())


def patched(before: Configuration, patch: Mapping[str, Any]) -> Configuration:
    """With a patch laid over it (RFC 7396): null takes back what was said. Raises `ValidationFailedError`."""
    return parse_configuration(_patched(before.to_values(), patch))


def _patched(before: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    after = dict(before)
    for key, value in patch.items():
        if value is None:
            after.pop(key, None)
        elif isinstance(value, Mapping):
            known = after.get(key)
            after[key] = _patched(known if isinstance(known, Mapping) else {}, value)
        else:
            after[key] = value
    return after


# --- levels --------------------------------------------------------------------------------------------


class LevelKind(StrEnum):
    SYSTEM = "system"
    PLAN = "plan"
    """Of the organization: it says nothing, but nobody may say more."""
    ORGANIZATION = "organization"
    UNIT = "unit"
    MEETING = "meeting"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Origin:
    """`id` is that of the organization, unit, meeting or session; the system has none."""

    level: LevelKind
    id: str | None = None

    def __str__(self) -> str:
        return self.level if self.id is None else f"{self.level} {self.id}"


@dataclass(frozen=True, slots=True)
class Level:
    """`locked`: keys, dotted, of which the levels below say nothing that counts. To lock an object locks all
    that is in it."""

    origin: Origin
    said: Configuration = NOTHING_SAID
    locked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfigurationRecord:
    """What an organization (an app) or one of its units says, as the store keeps it: `owner_id` is the id of
    the one or the other."""

    organization_id: str
    owner_id: str
    said: Configuration
    locked: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    version: int = FIRST

    @property
    def level(self) -> Level:
        kind = LevelKind.ORGANIZATION if self.owner_id == self.organization_id else LevelKind.UNIT
        return Level(Origin(kind, self.owner_id), self.said, self.locked)


@dataclass(frozen=True, slots=True)
class EffectiveConfiguration:
    """`origins`: for every leaf that has a value, dotted, the level it comes from. `locked`: by which level.
    `passed_over`: leaves of which a level below a lock said something."""

    values: Configuration
    origins: Mapping[str, Origin]
    locked: Mapping[str, Origin] = field(default_factory=dict)
    passed_over: Mapping[str, Origin] = field(default_factory=dict)

    def within_plan(self, organization_id: str, participants: int | None) -> EffectiveConfiguration:
        """With no more participants than the plan of the organization has room for; None: any number."""
        said = self.values.max_participants
        if participants is None or (said is not None and said <= participants):
            return self
        values = self.values.to_values() | {"max_participants": participants}
        origins = {**self.origins, "max_participants": Origin(LevelKind.PLAN, organization_id)}
        return replace(self, values=Configuration.model_validate(values), origins=MappingProxyType(origins))

    def said_alone(self, said: Configuration) -> bool:
        """Whether all of it was said for the session alone, so that to say it again changes nothing. (Of what
        the plan has no room for, nobody knows.)"""
        here = dict(leaves(self.values.to_values()))
        for path, value in leaves(said.to_values()):
            level = self.origins[path].level if path in self.origins else None
            alone = level is LevelKind.SESSION and here[path] == value
            if not alone and level is not LevelKind.PLAN:
                return False
        return True

    def renewed(self, fresh: EffectiveConfiguration) -> EffectiveConfiguration:
        """With what `fresh` says of the `LIVE_KEYS`, unless it was said for the session alone."""
        merged, origins = self.values.to_values(), dict(self.origins)
        for key in LIVE_KEYS:
            held = origins.get(key)
            if held is not None and held.level is LevelKind.SESSION:
                continue
            merged.pop(key, None)
            origins.pop(key, None)
            if key in fresh.origins:
                merged[key] = fresh.values.to_values()[key]
                origins[key] = fresh.origins[key]
        return replace(self, values=Configuration.model_validate(merged), origins=MappingProxyType(origins))

    def to_dict(self) -> dict[str, Any]:
        """As JSON: what is stored with a session, and shown."""
        return {
            "values": self.values.to_values(),
            "origins": _origins_to_dict(self.origins),
            "locked": _origins_to_dict(self.locked),
            "passed_over": _origins_to_dict(self.passed_over),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """What `to_dict` gave. A key that there is no longer is left out."""
        values = {key: value for key, value in stored["values"].items() if key in Configuration.model_fields}
        return cls(
            Configuration.model_validate(values),
            *(_origins_from_dict(stored[name]) for name in ("origins", "locked", "passed_over")),
        )


def effective(levels: Sequence[Level]) -> EffectiveConfiguration:
    """Merges levels, the highest first. Of what is defined by name (profiles) it has what is chosen."""
    values, origins, locked, passed_over = merged(levels)
    for one, defined in DEFINED.items():
        name = values.get(one)
        chosen = {name: those[name]} if name in (those := values.pop(defined, {})) else None
        if chosen:
            values[defined] = chosen
        for path in [path for path in origins if path.startswith(f"{defined}.")]:
            if not chosen or path.split(".")[1] != name:
                del origins[path]
    return EffectiveConfiguration(
        Configuration.model_validate(values),
        MappingProxyType(origins),
        MappingProxyType(locked),
        MappingProxyType(passed_over),
    )


_Origins = dict[str, Origin]


def merged(levels: Sequence[Level]) -> tuple[dict[str, Any], _Origins, _Origins, _Origins]:
    """The values, their origins, what is locked, and what is passed over."""
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    locked: dict[str, Origin] = {}
    passed_over: dict[str, Origin] = {}
    for level in levels:
        for path, value in leaves(level.said.to_values()):
            if lock_of(path, locked) is not None:
                passed_over[path] = level.origin
                continue
            put(values, path, value)
            origins[path] = level.origin
        for path in level.locked:
            locked.setdefault(path, level.origin)
    return values, origins, locked, passed_over


def decided(levels: Iterable[Level], key: str) -> Any:
    """What `effective` has for one key, which is no object, without looking at the others."""
    value = None
    for level in levels:
        said = getattr(level.said, key)
        value = value if said is None else said
        if key in level.locked:
            break
    return value


# --- inside --------------------------------------------------------------------------------------------


def _origins_to_dict(origins: Mapping[str, Origin]) -> dict[str, Any]:
    return {path: {"level": one.level.value, "id": one.id} for path, one in origins.items()}


def _origins_from_dict(stored: Mapping[str, Any]) -> Mapping[str, Origin]:
    return MappingProxyType(
        {path: Origin(LevelKind(one["level"]), one["id"]) for path, one in stored.items()}
    )
