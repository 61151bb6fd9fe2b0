"""What is noted of a session, for the signaling process that takes it over when this one dies.

    session                 what is neither a peer's nor a publication's
    preset/DIGEST           a preset that peers have
    peer/ID  view/ID        a peer, its view mode
    pub/ID                  a publication
    token/ID                the digest of the peer's resume token: whoever reads the notes cannot resume
    until/ID                when the peer's client token is over
    http/ID  whep/ID        of a peer that came over HTTP: its resource, what its player watches
    admitted/ID             a participant that was admitted from the waiting room, and need not wait again

Subscriptions are not noted: the node has them. Each text is JSON; what cannot be read is no session.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from signaling.domain.memory import Memory
from signaling.domain.peer import Device, Kind, Peer
from signaling.domain.permission import StageStatus
from signaling.domain.preset import Preset
from signaling.domain.publication import MutedBy, Publication
from signaling.domain.view_mode import ViewMode
from signaling.domain.viewing import Wanted

SESSION: Final = "session"
NoteKind = Literal["preset", "peer", "view", "pub", "token", "until", "http", "whep", "admitted"]


class _Note(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SessionNote(_Note):
    """`generation`: how many processes had the session before; event numbers of one never meet another's."""

    meeting_id: str
    organization_id: str
    generation: int
    memory: Memory


class PeerNote(_Note):
    participant_id: str
    custom_participant_id: str | None
    name: str
    picture: str | None
    preset: str
    """The digest under which the preset is noted."""
    status: StageStatus
    joined_at: datetime
    device: Device
    changed_from: str | None = None
    """The digest of the preset without what was changed of it for this peer."""
    registered_name: str | None = None

    @classmethod
    def of(cls, peer: Peer, preset: str, changed_from: str | None) -> PeerNote:
        return cls(
            participant_id=peer.participant_id,
            custom_participant_id=peer.custom_participant_id,
            name=peer.name,
            picture=peer.picture,
            preset=preset,
            status=peer.status,
            joined_at=peer.joined_at,
            device=peer.device,
            changed_from=changed_from,
            registered_name=peer.registered_name,
        )

    @property
    def presets(self) -> set[str]:
        """The digests of those that it names."""
        return {self.preset} if self.changed_from is None else {self.preset, self.changed_from}

    def to_peer(self, peer_id: str, presets: Mapping[str, Preset], detached_at: float) -> Peer:
        """`presets` by their digests."""
        return Peer(
            id=peer_id,
            participant_id=self.participant_id,
            custom_participant_id=self.custom_participant_id,
            name=self.name,
            picture=self.picture,
            preset=presets[self.preset],
            status=self.status,
            joined_at=self.joined_at,
            device=self.device,
            detached_at=detached_at,
            changed_from=None if self.changed_from is None else presets[self.changed_from],
            registered_name=self.registered_name,
        )


class PublicationNote(_Note):
    peer_id: str
    mid: str
    source: str
    kind: Kind
    codec: str
    encodings: int
    muted_by: MutedBy | None
    encrypted: bool

    @classmethod
    def of(cls, one: Publication) -> PublicationNote:
        return cls(
            peer_id=one.peer_id,
            mid=one.mid,
            source=one.source,
            kind=one.kind,
            codec=one.codec,
            encodings=one.encodings,
            muted_by=one.muted_by,
            encrypted=one.encrypted,
        )

    def to_publication(self, publication_id: str) -> Publication:
        return Publication(id=publication_id, **self.model_dump())


class WhepNote(_Note):
    wanted: Wanted
    lines: dict[Kind, str]
    showing: dict[Kind, str]
    undecodable: tuple[str, ...]


_session: Final = TypeAdapter(SessionNote)
_view_mode: Final = TypeAdapter(ViewMode)


def view_mode_note(view: ViewMode) -> str:
    return _view_mode.dump_json(view).decode()


def digest(text: str) -> str:
    return hashlib.blake2s(text.encode(), digest_size=16).hexdigest()


def key(kind: NoteKind, object_id: str) -> str:
    return f"{kind}/{object_id}"


class Noted:
    """A session's notes, read. Raises `ValueError` for what is none (pydantic's is one)."""

    def __init__(self, notes: Mapping[str, str]) -> None:
        by_kind: dict[str, dict[str, str]] = {}
        for name, text in notes.items():
            kind, slash, object_id = name.partition("/")
            if slash:
                by_kind.setdefault(kind, {})[object_id] = text
        if SESSION not in notes:
            raise ValueError("these are no notes of a session")
        self.session = _session.validate_json(notes[SESSION])
        presets = {one: _preset(text) for one, text in by_kind.get("preset", {}).items()}
        self._peers = {
            one: PeerNote.model_validate_json(text) for one, text in by_kind.get("peer", {}).items()
        }
        if missing := {one for note in self._peers.values() for one in note.presets}.difference(presets):
            raise ValueError(f"the presets {sorted(missing)} are not noted")
        self._presets = presets
        self.publications = [
            PublicationNote.model_validate_json(text).to_publication(one)
            for one, text in by_kind.get("pub", {}).items()
        ]
        self.view_modes = {
            one: _view_mode.validate_json(text) for one, text in by_kind.get("view", {}).items()
        }
        self.players = {
            one: WhepNote.model_validate_json(text) for one, text in by_kind.get("whep", {}).items()
        }
        self.tokens: Mapping[str, str] = by_kind.get("token", {})
        """Peer id -> digest of its resume token."""
        self.until: Mapping[str, str] = by_kind.get("until", {})
        """Peer id -> when its client token is over."""
        self.http: Mapping[str, str] = by_kind.get("http", {})
        """Peer id -> what `HttpPeers` noted."""
        self.admitted: tuple[str, ...] = tuple(by_kind.get("admitted", {}))
        """Participant ids."""

    def peers(self, detached_at: float) -> list[Peer]:
        """All of them as having lost their sockets just now."""
        return [note.to_peer(peer_id, self._presets, detached_at) for peer_id, note in self._peers.items()]


def _preset(text: str) -> Preset:
    values: dict[str, Any] = TypeAdapter(dict[str, Any]).validate_json(text)
    return Preset.model_validate(values)
