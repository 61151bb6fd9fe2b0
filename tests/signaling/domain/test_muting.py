"""Whose publications are muted, and who did it."""

from __future__ import annotations

import pytest

from signaling.domain.errors import NotFoundError, PermissionDenied
from signaling.domain.preset import merged
from tests.signaling.domain.presets import DEFAULTS
from tests.signaling.domain.test_session import joined, live_session, publish


def test_a_muted_publication_is_muted_by_whoever_came_first() -> None:
    session = live_session()
    host, other = joined(session, "group_call_host"), joined(session, "group_call_participant")
    microphone = publish(session, other, "microphone", "audio")
    session.muting.mute(other, microphone)
    assert session.muting.mute_others(host, [other], ["microphone"]) == []
    assert session.muting.unmute(other, microphone) != []
    assert session.muting.unmute(other, microphone) == []


def test_muting_a_source_without_the_permission_changes_nothing_of_the_others_either() -> None:
    session = live_session()
    only_audio = merged(
        DEFAULTS["group_call_participant"], {"permissions": {"disable_participant_audio": True}}
    )
    actor, other = joined(session, only_audio), joined(session, "group_call_participant")
    publish(session, other, "microphone", "audio", mid="0")
    publish(session, other, "camera", "video", mid="1")
    with pytest.raises(PermissionDenied):
        session.muting.mute_others(actor, [other], ["microphone", "camera"])
    assert not any(one.muted_by for one in session.publications.values())


def test_nobody_unmutes_for_somebody_else() -> None:
    session = live_session()
    host, other = joined(session, "group_call_host"), joined(session, "group_call_participant")
    microphone = publish(session, other, "microphone", "audio")
    session.muting.mute(other, microphone)
    with pytest.raises(NotFoundError):
        session.muting.unmute(host, microphone)
