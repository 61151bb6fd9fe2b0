"""The waiting room of a session: who waits to be admitted, and who need not. Pure.

                 must wait               admit: a moderator, the organization, or nothing keeps them any more
        NONE ───────────────▶ WAITING ─────────────▶ ACCEPTED
          ▲                    │   │
          └────────────────────┘   └───────────────▶ REJECTED
        leaves, loses the socket          deny

Whether somebody must wait, by the type of their preset, by whether somebody is in who may admit others, and
by whether they were admitted in this session before (and not put out since):

    type                        nobody may admit   somebody may    was admitted before
    SKIP                        in                 in              in
    ON_PRIVILEGED_USER_ENTRY    waits              in              as if not
    SKIP_ON_ACCEPT              waits              waits           in

With a lobby everybody waits as with SKIP_ON_ACCEPT, whatever the preset says. Nobody ever waits who may admit
others (else nobody could begin), nor recorders and other hidden participants: the moderators are not told of
them. What a client says of itself, such as that it is a bot, changes nothing.

Who waits is in none of the session's books: no peer, no transport, no place taken. A process that takes the
session over knows who was admitted before, not who waited: they have lost their sockets, and come again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from signaling.domain.errors import LimitExceededError, NotFoundError, WaitingRoomFullError
from signaling.domain.peer import Peer
from signaling.domain.permission import unseen
from signaling.domain.preset import Preset, WaitingRoomType
from signaling.domain.stage import initial_status
from signaling.domain.tracked import Tracked

MAX_WAITING: Final = 1000
"""In one session at a time."""
MAX_WAITING_EACH: Final = 10
"""Of one participant, so that nobody fills the room alone."""
MAX_REMEMBERED: Final = 10_000
"""Participants that were admitted; of more the first are forgotten, and wait again when they come again."""


def must_wait(preset: Preset, *, lobby: bool, moderated: bool, admitted: bool) -> bool:
    """`moderated`: somebody is in who may admit others. `admitted`: they were before, in this session."""
    permissions = preset.permissions
    if permissions.accept_waiting_requests or unseen(preset):
        return False
    match WaitingRoomType.SKIP_ON_ACCEPT if lobby else permissions.waiting_room_type:
        case WaitingRoomType.SKIP:
            return False
        case WaitingRoomType.ON_PRIVILEGED_USER_ENTRY:
            return not moderated
        case WaitingRoomType.SKIP_ON_ACCEPT:
            return not admitted


class WaitingRoom:
    """In the order of coming. `admitted`: the ids of participants, for looking."""

    def __init__(self) -> None:
        self._waiting: dict[str, Peer] = {}
        self.admitted: Tracked[str, bool] = Tracked()

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Peer]:
        return iter(list(self._waiting.values()))

    def __contains__(self, peer_id: str) -> bool:
        return peer_id in self._waiting

    def resume(self, admitted: Iterable[str]) -> None:
        """What another process remembered."""
        for participant_id in admitted:
            self.admitted[participant_id] = True

    def keeps(self, peer: Peer, *, lobby: bool, moderated: bool) -> bool:
        """Whether the peer must wait. `moderated`: somebody is in who may admit others."""
        admitted = peer.participant_id in self.admitted
        return must_wait(peer.preset, lobby=lobby, moderated=moderated, admitted=admitted)

    def peer(self, peer_id: str) -> Peer:
        """Raises `NotFoundError` for one that does not wait (any more)."""
        found = self._waiting.get(peer_id)
        if found is None:
            raise NotFoundError(f"Nobody waits as {peer_id!r}. They were admitted, or have gone.")
        return found

    def put(self, peer: Peer) -> None:
        """Another one waits; or what is known of one who does has changed. Raises `WaitingRoomFullError`, and
        `LimitExceededError` where its participant waits often enough."""
        if peer.id not in self._waiting:
            self._check_room(peer)
        self._waiting[peer.id] = replace(peer, status=initial_status(peer.preset))

    def _check_room(self, peer: Peer) -> None:
        if len(self._waiting) >= MAX_WAITING:
            raise WaitingRoomFullError
        theirs = sum(one.participant_id == peer.participant_id for one in self._waiting.values())
        if theirs >= MAX_WAITING_EACH:
            raise LimitExceededError(f"You wait {MAX_WAITING_EACH} times already. Close another tab first.")

    def accept(self, peer_id: str) -> Peer:
        """They are in from now on, and need not wait again."""
        peer = self._waiting.pop(peer_id)
        self.admitted[peer.participant_id] = True
        if len(self.admitted) > MAX_REMEMBERED:
            del self.admitted[next(iter(self.admitted))]
        return peer

    def drop(self, peer_id: str) -> Peer:
        """They wait no longer, and are not in."""
        return self._waiting.pop(peer_id)

    def forget(self, participant_id: str) -> None:
        """They were put out: whoever comes again waits again."""
        self.admitted.drop(participant_id)
