"""How many videos a peer receives at once: the preset's `max_video_streams` for its device. Pure.

Every video that is subscribed to counts, paused or not; shared screens have a limit of their own where they
are published. A player that came over HTTP shows one video, so those of one participant are limited together.
"""

from __future__ import annotations

from collections.abc import Mapping

from signaling.domain.peer import Peer
from signaling.domain.publication import Publication
from signaling.domain.subscriptions import Subscriptions


class Receiving:
    """Looks at a session's peers, publications and subscriptions, and changes none of them."""

    def __init__(
        self, peers: Mapping[str, Peer], publications: Mapping[str, Publication], subscriptions: Subscriptions
    ) -> None:
        self._peers = peers
        self._publications = publications
        self._subscriptions = subscriptions

    def room(self, peer: Peer) -> int:
        """How many more videos it may receive; below zero where its preset has come to allow fewer."""
        return peer.max_videos - sum(len(self._videos(each)) for each in self._limited_together(peer))

    def beyond(self, peer: Peer) -> list[str]:
        """The publications that it receives and may not any more, those it began with last."""
        over = -self.room(peer)
        return self._videos(peer.id)[-over:] if over > 0 else []

    def counts(self, publication: Publication) -> bool:
        return publication.kind == "video" and not publication.is_screen

    def _videos(self, peer_id: str) -> list[str]:
        return [one for one in self._subscriptions.of(peer_id) if self.counts(self._publications[one])]

    def _limited_together(self, peer: Peer) -> list[str]:
        if not peer.over_http:
            return [peer.id]
        return [
            one.id
            for one in self._peers.values()
            if one.over_http and one.participant_id == peer.participant_id
        ]
