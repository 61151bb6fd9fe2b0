"""Peers of a session that move what they receive to another node, without a gap.

    STAYS --begin--> MOVING --finish (the client receives there)--> STAYS, at the other node
      ^                 |
      +----call_off-----+        by a change of what it receives, by time, by either node's end

While a peer is moving it has a subscribe transport on both nodes, and receives everything twice for a
moment. Its client builds the new connection beside the old one, and says when that one carries media.
Whatever changes what it receives calls the move off: the old connection goes on as if nothing had been.

A process that takes the session over has to know where a peer receives that has two connections to do so.
The finish of a move is noted before the old connection is closed, with the new transport's id; without a note
the peer is where it was. The number of the latest move is noted as well: no number comes twice, and a client
whose `subscribe_moved` was not answered may ask the next process.

Only what is received moves. It is nearly all of a node's work, and a publisher that moved would be heard by
everybody else as another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from pydantic import BaseModel, ConfigDict

from signaling.domain.publication import Subscription, Tile
from signaling.errors import NotFoundError, SignalingError
from signaling.nodes.media import NodeMedia
from signaling.nodes.parts import Parts
from signaling.nodes.reach import Reach

log = structlog.get_logger(__name__)

MOVE_WITHIN: Final = 10.0
"""Seconds a client has to receive over its new connection."""
LATEST: Final = "moves"
"""Under which the number of the session's latest move is noted."""

Note = Callable[[Mapping[str, str | None]], None]
"""Keeps notes where the media is, see `ports.MediaSession.note`."""


class MovedNote(BaseModel):
    """The last move of a peer that was finished: it receives by this transport."""

    model_config = ConfigDict(frozen=True)

    move: int
    transport_id: str


def moved_key(peer_id: str) -> str:
    return f"moved/{peer_id}"


def moved(notes: Mapping[str, str]) -> dict[str, MovedNote]:
    """By peer id, the last moves that are noted. Raises `ValueError` where that cannot be read."""
    kind = moved_key("")
    return {
        key.removeprefix(kind): MovedNote.model_validate_json(text)
        for key, text in notes.items()
        if key.startswith(kind)
    }


@dataclass(frozen=True, slots=True)
class Move:
    number: int
    to: NodeMedia


class Moves:
    def __init__(self, session_id: str, parts: Parts, reach: Reach, note: Note) -> None:
        self._session_id = session_id
        self._parts = parts
        self._reach = reach
        self._note = note
        self._moves: dict[str, Move] = {}
        """By peer id."""
        self._moved: dict[str, int] = {}
        """The number of each peer's last move that was finished: a client may have to ask twice."""
        self._unwilling: set[str] = set()
        """Peers that let a move pass. They are not asked again."""
        self._latest = 0

    def take(self, notes: Mapping[str, str], peer_ids: Collection[str]) -> None:
        """What is noted of a session that is taken over with these peers."""
        self._latest = int(notes.get(LATEST, 0))
        self._moved = {peer_id: one.move for peer_id, one in moved(notes).items() if peer_id in peer_ids}

    def of(self, peer_id: str) -> Move | None:
        return self._moves.get(peer_id)

    def to(self, node_id: str, peer_id: str) -> int | None:
        """The number of the move by which the peer is on its way to that node."""
        move = self._moves.get(peer_id)
        return move.number if move is not None and move.to.node_id == node_id else None

    def last_of(self, peer_id: str) -> int | None:
        """The number of the move by which the peer came to the connection that it receives by."""
        return self._moved.get(peer_id)

    def may_move(self, peer_id: str) -> bool:
        return peer_id not in self._moves and peer_id not in self._unwilling

    # --- a move ----------------------------------------------------------------------------------------

    async def begin(
        self, peer_id: str, node_id: str, subscriptions: Sequence[Subscription], tiles: Mapping[str, Tile]
    ) -> bool:
        """Whether the peer is moving now; an offer of its new transport follows."""
        before = self._parts.of(peer_id, "subscribe")
        if before is None or before.node_id == node_id or not self.may_move(peer_id):
            return False
        try:
            part = await self._parts.arrive(peer_id, node_id)
        except SignalingError as error:
            log.info("peer.not_moved", peer=peer_id, node=node_id, error=error.message)
            return False
        self._latest += 1
        self._note({LATEST: str(self._latest)})
        move = self._moves[peer_id] = Move(self._latest, part)
        try:
            whole = await self._subscribe_there(peer_id, part, subscriptions, tiles)
        except SignalingError as error:
            log.info("peer.not_moved", peer=peer_id, node=node_id, error=error.message)
            whole = False
        if not whole:
            await self.call_off(peer_id)
        return whole and self._moves.get(peer_id) is move

    async def _subscribe_there(
        self, peer_id: str, part: NodeMedia, subscriptions: Sequence[Subscription], tiles: Mapping[str, Tile]
    ) -> bool:
        """Whether all that it receives can be had there."""
        async with self._reach.changing:
            if await self._reach.bring_all(subscriptions, part):
                return False
            if await part.subscribe(peer_id, subscriptions):
                return False
        await part.set_tiles(peer_id, tiles)
        return True

    def number(self, peer_id: str, wanted: int) -> Move:
        """Raises `NotFoundError` for a move that is over."""
        move = self._moves.get(peer_id)
        if move is None or move.number != wanted:
            raise NotFoundError("This move was called off. Go on with the connection that you have.")
        return move

    async def finish(self, peer_id: str, number: int) -> NodeMedia | None:
        """The client receives over the new connection: the part that it left, None where it did before.

        Raises `NotFoundError` when the move was called off.
        """
        if self._moved.get(peer_id) == number:
            return None
        move = self.number(peer_id, number)
        before = self._parts.of(peer_id, "subscribe")
        del self._moves[peer_id]
        self._parts.moved(peer_id)
        self._moved[peer_id] = number
        transport_id = move.to.names.transports[peer_id, "subscribe"].id
        self._note({moved_key(peer_id): MovedNote(move=number, transport_id=transport_id).model_dump_json()})
        log.info("peer.moved", session=self._session_id, peer=peer_id)
        if before is not None:
            await before.close_transport(peer_id, "subscribe")
            await self._reach.drop_unwanted(before)
        return before

    async def call_off(self, peer_id: str) -> bool:
        """Whether it was moving. Nothing of it is left at the other node then."""
        move = self._moves.pop(peer_id, None)
        if move is None:
            return False
        self._parts.stay(peer_id)
        log.info("peer.stays", session=self._session_id, peer=peer_id)
        await move.to.close_transport(peer_id, "subscribe")
        await self._reach.drop_unwanted(move.to)
        return True

    async def expire(self, peer_id: str) -> bool:
        """`call_off` after `MOVE_WITHIN`, unless it was finished by then. Whether it came to that."""
        move = self._moves.get(peer_id)
        await asyncio.sleep(MOVE_WITHIN)
        if move is None or self._moves.get(peer_id) is not move:
            return False
        log.info("peer.did_not_move", session=self._session_id, peer=peer_id)
        self._unwilling.add(peer_id)
        return await self.call_off(peer_id)

    # --- ends ------------------------------------------------------------------------------------------

    def forget(self, peer_id: str) -> None:
        """The peer is out, or lost its place: nothing of its move is to be kept or closed here."""
        self._moves.pop(peer_id, None)
        if self._moved.pop(peer_id, None) is not None:
            self._note({moved_key(peer_id): None})
        self._unwilling.discard(peer_id)

    def lose(self, node_id: str) -> None:
        """A node is gone: who was moving there stays."""
        for peer_id in [one for one, move in self._moves.items() if move.to.node_id == node_id]:
            del self._moves[peer_id]
            self._parts.stay(peer_id)
