"""What the parameters of paths and queries are, by their names, where a model says nothing else of them; and
an example of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_UUID: Final = "0c0b2c1e-5f1f-4d5c-9d0a-6f0d5a5b7c11"
_PEER: Final = "peer_01k9zt1v5h8w2c4m6n0q3r7s9a"
_FILTER: Final = re.compile(r"filter\[date_(created|updated|ended|joined|left)_at\]\[(eq|gte|lte)\]")
_WHEN: Final = {
    "created": "it was made",
    "updated": "it was changed last",
    "ended": "it ended",
    "joined": "they joined",
    "left": "they left",
}
_HOW: Final = {
    "eq": "on this day, or at this millisecond",
    "gte": "not before this time",
    "lte": "not after this time; of a date its whole day is meant",
}
_KNOWN: Final[Mapping[str, tuple[str, Any]]] = {
    "account_id": ("The organization's id.", _UUID),
    "app_id": ("The app's id; the organization's for its default app.", _UUID),
    "associated_id": ("Only sessions of this meeting.", _UUID),
    "attendee_id": ("The id of a peer, or of a participant, of whom it is the latest peer.", _PEER),
    "delivery_id": ("The delivery's id.", _UUID),
    "end_date": ("The last day, included; today where it is left out.", "2026-01-31"),
    "end_time": ("Not after this time: ISO 8601, without an offset UTC.", "2026-01-31T23:59:59Z"),
    "event": ("Only deliveries of this event.", "meeting.started"),
    "filter[active]": ("Only those that run, or only those that have ended.", True),
    "filter[context]": ("Only those that joined with exactly this context.", '{"seat": 4}'),
    "filter[room_id]": ("Only those of this room.", _UUID),
    "filter[session_id]": ("Only those of this session.", _UUID),
    "filter[unique_name]": ("Only the room of this name.", "weekly"),
    "force": ("Also where something is in the way of it.", True),
    "group_by": ("A row for each day and unit, instead of for each day.", "unit"),
    "include_participants": ("With the latest 100 who were in.", True),
    "include_peer_events": ("With when each peer came and went.", True),
    "include_sessions": ("With the newest 100 sessions.", True),
    "include_units_below": ("With what is of the units below it.", True),
    "key_id": ("The key's id, which is no secret.", _UUID),
    "lifecycle_status": ("Only those in this state of the life cycle.", "LIVE"),
    "meeting_id": ("The meeting's id.", _UUID),
    "org_id": ("The organization's id, or an app's.", _UUID),
    "page[number]": ("Which page, counted from 1.", 2),
    "page[size]": ("How many are on a page.", 50),
    "page_no": ("Which page, counted from 1; 0 is the first too.", 2),
    "parent_id": ("Only units right below this one.", _UUID),
    "participant": ("The id of a participant, or what the organization calls them.", "user-17"),
    "participant_id": ("The participant's id.", _UUID),
    "participants": ("Ids of participants.", "user-17,user-18"),
    "peer_id": ("The peer's id.", _PEER),
    "per_page": ("How many are on a page.", 50),
    "platform": ("Those of the platform.", True),
    "preset_id": ("The preset's id.", _UUID),
    "room_id": ("The room's id, which is the meeting's.", _UUID),
    "room_participant_id": ("The id of a peer.", _PEER),
    "room_session_id": ("The session's id.", _UUID),
    "search": ("Only those with this in what they are called, or with this id.", "weekly"),
    "session_id": ("The session's id.", _UUID),
    "short": ("The meeting's short id.", "kqm3t8wz2n4p"),
    "sort_by": ("What they are sorted by.", None),
    "sort_order": ("ASC: the least or oldest first.", "ASC"),
    "source": ("The name of what is published.", "camera"),
    "start_date": ("The first day, included; 29 days before the last where it is left out.", "2026-01-01"),
    "start_time": ("Not before this time: ISO 8601, without an offset UTC.", "2026-01-01T00:00:00Z"),
    "status": ("Only those in this state.", None),
    "unique_name": ("Only the meeting of this name.", "weekly"),
    "unit_id": ("A unit's id: what is of this unit only.", _UUID),
    "user_id": ("The account's id.", _UUID),
    "webhook_id": ("The webhook's id.", _UUID),
}


_SDP: Final = (
    "v=0\r\no=- 4858251974351650128 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=ice-ufrag:EsAw\r\n"
    "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=rtpmap:111 opus/48000/2\r\n..."
)
TEXTS: Final[Mapping[str, str]] = {
    "application/sdp": _SDP,
    "application/trickle-ice-sdpfrag": (
        "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
        "a=mid:0\r\na=candidate:1 1 UDP 2130706431 192.0.2.1 61764 typ host\r\n"
    ),
    "text/csv": (
        "organization_id,day,unit_id,participant_minutes,sessions,peak_concurrent_participants\r\n"
        f"{_UUID},2026-01-31,,17.5,2,4\r\n"
    ),
    "text/plain": "# TYPE rostrum_tasks gauge\nrostrum_tasks 12.0\n",
}
"""Examples of bodies that are no JSON, by their media type."""


def described(name: str) -> tuple[str, Any]:
    """What it is, and an example: None where its values are listed. Empty for one that is not known."""
    if when := _FILTER.fullmatch(name):
        return f"Only those of which {_WHEN[when[1]]} {_HOW[when[2]]}.", "2026-01-31"
    return _KNOWN.get(name, ("", None))
