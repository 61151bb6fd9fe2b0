"""What lasts of a WHIP or WHEP request: sessions under ids that cannot be guessed, and their limits."""

from __future__ import annotations

import secrets
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from signaling.errors import LimitExceededError, NotFoundError, RateLimitedError
from signaling.protocol.offer import OfferedLine
from signaling.services.bucket import TokenBucket
from signaling.services.live.ports import Direction

MAX_PER_PARTICIPANT: Final = 64
"""Sessions of one participant at a time. A viewer's token may be in many players."""
RATE: Final = 5.0
BURST: Final = 60
"""Requests of one participant: per second in the long run, and at once."""
_MAX_BUCKETS: Final = 10_000


@dataclass(slots=True)
class HttpSession:
    """`etag` names the generation of ICE credentials. `line` is the first m-line: what restarts refer to."""

    id: str
    direction: Direction
    participant_id: str
    peer_id: str
    etag: str
    line: OfferedLine

    def to_note(self) -> str:
        return _as_json.dump_json(self).decode()

    @classmethod
    def from_note(cls, text: str) -> HttpSession:
        """Raises `ValueError`."""
        return _as_json.validate_json(text)

    def renew_etag(self) -> None:
        self.etag = new_etag()


_as_json: Final = TypeAdapter(HttpSession)


def new_etag() -> str:
    return secrets.token_urlsafe(9)


class HttpSessions:
    """All of this process."""

    def __init__(self) -> None:
        self._sessions: dict[str, HttpSession] = {}
        self._of_peer: dict[str, str] = {}
        self._of_participant: defaultdict[str, set[str]] = defaultdict(set)
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def take_turn(self, participant_id: str, now: float) -> None:
        """Raises `RateLimitedError` when a participant asks too often."""
        bucket = self._buckets.pop(participant_id, None) or TokenBucket(RATE, BURST, now)
        self._buckets[participant_id] = bucket
        if len(self._buckets) > _MAX_BUCKETS:
            self._buckets.popitem(last=False)
        if not bucket.take(now):
            raise RateLimitedError

    def check_room(self, participant_id: str) -> None:
        """Raises `LimitExceededError` when a participant has as many as it may."""
        if len(self._of_participant.get(participant_id, ())) >= MAX_PER_PARTICIPANT:
            raise LimitExceededError(f"A participant has at most {MAX_PER_PARTICIPANT} sessions over HTTP.")

    def open(
        self, *, direction: Direction, participant_id: str, peer_id: str, line: OfferedLine
    ) -> HttpSession:
        session = HttpSession(secrets.token_urlsafe(24), direction, participant_id, peer_id, new_etag(), line)
        self.add(session)
        return session

    def add(self, session: HttpSession) -> None:
        self._sessions[session.id] = session
        self._of_peer[session.peer_id] = session.id
        self._of_participant[session.participant_id].add(session.id)

    def get(self, session_id: str, direction: Direction, participant_id: str) -> HttpSession:
        """Raises `NotFoundError`, also for somebody else's."""
        session = self._sessions.get(session_id)
        if session is None or session.direction != direction or session.participant_id != participant_id:
            raise NotFoundError("There is no such session, or it has ended. Begin another.")
        return session

    def of_participant(self, participant_id: str, direction: Direction) -> list[HttpSession]:
        sessions = (self._sessions[one] for one in self._of_participant.get(participant_id, ()))
        return [session for session in sessions if session.direction == direction]

    def forget(self, peer_id: str) -> None:
        """The peer left, for whatever reason."""
        session_id = self._of_peer.pop(peer_id, None)
        if session_id is None:
            return
        session = self._sessions.pop(session_id)
        of_participant = self._of_participant[session.participant_id]
        of_participant.discard(session_id)
        if not of_participant:
            del self._of_participant[session.participant_id]
