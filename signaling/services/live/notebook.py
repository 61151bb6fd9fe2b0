"""Keeps the notes of one session up to date: what changed since the last look becomes what is to be noted."""

from __future__ import annotations

import json

from signaling.domain.memory import Memory
from signaling.domain.peer import Peer
from signaling.domain.preset import Preset
from signaling.domain.session import Session
from signaling.domain.tracked import Tracked
from signaling.services.live.notes import (
    SESSION,
    NoteKind,
    PeerNote,
    PublicationNote,
    SessionNote,
    WhepNote,
    digest,
    key,
    view_mode_note,
)
from signaling.services.live.viewing import View

_OF_A_PEER: tuple[NoteKind, ...] = ("token", "until", "http")
"""Kinds that are put from outside, and go with their peer."""


class Notebook:
    def __init__(self, session: Session, views: Tracked[str, View], generation: int = 0) -> None:
        self._session = session
        self._views = views
        self._generation = generation
        self._noted: Memory | None = None
        self._presets: list[tuple[Preset, str]] = []
        """With their digests; those that are noted already."""
        self._put: dict[str, str | None] = {}

    @property
    def generation(self) -> int:
        return self._generation

    def put(self, kind: NoteKind, peer_id: str, text: str) -> None:
        """Something about a peer that the session itself does not know. It is forgotten with the peer."""
        self._put[key(kind, peer_id)] = text

    def poll(self) -> dict[str, str | None]:
        """What is to be noted, by key; None for what is to be forgotten. Empty where nothing changed."""
        session = self._session
        changes, self._put = self._put, {}
        if (memory := session.memory) != self._noted:
            self._noted = memory
            note = SessionNote(
                meeting_id=session.meeting_id,
                organization_id=session.organization_id,
                generation=self._generation,
                memory=memory,
            )
            changes[SESSION] = note.model_dump_json()
        for peer_id in session.peers.poll_changed():
            peer = session.peers.get(peer_id)
            told = None if peer is None else self._peer_note(peer, changes).model_dump_json()
            changes[key("peer", peer_id)] = told
            if peer is None:
                changes.update((key(kind, peer_id), None) for kind in _OF_A_PEER)
        for publication_id in session.publications.poll_changed():
            one = session.publications.get(publication_id)
            changes[key("pub", publication_id)] = (
                None if one is None else PublicationNote.of(one).model_dump_json()
            )
        for peer_id in session.view_modes.of_peer.poll_changed():
            mode = session.view_modes.of_peer.get(peer_id)
            changes[key("view", peer_id)] = None if mode is None else view_mode_note(mode)
        admitted = session.waiting_room.admitted
        for participant_id in admitted.poll_changed():
            changes[key("admitted", participant_id)] = "true" if participant_id in admitted else None
        for peer_id in self._views.poll_changed():
            view = self._views.get(peer_id)
            changes[key("whep", peer_id)] = None if view is None else _whep(view).model_dump_json()
        return changes

    def _peer_note(self, peer: Peer, changes: dict[str, str | None]) -> PeerNote:
        changed_from = None if peer.changed_from is None else self._preset(peer.changed_from, changes)
        return PeerNote.of(peer, self._preset(peer.preset, changes), changed_from)

    def _preset(self, preset: Preset, changes: dict[str, str | None]) -> str:
        """Its digest; noted where it was not."""
        for known, name in self._presets:
            if known is preset or known == preset:
                return name
        text = json.dumps(preset.to_dict(), sort_keys=True)
        name = digest(text)
        self._presets.append((preset, name))
        changes[key("preset", name)] = text
        return name


def _whep(view: View) -> WhepNote:
    return WhepNote(
        wanted=view.wanted,
        lines=view.lines,
        showing=view.showing,
        undecodable=tuple(sorted(view.undecodable)),
    )
