"""Until when peers may stay that came with a client token: they send another one in time, or are put out."""

from __future__ import annotations

from datetime import datetime

from signaling.domain.participant import ParticipantClaims
from signaling.errors import InvalidTokenError
from signaling.protocol import messages
from signaling.services.admission import admit
from signaling.services.live.session import LiveSession
from signaling.services.live.surroundings import Surroundings
from signaling.services.ports import Tokens
from signaling.services.token_participants import make_participant


class TokenExpiry:
    """By peer id. Who is not here stays for as long as the session does. All but `due` and `forget` is done
    in the session's owner."""

    def __init__(self, around: Surroundings, tokens: Tokens) -> None:
        self._around = around
        self._tokens = tokens
        self._until: dict[str, datetime] = {}

    def begin(self, live: LiveSession, peer_id: str, claims: ParticipantClaims) -> None:
        """The peer joined with that token."""
        if claims.guest is not None:
            self._put(live, peer_id, claims.expires_at)

    def admitted(self, live: LiveSession, peer_id: str) -> None:
        """The peer has waited, and is in."""
        until = self._until.get(peer_id)
        if until is not None:
            self._put(live, peer_id, until)

    def resume(self, live: LiveSession, noted: dict[str, str]) -> None:
        """What another process noted of the session's peers."""
        for peer_id, until in noted.items():
            self._put(live, peer_id, datetime.fromisoformat(until))

    async def update(self, live: LiveSession, peer_id: str, request: messages.UpdateToken) -> messages.Empty:
        """Raises `InvalidTokenError`, also for somebody else's, and what a token is refused for at a join."""
        claims = self._tokens.verify(request.token)
        own = (live.meeting.id, live.session.peer_or_waiting(peer_id).participant_id)
        if (claims.meeting_id, claims.participant_id) != own:
            raise InvalidTokenError("The token is not of this participant in this meeting.")
        if claims.guest is not None:
            await make_participant(self._around.uow, self._around.clock, claims.guest, None)
        await admit(self._around.uow, claims)
        self.begin(live, peer_id, claims)
        return messages.Empty()

    def due(self) -> list[str]:
        """Whose token is over."""
        now = self._around.clock.now()
        return [peer_id for peer_id, until in self._until.items() if until <= now]

    def forget(self, peer_id: str) -> None:
        self._until.pop(peer_id, None)

    def _put(self, live: LiveSession, peer_id: str, until: datetime) -> None:
        self._until[peer_id] = until
        if peer_id in live.session.peers:  # who waits is not taken over
            live.notebook.put("until", peer_id, until.isoformat())
