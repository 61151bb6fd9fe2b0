"""Who is in a session at the moment: how many count, whether one more has room, who may admit others, and who
has been away for too long. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from signaling.domain.errors import MeetingFullError, NotJoinedError
from signaling.domain.peer import Peer


class Presence:
    """Looks at a session's peers, and changes none of them."""

    def __init__(self, peers: Mapping[str, Peer]) -> None:
        self._peers = peers

    def peer(self, peer_id: str) -> Peer:
        """Raises `NotJoinedError`."""
        peer = self._peers.get(peer_id)
        if peer is None:
            raise NotJoinedError
        return peer

    def tabs_of(self, participant_id: str) -> list[Peer]:
        """One participant's peers, in the order of joining."""
        return [peer for peer in self._peers.values() if peer.participant_id == participant_id]

    def as_in_other_tabs(self, peer: Peer) -> Peer:
        """One that comes, with what was changed of its participant's permissions: another tab is no way
        around."""
        for one in self.tabs_of(peer.participant_id):
            if one.changed_from == peer.preset:
                return replace(peer.under(one.preset), changed_from=one.changed_from)
        return peer

    # --- counting --------------------------------------------------------------------------------------

    @property
    def counted(self) -> int:
        """How many peers count."""
        return sum(peer.counted for peer in self._peers.values())

    def check_room(self, peer: Peer, most: int | None) -> None:
        """Raises `MeetingFullError`. Who does not count takes no room; `most` None: there is always some."""
        if most is not None and peer.counted and self.counted >= most:
            raise MeetingFullError

    # --- admitting -------------------------------------------------------------------------------------

    @property
    def admitters(self) -> list[Peer]:
        """Who may let in those that wait. An encoder of theirs does not look after anybody."""
        return [peer for peer in self._peers.values() if peer.admits and not peer.over_http]

    @property
    def moderated(self) -> bool:
        """Asked with every join: the first of them is enough."""
        return any(peer.admits and not peer.over_http for peer in self._peers.values())

    # --- being away ------------------------------------------------------------------------------------

    def overdue(self, now: float, resume_within: float) -> list[Peer]:
        """Detached peers whose time to resume is over; seconds, on the monotonic clock."""
        return [
            peer
            for peer in self._peers.values()
            if peer.detached_at is not None and now - peer.detached_at >= resume_within
        ]
