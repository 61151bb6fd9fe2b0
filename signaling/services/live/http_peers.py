"""Peers that come over HTTP alone: WHIP publishes (RFC 9725), WHEP watches (draft-ietf-wish-whep).

One POST with an offer makes a peer of the session, like any other in the roster and under the same preset and
stage. There are no events to it: `media_presence` says how long such a peer stays.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, TypeVar

from signaling.domain.events import LeaveReason
from signaling.domain.participant import ParticipantClaims
from signaling.domain.peer import Kind
from signaling.domain.publication import Announced, Subscription
from signaling.domain.viewing import Wanted
from signaling.errors import (
    ForbiddenError,
    InvalidInputError,
    LimitExceededError,
    NoActiveSessionError,
    NotAcceptableError,
    NotAdmittedError,
    NotFoundError,
    NotJoinedError,
    NotPublishedError,
    PreconditionFailedError,
    UnsupportedError,
)
from signaling.protocol import messages
from signaling.protocol.offer import OfferedLine, OfferError, read_offer
from signaling.protocol.sdpfrag import FragmentError, IceFragment, parse_fragment
from signaling.services.admission import Admission
from signaling.services.live import entering, media, waiting
from signaling.services.live.http_sessions import HttpSession, HttpSessions
from signaling.services.live.ports import Direction
from signaling.services.live.service import LiveService
from signaling.services.live.session import LiveSession
from signaling.services.live.viewing import View, wanted_now
from signaling.services.ports import Clock, Tokens

T = TypeVar("T")

SOURCES: Final[Mapping[str, Mapping[Kind, Sequence[str]]]] = {
    "camera": {"video": ("camera", "screen"), "audio": ("microphone", "screen_audio")},
    "screen": {"video": ("screen",), "audio": ("screen_audio",)},
}
"""What the first, second, ... m-line of a kind carries, by the source that a publisher names."""


@dataclass(frozen=True, slots=True)
class Opened:
    session: HttpSession
    answer: str
    ice_servers: tuple[messages.IceServer, ...]


@dataclass(frozen=True, slots=True)
class Restarted:
    session: HttpSession
    fragment: IceFragment


class HttpPeers:
    """Every call takes the participant's token, not verified yet."""

    def __init__(self, live: LiveService, tokens: Tokens, clock: Clock) -> None:
        self._live = live
        self._tokens = tokens
        self._clock = clock
        self._sessions = HttpSessions()
        live.on_peer_left(self._sessions.forget)
        live.on_http_restored(lambda _, text: self._sessions.add(HttpSession.from_note(text)))

    # --- beginning -------------------------------------------------------------------------------------

    async def publish(self, token: str, meeting_id: str, offer: str, source: str) -> Opened:
        """WHIP. Raises what a join and a publish over the WebSocket raise, and `UnsupportedError`,
        `InvalidInputError` for the offer, `RateLimitedError`, `LimitExceededError`."""
        claims = self._admit(token, meeting_id)
        lines = _read(offer)
        announced = announce(lines, source)
        await self._replace_lost(claims)
        return await self._live.enter(claims, partial(self._publish, offer, lines[0], announced))

    async def view(self, token: str, meeting_id: str, offer: str, wanted: Wanted) -> Opened:
        """WHEP. Raises `NotPublishedError` where there is nothing to watch yet, `NotAcceptableError` where
        the offer has no codec for it, and what `publish` raises for the rest."""
        claims = self._admit(token, meeting_id)
        lines = _read(offer)
        receiving: dict[Kind, str] = {}
        for line in lines:
            if line.receives:
                receiving.setdefault(line.kind, line.mid)
        if not receiving:
            raise InvalidInputError("The offer receives nothing. Offer recvonly m-lines.")
        try:
            await self._live.check_here(meeting_id)
        except NoActiveSessionError:
            raise NotPublishedError from None
        return await self._live.enter(claims, partial(self._view, offer, lines[0], receiving, wanted))

    # --- what lasts ------------------------------------------------------------------------------------

    async def trickle(self, token: str, session_id: str, direction: Direction, etag: str, text: str) -> None:
        """Candidates of the client. Raises `PreconditionFailedError` for those of former credentials."""
        session, fragment = self._session(token, session_id, direction), _fragment(text)
        if etag != session.etag:
            raise PreconditionFailedError

        async def work(live: LiveSession) -> None:
            for candidate in fragment.candidates:
                await live.media.handle_candidate(session.peer_id, direction, candidate)

        await self._within(session, work)

    async def restart(self, token: str, session_id: str, direction: Direction, text: str) -> Restarted:
        """New ICE credentials on both sides; a new etag names them."""
        session, fragment = self._session(token, session_id, direction), _fragment(text)
        ufrag, pwd = fragment.ufrag, fragment.pwd
        if ufrag is None or pwd is None:
            raise InvalidInputError("An ICE restart needs a=ice-ufrag and a=ice-pwd.")

        async def work(live: LiveSession) -> Restarted:
            ours = await live.media.handle_ice_restart(session.peer_id, direction, ufrag, pwd)
            session.renew_etag()
            live.notebook.put("http", session.peer_id, session.to_note())
            answer = IceFragment(ours.ufrag, ours.pwd, ours.candidates, end_of_candidates=True)
            return Restarted(session, answer)

        return await self._within(session, work)

    async def end(self, token: str, session_id: str, direction: Direction) -> None:
        session = self._session(token, session_id, direction)
        await self._within(session, lambda live: live.leave(session.peer_id, LeaveReason.LEFT))

    # --- in the owner ----------------------------------------------------------------------------------

    async def _publish(
        self,
        offer: str,
        line: OfferedLine,
        announced: Sequence[Announced],
        live: LiveSession,
        admission: Admission,
    ) -> Opened:
        peer_id = await self._join(live, admission, "whip")
        try:
            answer, _ = await media.publish_offer(live, peer_id, offer, announced)
        except BaseException:
            await live.leave(peer_id, LeaveReason.LEFT)
            raise
        return self._opened(live, admission, "publish", peer_id, line, answer)

    async def _view(
        self,
        offer: str,
        line: OfferedLine,
        receiving: dict[Kind, str],
        wanted: Wanted,
        live: LiveSession,
        admission: Admission,
    ) -> Opened:
        if not wanted_now(live, View("", wanted, receiving)):
            raise NotPublishedError
        peer_id = await self._join(live, admission, "whep")
        try:
            answer = await _begin_view(live, View(peer_id, wanted, receiving), offer)
        except BaseException:
            await live.leave(peer_id, LeaveReason.LEFT)
            raise
        return self._opened(live, admission, "subscribe", peer_id, line, answer)

    async def _join(self, live: LiveSession, admission: Admission, device: Literal["whip", "whep"]) -> str:
        peer = entering.arriving_over_http(live, admission.participant, admission.preset, device)
        if waiting.must_wait(live, peer):
            raise NotAdmittedError
        await entering.enter(live, peer)
        self._live.remember(peer.id, live)
        return peer.id

    def _opened(
        self,
        live: LiveSession,
        admission: Admission,
        direction: Direction,
        peer_id: str,
        line: OfferedLine,
        answer: str,
    ) -> Opened:
        participant_id = admission.participant.id
        session = self._sessions.open(
            direction=direction, participant_id=participant_id, peer_id=peer_id, line=line
        )
        live.notebook.put("http", peer_id, session.to_note())
        return Opened(session, answer, live.connectivity.give(peer_id, participant_id).servers)

    # --- inside ----------------------------------------------------------------------------------------

    def _admit(self, token: str, meeting_id: str) -> ParticipantClaims:
        """To begin something new."""
        claims = self._tokens.verify(token)
        if claims.meeting_id != meeting_id:
            raise ForbiddenError("This token is for another meeting. Use the URL of its meeting.")
        self._sessions.take_turn(claims.participant_id, self._clock.monotonic())
        self._sessions.check_room(claims.participant_id)
        return claims

    def _session(self, token: str, session_id: str, direction: Direction) -> HttpSession:
        claims = self._tokens.verify(token)
        self._sessions.take_turn(claims.participant_id, self._clock.monotonic())
        return self._sessions.get(session_id, direction, claims.participant_id)

    async def _within(self, session: HttpSession, work: Callable[[LiveSession], Awaitable[T]]) -> T:
        try:
            return await self._live.within(session.peer_id, work)
        except NotJoinedError:
            raise NotFoundError("The session has ended. Begin another.") from None

    async def _replace_lost(self, claims: ParticipantClaims) -> None:
        """An encoder that lost its connection begins anew under the same token: its former self goes."""
        for session in self._sessions.of_participant(claims.participant_id, "publish"):
            try:
                await self._within(session, partial(_leave_if_detached, session.peer_id))
            except NotFoundError:
                continue  # it went by itself


async def _leave_if_detached(peer_id: str, live: LiveSession) -> None:
    peer = live.session.peers.get(peer_id)
    if peer is not None and not peer.connected:
        await live.leave(peer_id, LeaveReason.LEFT)


async def _begin_view(live: LiveSession, view: View, offer: str) -> str:
    """The answer. Lines whose publication the client cannot decode are answered inactive, for good. Raises
    `LimitExceededError` where there is nothing but a video, and its participant receives all it may."""
    chosen = wanted_now(live, view)
    if not chosen:
        raise LimitExceededError("This participant receives as many videos as it may. End another player.")
    subscriptions = {view.lines[kind]: Subscription(view.peer_id, one.id) for kind, one in chosen.items()}
    for one in subscriptions.values():
        live.session.receiving.check_subscribe(view.peer_id, one.publication_id)
    try:
        answer = await live.media.view(view.peer_id, offer, subscriptions)
    except UnsupportedError:
        raise NotAcceptableError from None
    taken = [one for one in subscriptions.values() if one.publication_id not in answer.failed]
    if not taken:
        raise NotAcceptableError
    live.session.receiving.subscribe(taken)
    for kind, publication in chosen.items():
        if publication.id in answer.failed:
            del view.lines[kind]
        else:
            view.showing[kind] = publication.id
    live.views[view.peer_id] = view
    return answer.sdp


def announce(lines: Sequence[OfferedLine], source: str) -> tuple[Announced, ...]:
    """Which source each sending m-line carries, in order; lines beyond the known sources carry none.

    Raises `InvalidInputError` for an unknown source and for an offer that sends nothing.
    """
    if source not in SOURCES:
        raise InvalidInputError(f"source is one of {', '.join(SOURCES)}.", field="source")
    left = {kind: list(names) for kind, names in SOURCES[source].items()}
    announced = tuple(
        Announced(mid=line.mid, source=left[line.kind].pop(0), kind=line.kind)
        for line in lines
        if line.sends and left[line.kind]
    )
    if not announced:
        raise InvalidInputError("The offer sends nothing. Offer sendonly m-lines.")
    return announced


def _read(offer: str) -> tuple[OfferedLine, ...]:
    try:
        lines = read_offer(offer)
    except OfferError as error:
        raise InvalidInputError(f"The body is not an SDP offer: {error}.") from None
    if not lines:
        raise InvalidInputError("The offer has no audio or video m-line.")
    return lines


def _fragment(text: str) -> IceFragment:
    try:
        return parse_fragment(text)
    except FragmentError as error:
        raise InvalidInputError(f"The body is not an SDP fragment: {error}.") from None
