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
class Action:
    """A command besides the verbs: one request. `path` as of a noun; with `{id}` it is about one of them."""

    name: str
    summary: str
    method: str
    path: str
    takes: str = ""
    """What FIELDS are of its body or query; empty: it takes none."""
    within: str | None = None
    """The field of the body that FIELDS are put in."""
    columns: tuple[str, ...] = ()
    """Of a list, which is shown as a table."""
    paged: bool = False


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
    forced: str = ""
    """What is done to what is in the way of deleting it, where that is forced; empty: it cannot be."""
    path_of_one: str | None = None
    """Where one is shown and updated, if not below `path`."""
    actions: tuple[Action, ...] = ()

    @property
    def of_meeting(self) -> bool:
        return "{meeting}" in self.path

    def path_of(
        self,
        *,
        organization: str,
        meeting: str | None,
        object_id: str | None = None,
        template: str | None = None,
    ) -> str:
        """`template`: another path than the noun's; where it names no `{id}`, that goes to its end."""
        path = template or self.path
        named = path.format(organization=organization, meeting=meeting, id=object_id)
        return named if object_id is None or "{id}" in path else f"{named}/{object_id}"


def _configuration(path: str) -> tuple[Action, Action]:
    takes = "what is said, configuration:={...}, and locked:=[...]"
    return (
        Action("config", "What one {one} says of how sessions are run.", "GET", path),
        Action("set-config", "Change what one {one} says of it.", "PATCH", path, takes),
    )


def _on_session(name: str, summary: str) -> Action:
    return Action(
        name,
        summary,
        "POST",
        "/v2/room_sessions/{id}/actions/" + name,
        "participants:=[...] or =all, exclude:=[...]",
    )


_ENDED: Final = "End the sessions that run."
NOUNS: Final = (
    Noun(
        "orgs",
        "organization",
        "/v2/orgs",
        ("name", "plan", "contact", "created_at"),
        forced=_ENDED,
        actions=_configuration("/v2/orgs/{id}/configuration"),
    ),
    Noun(
        "apps",
        "app",
        "/v2/orgs/{organization}/apps",
        ("name", "created_at"),
        forced=_ENDED,
        path_of_one="/v2/orgs",
    ),
    Noun(
        "units",
        "unit",
        "/v2/orgs/{organization}/units",
        ("name", "parent_id", "description"),
        actions=_configuration("/v2/orgs/{organization}/units/{id}/configuration"),
    ),
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
    Noun(
        "meetings",
        "meeting",
        "/v2/meetings",
        ("title", "status", "created_at"),
        actions=(
            Action(
                "open",
                "Begin a session of one {one}, or find the one that runs.",
                "POST",
                "/v2/meetings/{id}/open",
                "configuration of this session alone",
                within="configuration",
            ),
            Action("close", "End the session of one {one} for all.", "POST", "/v2/meetings/{id}/close"),
            Action(
                "config",
                "What the next session of one {one} is run with, and who said so.",
                "GET",
                "/v2/meetings/{id}/effective-config",
            ),
        ),
    ),
    Noun(
        "participants",
        "participant",
        "/v2/meetings/{meeting}/participants",
        ("name", "custom_participant_id", "preset_name", "created_at"),
        actions=(
            Action(
                "token",
                "Make another token for one {one}.",
                "POST",
                "/v2/meetings/{meeting}/participants/{id}/token",
            ),
        ),
    ),
    Noun(
        "presets",
        "preset",
        "/v2/presets",
        ("name", "updated_at"),
        forced="Though it is in use: who has it cannot join then.",
    ),
    Noun(
        "sessions",
        "session",
        "/v2/sessions",
        ("meeting_display_name", "status", "live_participants", "started_at", "ended_at"),
        frozenset({Verb.LIST, Verb.SHOW}),
        actions=(
            Action(
                "people",
                "Who was in one {one}, and when; FIELDS are filters.",
                "GET",
                "/v2/sessions/{id}/participants",
                "filters",
                columns=("id", "display_name", "preset_name", "joined_at", "left_at", "leave_reason"),
                paged=True,
            ),
            Action(
                "config",
                "What one {one} was started with, and who said so.",
                "GET",
                "/v2/sessions/{id}/effective-config",
            ),
            Action("end", "End one {one} for everybody.", "POST", "/v2/room_sessions/{id}/actions/end"),
            _on_session("kick", "Put participants out of one {one}."),
            _on_session("mute", "Mute participants until they are unmuted."),
            _on_session("unmute", "Let participants unmute themselves."),
        ),
    ),
    Noun(
        "webhooks",
        "webhook",
        "/v2/webhooks",
        ("name", "url", "enabled"),
        actions=(
            Action("test", "Send webhook.test to one {one}.", "POST", "/v2/webhooks/{id}/test"),
            Action(
                "deliveries",
                "What was sent to one {one}; FIELDS are filters.",
                "GET",
                "/v2/webhooks/{id}/deliveries",
                "filters",
                columns=("id", "event", "status", "created_at"),
                paged=True,
            ),
            Action("resend", "Send one delivery again.", "POST", "/v2/webhook-deliveries/{id}/resend"),
        ),
    ),
    Noun(
        "usage",
        "day",
        "/v2/usage",
        (),
        frozenset(),
        actions=(
            Action(
                "list",
                "What was used by day; FIELDS are start_date, end_date, group_by=unit and filters.",
                "GET",
                "/v2/usage",
                "filters",
                columns=(
                    "day",
                    "unit_id",
                    "participant_minutes",
                    "sessions",
                    "peak_concurrent_participants",
                ),
            ),
        ),
    ),
)
