"""What two vendors' own Python SDKs can ask for, and how much of it works with Rostrum.

`OPERATIONS` names every method of `cloudflare`'s `realtime_kit` and of `telnyx`' rooms and room participants,
with the request that it makes; a test holds it to what the installed packages have. The tests of
`tests/compat` say which of them they show (`@pytest.mark.shows("cloudflare", "meetings.create")`), each run
goes into the record of `tests/support/compat.py`, and docs/compatibility.md is printed from that
(`tests/support/sdk_page.py`).

`DEVIATIONS` are the fields that a model of theirs has and our answer leaves out, with the reason. An answer
may leave out no other (`tests/support/sdk_answers.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

KIT: Final = "/accounts/{account_id}/realtime/kit"
APP: Final = KIT + "/{app_id}"
_MEETING: Final = APP + "/meetings/{id}"
_ROOM_SESSION: Final = "/v2/room_sessions/{id}"

RECORDINGS, LIVESTREAMS, POLLS, CHAT, SPEECH = (
    "with recordings",
    "with livestreams",
    "with polls",
    "with chat",
    "with transcription",
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of an SDK. `request` has `{id}` where an id stands; `later` names the feature that it comes
    with, "" where it is to work now."""

    name: str
    request: str
    later: str = ""


def _later(feature: str, *names: str) -> tuple[Operation, ...]:
    return tuple(Operation(name, "", feature) for name in names)


OPERATIONS: Final[Mapping[str, tuple[Operation, ...]]] = {
    "cloudflare": (
        Operation("apps.get", f"GET {KIT}/apps"),
        Operation("apps.post", f"POST {KIT}/apps"),
        Operation("meetings.create", f"POST {APP}/meetings"),
        Operation("meetings.get", f"GET {APP}/meetings"),
        Operation("meetings.get_meeting_by_id", f"GET {_MEETING}"),
        Operation("meetings.update_meeting_by_id", f"PATCH {_MEETING}"),
        Operation("meetings.replace_meeting_by_id", f"PUT {_MEETING}"),
        Operation("meetings.add_participant", f"POST {_MEETING}/participants"),
        Operation("meetings.get_meeting_participants", f"GET {_MEETING}/participants"),
        Operation("meetings.get_meeting_participant", f"GET {_MEETING}/participants/{{id}}"),
        Operation("meetings.edit_participant", f"PATCH {_MEETING}/participants/{{id}}"),
        Operation("meetings.delete_meeting_participant", f"DELETE {_MEETING}/participants/{{id}}"),
        Operation("meetings.refresh_participant_token", f"POST {_MEETING}/participants/{{id}}/token"),
        Operation("presets.create", f"POST {APP}/presets"),
        Operation("presets.get", f"GET {APP}/presets"),
        Operation("presets.get_preset_by_id", f"GET {APP}/presets/{{id}}"),
        Operation("presets.update", f"PATCH {APP}/presets/{{id}}"),
        Operation("presets.replace_preset_by_id", f"PUT {APP}/presets/{{id}}"),
        Operation("presets.delete", f"DELETE {APP}/presets/{{id}}"),
        Operation("active_session.get_active_session", f"GET {_MEETING}/active-session"),
        Operation("active_session.kick_participants", f"POST {_MEETING}/active-session/kick"),
        Operation("active_session.kick_all_participants", f"POST {_MEETING}/active-session/kick-all"),
        Operation("sessions.get_sessions", f"GET {APP}/sessions"),
        Operation("sessions.get_session_details", f"GET {APP}/sessions/{{id}}"),
        Operation("sessions.get_session_participants", f"GET {APP}/sessions/{{id}}/participants"),
        Operation(
            "sessions.get_session_participant_details", f"GET {APP}/sessions/{{id}}/participants/{{id}}"
        ),
        Operation("sessions.get_participant_data_from_peer_id", f"GET {APP}/sessions/peer-report/{{id}}"),
        Operation("webhooks.create_webhook", f"POST {APP}/webhooks"),
        Operation("webhooks.get_webhooks", f"GET {APP}/webhooks"),
        Operation("webhooks.get_webhook_by_id", f"GET {APP}/webhooks/{{id}}"),
        Operation("webhooks.edit_webhook", f"PATCH {APP}/webhooks/{{id}}"),
        Operation("webhooks.replace_webhook", f"PUT {APP}/webhooks/{{id}}"),
        Operation("webhooks.delete_webhook", f"DELETE {APP}/webhooks/{{id}}"),
        Operation("analytics.get_org_analytics", f"GET {APP}/analytics/daywise"),
        *_later(POLLS, "active_session.create_poll"),
        *_later(CHAT, "sessions.get_session_chat"),
        *_later(
            SPEECH,
            "sessions.get_session_transcripts",
            "sessions.get_session_summary",
            "sessions.generate_summary_of_transcripts",
        ),
        *_later(
            RECORDINGS,
            "recordings.get_active_recordings",
            "recordings.get_one_recording",
            "recordings.get_recordings",
            "recordings.pause_resume_stop_recording",
            "recordings.start_recordings",
            "recordings.start_track_recording",
        ),
        *_later(
            LIVESTREAMS,
            "livestreams.get_active_livestreams_for_livestream_id",
            "livestreams.get_all_livestreams",
            "livestreams.get_livestream_analytics_complete",
            "livestreams.get_livestream_analytics_daywise",
            "livestreams.get_livestream_session_details_for_session_id",
            "livestreams.get_livestream_session_for_livestream_id",
            "livestreams.get_meeting_active_livestreams",
            "livestreams.get_org_analytics",
            "livestreams.start_livestreaming_a_meeting",
            "livestreams.stop_livestreaming_a_meeting",
        ),
    ),
    "telnyx": (
        Operation("rooms.create", "POST /v2/rooms"),
        Operation("rooms.list", "GET /v2/rooms"),
        Operation("rooms.retrieve", "GET /v2/rooms/{id}"),
        Operation("rooms.update", "PATCH /v2/rooms/{id}"),
        Operation("rooms.delete", "DELETE /v2/rooms/{id}"),
        Operation(
            "rooms.actions.generate_join_client_token",
            "POST /v2/rooms/{id}/actions/generate_join_client_token",
        ),
        Operation("rooms.actions.refresh_client_token", "POST /v2/rooms/{id}/actions/refresh_client_token"),
        Operation("rooms.sessions.list_0", "GET /v2/room_sessions"),
        Operation("rooms.sessions.list_1", "GET /v2/rooms/{id}/sessions"),
        Operation("rooms.sessions.retrieve", f"GET {_ROOM_SESSION}"),
        Operation("rooms.sessions.retrieve_participants", f"GET {_ROOM_SESSION}/participants"),
        Operation("rooms.sessions.actions.end", f"POST {_ROOM_SESSION}/actions/end"),
        Operation("rooms.sessions.actions.kick", f"POST {_ROOM_SESSION}/actions/kick"),
        Operation("rooms.sessions.actions.mute", f"POST {_ROOM_SESSION}/actions/mute"),
        Operation("rooms.sessions.actions.unmute", f"POST {_ROOM_SESSION}/actions/unmute"),
        Operation("room_participants.list", "GET /v2/room_participants"),
        Operation("room_participants.retrieve", "GET /v2/room_participants/{id}"),
    ),
}

_NO_STORAGE: Final = {
    "data.recording_config.storage_config": "with recordings; until then it is refused, not forgotten",
}
DEVIATIONS: Final[Mapping[tuple[str, str], Mapping[str, str]]] = {
    ("cloudflare", f"meetings.{name}"): _NO_STORAGE
    for name in (*("create", "get", "get_meeting_by_id", "update_meeting_by_id", "replace_meeting_by_id"),)
}
"""By SDK and operation: the path of a field in the SDK's model -> why no answer has it."""


def operation(sdk: str, name: str) -> Operation:
    return next(one for one in OPERATIONS[sdk] if one.name == name)
