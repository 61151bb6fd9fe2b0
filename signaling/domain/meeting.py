"""A meeting: a durable place with an id and settings, in which sessions run.

What its recordings and its AI features are to be like is kept with it and validated when it is set; the
services that act on it read it from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from signaling.domain.meeting_config import AiConfig, RecordingConfig
from signaling.domain.version import FIRST

DEFAULT_KEEP_ALIVE: Final = 60
"""Seconds for which a session outlives its last peer, unless the meeting says otherwise."""


class MeetingStatus(StrEnum):
    """Nobody can join a meeting that is INACTIVE; those inside stay."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


class Region(StrEnum):
    AP_SOUTH_1 = "ap-south-1"
    AP_SOUTHEAST_1 = "ap-southeast-1"
    US_EAST_1 = "us-east-1"
    EU_CENTRAL_1 = "eu-central-1"


@dataclass(frozen=True, slots=True)
class Meeting:
    id: str
    organization_id: str
    title: str | None
    created_at: datetime
    updated_at: datetime
    status: MeetingStatus = MeetingStatus.ACTIVE
    preferred_region: Region | None = None
    record_on_start: bool = False
    live_stream_on_start: bool = False
    persist_chat: bool = False
    summarize_on_end: bool = False
    session_keep_alive_time_in_secs: int = DEFAULT_KEEP_ALIVE
    recording_config: RecordingConfig | None = None
    ai_config: AiConfig | None = None
    loudest_audio: int | None = None
    """How many of the loudest microphones are forwarded; 0: all of them, None: as the server is set."""
    version: int = FIRST

    @property
    def active(self) -> bool:
        return self.status is MeetingStatus.ACTIVE
