"""Who receives which publications in a session: the subscriptions there are, by peer and publication."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from signaling.domain.publication import Subscription


class Subscriptions(Mapping[tuple[str, str], Subscription]):
    """By (peer id, publication id). Only the session changes it."""

    def __init__(self) -> None:
        self._by_peer: dict[str, dict[str, Subscription]] = {}

    def __getitem__(self, key: tuple[str, str]) -> Subscription:
        peer_id, publication_id = key
        return self._by_peer.get(peer_id, {})[publication_id]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((peer_id, one) for peer_id, own in self._by_peer.items() for one in own)

    def __len__(self) -> int:
        return sum(map(len, self._by_peer.values()))

    def of(self, peer_id: str) -> Mapping[str, Subscription]:
        """One peer's, by publication id."""
        return self._by_peer.get(peer_id, {})

    def put(self, subscription: Subscription) -> None:
        self._by_peer.setdefault(subscription.peer_id, {})[subscription.publication_id] = subscription

    def drop(self, peer_id: str, publication_id: str) -> Subscription | None:
        """What there was; dropping what is not there (any more) is nothing."""
        own = self._by_peer.get(peer_id, {})
        dropped = own.pop(publication_id, None)
        if not own:
            self._by_peer.pop(peer_id, None)
        return dropped

    def drop_each(self, peer_id: str, publication_ids: Iterable[str]) -> list[str]:
        """Those that were there, each once."""
        return [one for one in publication_ids if self.drop(peer_id, one) is not None]

    def drop_peer(self, peer_id: str) -> None:
        self._by_peer.pop(peer_id, None)

    def drop_publication(self, publication_id: str) -> None:
        for peer_id in list(self._by_peer):
            self.drop(peer_id, publication_id)
