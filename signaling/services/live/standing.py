"""A session follows what changed in the store: presets, names. Runs in the session's owner."""

from __future__ import annotations

from dataclasses import replace

from signaling.domain.participant import Participant
from signaling.domain.preset import Preset
from signaling.services.live import waiting
from signaling.services.live.session import LiveSession


async def follow_preset(live: LiveSession, preset: Preset) -> None:
    """Every peer that has the preset of this name has it as it is now."""
    preset = live.furnished(preset)
    for peer in list(live.session.peers.values()):
        if peer.preset_name == preset.name:
            await live.carry_out(live.session.change_preset(peer.id, preset))
    for peer in live.session.waiting_room:
        if peer.preset_name == preset.name and peer.id in live.session.waiting_room:
            await waiting.change(live, replace(peer, preset=preset))


async def follow_participant(live: LiveSession, participant: Participant, preset: Preset | None) -> None:
    """A preset that is not there (any more) leaves the present one in force."""
    preset = None if preset is None else live.furnished(preset)
    for peer in list(live.session.peers.values()):
        if peer.participant_id != participant.id:
            continue
        renamed = live.session.rename(peer.id, participant.name, participant.picture)
        if renamed is not None:
            live.announcer.updated(renamed, oneself=True)
        if preset is not None:
            await live.carry_out(live.session.change_preset(peer.id, preset))
    for peer in live.session.waiting_room:
        if peer.participant_id == participant.id and peer.id in live.session.waiting_room:
            renamed = peer.known_as(participant.name, participant.picture)
            await waiting.change(live, renamed if preset is None else replace(renamed, preset=preset))
