"""Carries events to peers, whichever socket speaks for them at the moment, or none.

Each peer has a mailbox that numbers its events. A socket attaches with the number it saw last and gets what
came after: a join with the number in its result, a resume with the number the client names. Only the latest
socket counts; an older one is closed and can detach nobody.

Implements `signaling.services.live.ports.PeerHub`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from signaling.errors import ResumeRefusedError
from signaling.protocol.closing import CloseCode
from signaling.protocol.envelope import event_frame, event_text
from signaling.protocol.mailbox import Mailbox
from signaling.protocol.messages import AnyEvent
from signaling.protocol.peer import PeerMove, PeerProtocol, PeerState


class Socket(Protocol):
    """What the hub needs of a connection. Neither call waits nor raises."""

    def push(self, text: str) -> None: ...
    def finish(self, code: CloseCode) -> None: ...


@dataclass(slots=True)
class _Entry:
    mailbox: Mailbox
    protocol: PeerProtocol = field(default_factory=PeerProtocol)
    socket: Socket | None = None
    awaited: bool = True
    """A socket was promised (join, resume) and has not attached yet."""
    closed: CloseCode | None = None


class WsHub:
    """All peers of this process."""

    def __init__(self, new_mailbox: Callable[[int], Mailbox] = Mailbox) -> None:
        self._entries: dict[str, _Entry] = {}
        self._new_mailbox = new_mailbox

    # --- for the services (PeerHub) --------------------------------------------------------------------

    def open(self, peer_id: str, after_seq: int = 0, *, waits: bool = False) -> None:
        entry = _Entry(self._new_mailbox(after_seq))
        entry.protocol.handle(PeerMove.WAIT if waits else PeerMove.JOIN)
        self._entries[peer_id] = entry

    def admit(self, peer_id: str) -> None:
        entry = self._entries[peer_id]
        entry.protocol.handle(PeerMove.ADMIT)
        if entry.socket is None and not entry.awaited:
            entry.protocol.handle(PeerMove.DETACH)  # it is lost, and its detaching is on its way

    def seq(self, peer_id: str) -> int:
        return self._entries[peer_id].mailbox.seq

    def missed(self, peer_id: str, last_seq: int) -> int:
        entry = self._entries.get(peer_id)
        if entry is None:
            raise ResumeRefusedError
        missed = len(entry.mailbox.since(last_seq))
        entry.awaited = True
        return missed

    def send(self, peer_ids: Iterable[str], event: AnyEvent) -> None:
        """Printed once, whoever hears it."""
        text = event_text(event)
        for peer_id in peer_ids:
            entry = self._entries.get(peer_id)
            if entry is None:
                continue
            seq = entry.mailbox.put(text)
            if entry.socket is not None:
                entry.socket.push(event_frame(seq, text))

    def close(self, peer_id: str, code: CloseCode) -> None:
        entry = self._entries.get(peer_id)
        if entry is None or entry.closed is not None:
            return
        entry.closed = code
        entry.protocol.handle(PeerMove.LEAVE)
        if entry.socket is not None:
            entry.socket.finish(code)
        if not entry.awaited:
            del self._entries[peer_id]

    # --- for the sockets -------------------------------------------------------------------------------

    def attach(self, peer_id: str, socket: Socket, after_seq: int) -> PeerProtocol:
        """The socket speaks for the peer from now on, and gets every event after that number.

        Raises `ResumeRefusedError` when the peer is gone for good or the events are.
        """
        entry = self._entries.get(peer_id)
        if entry is None:
            raise ResumeRefusedError
        frames = [event_frame(seq, text) for seq, text in entry.mailbox.since(after_seq)]
        older, entry.socket, entry.awaited = entry.socket, socket, False
        if older is not None:
            older.finish(CloseCode.REPLACED)
            if entry.closed is None:
                entry.protocol.handle(PeerMove.DETACH)
        if entry.protocol.state is PeerState.DETACHED:
            entry.protocol.handle(PeerMove.RESUME)
        for frame in frames:
            socket.push(frame)
        if entry.closed is not None:
            socket.finish(entry.closed)
            del self._entries[peer_id]
        return entry.protocol

    def detach(self, peer_id: str, socket: Socket) -> bool:
        """The socket is gone. False if it had not been the peer's any more."""
        entry = self._entries.get(peer_id)
        if entry is None or entry.socket is not socket:
            return False
        entry.socket = None
        if entry.closed is not None:
            return False
        if entry.protocol.state is not PeerState.WAITING:  # else there is nothing to come back to
            entry.protocol.handle(PeerMove.DETACH)
        return True
