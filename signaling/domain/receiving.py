"""What the peers of a session receive: to what they may subscribe, to what they do, and how many videos.

Part of the session's aggregate (`signaling.domain.session`): it checks, changes the subscriptions, and
returns what happened.

A peer receives so many videos at once as `max_video_streams` of its preset says for its device. Every video
that is subscribed to counts, paused or not; shared screens have a limit of their own where they are
published. A player that came over HTTP shows one video, so those of one participant are limited together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from signaling.domain.errors import InvalidInputError, NotFoundError, PermissionDenied
from signaling.domain.events import Events, SubscriptionEnded
from signaling.domain.peer import Peer
from signaling.domain.presence import Presence
from signaling.domain.publication import EndReason, Publication, Subscription
from signaling.domain.subscriptions import Subscriptions


class Receiving:
    def __init__(
        self, presence: Presence, publications: Mapping[str, Publication], subscriptions: Subscriptions
    ) -> None:
        self._presence = presence
        self._publications = publications
        self._subscriptions = subscriptions

    # --- subscribing -----------------------------------------------------------------------------------

    def check_subscribe(self, peer_id: str, publication_id: str) -> Publication:
        """The publication, if this peer may receive it now.

        Raises `NotFoundError` for what is not there, `InvalidInputError` for one's own, `PermissionDenied`
        where its owner may not publish it. (The last cannot happen while the session keeps its promise.)
        """
        self._presence.peer(peer_id)
        publication = self._publications.get(publication_id)
        if publication is None:
            raise NotFoundError.of("publication", publication_id)
        if publication.peer_id == peer_id:
            raise InvalidInputError("Nobody subscribes to their own publications.", field="publication_id")
        if not self._presence.peer(publication.peer_id).may_publish(publication.source, publication.kind):
            raise PermissionDenied("Its owner may not publish this any more.")
        return publication

    def subscribe(self, subscriptions: Iterable[Subscription]) -> None:
        """Adds checked subscriptions, now that the node has accepted them."""
        for one in subscriptions:
            self._subscriptions.put(one)

    def subscription(self, peer_id: str, publication_id: str) -> Subscription:
        """Raises `NotJoinedError`, and `NotFoundError` for what the peer does not subscribe to."""
        self._presence.peer(peer_id)
        found = self._subscriptions.get((peer_id, publication_id))
        if found is None:
            raise NotFoundError.of("subscription to publication", publication_id)
        return found

    def change(self, changed: Subscription) -> None:
        """Raises what `subscription` raises."""
        self.subscription(changed.peer_id, changed.publication_id)
        self._subscriptions.put(changed)

    def unsubscribe(self, peer_id: str, publication_ids: Iterable[str]) -> list[str]:
        """Those that were subscribed; what is not (any more) is passed over."""
        self._presence.peer(peer_id)
        return self._subscriptions.drop_each(peer_id, publication_ids)

    def lose(self, peer_id: str, publication_id: str, reason: EndReason) -> Events:
        """It ended without the peer's asking, for example because the client cannot decode the codec."""
        lost = self._subscriptions.drop(peer_id, publication_id)
        return [] if lost is None else [SubscriptionEnded(lost, reason)]

    def lose_all(self, peer_id: str) -> None:
        """The peer's subscribe connection failed, and every subscription with it."""
        self._subscriptions.drop_peer(peer_id)

    # --- how many videos -------------------------------------------------------------------------------

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
        return [one.id for one in self._presence.tabs_of(peer.participant_id) if one.over_http]
