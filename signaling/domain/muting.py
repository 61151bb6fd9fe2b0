"""Whose publications are muted and who did it: their owners, or a moderator, who may block a source as well.

Part of the session's aggregate (`signaling.domain.session`): it checks, changes the peers and publications,
and returns what happened.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Set
from dataclasses import replace

from signaling.domain.censorship import Blocked, Censorship
from signaling.domain.errors import CensoredError, NotJoinedError, PermissionDenied
from signaling.domain.events import (
    CensorChanged,
    Events,
    PublicationMuted,
    PublicationUnmuted,
)
from signaling.domain.peer import Peer
from signaling.domain.permission import MediaKind
from signaling.domain.publication import USUAL_SOURCES, MutedBy, Publication
from signaling.domain.publications import Publications


class Muting:
    def __init__(self, peers: MutableMapping[str, Peer], publications: Publications) -> None:
        self._peers = peers
        self._publications = publications
        self._censorship = Censorship()

    @property
    def blocked(self) -> Blocked:
        return self._censorship.blocked

    def resume(self, blocked: Blocked) -> None:
        """What was blocked in another process."""
        self._censorship = Censorship(blocked)

    def censored(self, participant_id: str) -> frozenset[str]:
        return self._censorship.of(participant_id)

    def mute(self, peer_id: str, publication_id: str) -> Events:
        return self._mute(self._own(peer_id, publication_id), MutedBy.OWNER)

    def unmute(self, peer_id: str, publication_id: str) -> Events:
        own = self._own(peer_id, publication_id)
        if self._peers[peer_id].is_censored(own.source, own.kind):
            raise CensoredError(f"A moderator has blocked your {own.source}. Ask them to allow it again.")
        if own.muted_by is None:
            return []
        self._publications[own.id] = unmuted = replace(own, muted_by=None)
        return [PublicationUnmuted(unmuted)]

    def mute_others(self, actor_id: str, peer_ids: Iterable[str], sources: Iterable[str]) -> Events:
        """A moderator mutes sources of peers. Who is not there any more is passed over.

        Raises `PermissionDenied` before anything changed, where the actor may not mute one of the sources.
        """
        found = self._moderated(actor_id, set(peer_ids), set(sources))
        return [event for each in found for event in self._mute(each, MutedBy.MODERATOR)]

    def censor(self, actor_id: str, peer_ids: Iterable[str], sources: Iterable[str]) -> Events:
        """A moderator blocks sources of peers' participants, published or not, until a moderator allows them.

        Raises `PermissionDenied` as `mute_others` does. Nobody censors themselves: they are passed over.
        """
        wanted = set(sources)
        named = {peer_id for peer_id in peer_ids if peer_id != actor_id}
        self._moderated(actor_id, named, wanted)
        return self.block(named, wanted)

    def uncensor(self, actor_id: str, peer_ids: Iterable[str], sources: Iterable[str]) -> Events:
        """Lifts it, of others: nobody lifts what was laid on themselves."""
        wanted, named = set(sources), {peer_id for peer_id in peer_ids if peer_id != actor_id}
        self._moderated(actor_id, named, wanted)
        actor = self._peers[actor_id].participant_id
        own_tabs = {peer_id for peer_id in named if self._is_of(peer_id, actor)}
        return self.allow(named - own_tabs, wanted)

    def mute_everybody(self, actor_id: str, *, allow_unmute: bool) -> Events:
        """A moderator mutes the microphones of all others. Raises `PermissionDenied`."""
        self._moderated(actor_id, set(), {"microphone"})
        return self.silence(allow_unmute=allow_unmute, but=self._peers[actor_id].participant_id)

    # --- by the organization itself, which may do anything ----------------------------------------------

    def block(self, peer_ids: Iterable[str], sources: Set[str]) -> Events:
        """As `censor`."""
        self._censorship.block(self._participants(peer_ids), sources)
        return self._enforce()

    def allow(self, peer_ids: Iterable[str], sources: Set[str]) -> Events:
        """Lifts it, and what is blocked of everybody as far as these are concerned. What was being published
        stays muted: to speak again is the owner's own decision."""
        self._censorship.allow(self._participants(peer_ids), sources)
        return self._follow_censorship()

    def allow_everybody(self, sources: Set[str]) -> Events:
        """Lifts what is blocked of everybody."""
        self._censorship.allow_everybody(sources)
        return self._follow_censorship()

    def mute_audio(self, peer_ids: Iterable[str]) -> Events:
        """What these peers say, whatever they call its source; they may unmute it."""
        named = set(peer_ids)
        return [
            event
            for one in list(self._publications.values())
            if one.media is MediaKind.AUDIO and one.peer_id in named
            for event in self._mute(one, MutedBy.MODERATOR)
        ]

    def silence(self, *, allow_unmute: bool, but: str | None = None) -> Events:
        """Mutes everybody's audio, `but` that participant's. Without `allow_unmute` it is blocked, also of
        those who come later, until it is done again with it, or allowed somebody."""
        spared = () if but is None else (but,)
        if allow_unmute:
            events = self.allow_everybody({"microphone"})
        else:
            self._censorship.block_everybody({"microphone"}, but=spared)
            events = self._enforce()
        return events + self.mute_audio(
            one.id for one in list(self._peers.values()) if one.participant_id != but
        )

    # --- inside ----------------------------------------------------------------------------------------

    def _own(self, peer_id: str, publication_id: str) -> Publication:
        if peer_id not in self._peers:
            raise NotJoinedError
        return self._publications.own(peer_id, publication_id)

    def _moderated(self, actor_id: str, named: set[str], sources: Set[str]) -> list[Publication]:
        """The publications a moderator speaks of. Raises `PermissionDenied` where they may not."""
        actor = self._peers.get(actor_id)
        if actor is None:
            raise NotJoinedError
        found = [one for one in self._publications.values() if one.peer_id in named and one.source in sources]
        usual = [(source, kind) for source, kind in USUAL_SOURCES if source in sources]
        for source, kind in (*usual, *((one.source, one.kind) for one in found)):
            if not actor.may_mute(source, kind):
                raise PermissionDenied(f"You may not mute {source!r} of others.")
        return found

    def _participants(self, peer_ids: Iterable[str]) -> set[str]:
        return {self._peers[peer_id].participant_id for peer_id in peer_ids if peer_id in self._peers}

    def _is_of(self, peer_id: str, participant_id: str) -> bool:
        peer = self._peers.get(peer_id)
        return peer is not None and peer.participant_id == participant_id

    def _enforce(self) -> Events:
        events = self._follow_censorship()
        for one in list(self._publications.values()):
            if self._peers[one.peer_id].is_censored(one.source, one.kind):
                events += self._mute(one, MutedBy.MODERATOR)
        return events

    def _follow_censorship(self) -> Events:
        events: Events = []
        for peer in list(self._peers.values()):
            censored = self._censorship.of(peer.participant_id)
            if censored != peer.censored:
                events.append(CensorChanged(self._put(replace(peer, censored=censored))))
        return events

    def _mute(self, publication: Publication, by: MutedBy) -> Events:
        if publication.muted_by is not None:
            return []
        self._publications[publication.id] = muted = replace(publication, muted_by=by)
        return [PublicationMuted(muted)]

    def _put(self, peer: Peer) -> Peer:
        self._peers[peer.id] = peer
        return peer
