"""What `rostrum` administers: each noun told once, from which come its commands.

A command speaks REST and nothing else, so what it can do is what the API can do, with the same rights, limits
and errors. What is said of a noun here is where it is and what of it stands in a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Verb(StrEnum):
    LIST = "list"
    SHOW = "show"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


EVERY_VERB: Final = frozenset(Verb)


@dataclass(frozen=True, slots=True)
class Noun:
    """`path` may name an `{organization}`, which is the credential's unless another one is said, and a
    `{meeting}`, which has to be said."""

    name: str
    one: str
    path: str
    columns: tuple[str, ...]
    """Of tables, after the id."""
    verbs: frozenset[Verb] = EVERY_VERB
    forcible: bool = False
    """What runs of it is in the way of deleting it, unless that is forced."""

    @property
    def of_meeting(self) -> bool:
        return "{meeting}" in self.path

    def path_of(self, *, organization: str, meeting: str | None, object_id: str | None = None) -> str:
        path = self.path.format(organization=organization, meeting=meeting)
        return path if object_id is None else f"{path}/{object_id}"


NOUNS: Final = (
    Noun(
        "orgs",
        "organization",
        "/v2/orgs",
        ("name", "plan", "contact", "created_at"),
        forcible=True,
    ),
    Noun(
        "apps",
        "app",
        "/v2/orgs/{organization}/apps",
        ("name", "created_at"),
        frozenset({Verb.LIST, Verb.CREATE, Verb.DELETE}),
        forcible=True,
    ),
    Noun("units", "unit", "/v2/orgs/{organization}/units", ("name", "parent_id", "description")),
    Noun(
        "keys",
        "API key",
        "/v2/api-keys",
        ("name", "prefix", "unit_id", "platform", "expires_at", "last_used_at"),
        EVERY_VERB - {Verb.UPDATE},
    ),
    Noun(
        "users",
        "member",
        "/v2/users",
        ("email", "name", "role", "unit_id", "disabled"),
        EVERY_VERB - {Verb.CREATE},
    ),
    Noun("meetings", "meeting", "/v2/meetings", ("title", "status", "created_at")),
    Noun(
        "participants",
        "participant",
        "/v2/meetings/{meeting}/participants",
        ("name", "custom_participant_id", "preset_name", "created_at"),
    ),
    Noun("presets", "preset", "/v2/presets", ("name", "updated_at")),
    Noun(
        "sessions",
        "session",
        "/v2/sessions",
        ("meeting_display_name", "status", "live_participants", "started_at", "ended_at"),
        frozenset({Verb.LIST, Verb.SHOW}),
    ),
    Noun("webhooks", "webhook", "/v2/webhooks", ("name", "url", "enabled")),
)
