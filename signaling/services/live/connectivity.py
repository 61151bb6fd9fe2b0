"""The STUN and TURN servers that a session's peers are given, and given anew before their credentials expire.

A credential outlives its half-life only in the hands of a peer that is away: who is connected gets another by
an event when half of the time is over, who comes back gets one with the answer to its resume.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signaling.protocol import messages
from signaling.services.live.ports import IceServerOffer, IceServers
from signaling.services.ports import Clock

if TYPE_CHECKING:
    from signaling.services.live.session import LiveSession


class Connectivity:
    """`participant_id` decides whose quota at the TURN server is used, `peer_id` who is told."""

    def __init__(self, servers: IceServers | None, clock: Clock) -> None:
        self._servers = servers
        self._clock = clock
        self._renew_at: dict[str, float] = {}
        """Peer id -> monotonic time."""

    def give(self, peer_id: str, participant_id: str) -> IceServerOffer:
        if self._servers is None:
            return IceServerOffer((), None)
        offer = self._servers.offer(participant_id, self._clock.now())
        if offer.ttl is not None:
            self._renew_at[peer_id] = self._clock.monotonic() + offer.ttl / 2
        return offer

    def due(self) -> list[str]:
        """Whose credentials are past their half-life."""
        now = self._clock.monotonic()
        return [peer_id for peer_id, at in self._renew_at.items() if now >= at]

    def forget(self, peer_id: str) -> None:
        """The peer left, or is away and gets its own when it is back."""
        self._renew_at.pop(peer_id, None)


async def get_ice_servers(
    live: LiveSession, peer_id: str, _request: messages.GetIceServers
) -> messages.IceServersGiven:
    offer = live.connectivity.give(peer_id, live.session.peer(peer_id).participant_id)
    return messages.IceServersGiven(ice_servers=offer.servers, ttl=offer.ttl)
