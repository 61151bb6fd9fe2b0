"""What is published in a session, by id, as it was published: the oldest first."""

from __future__ import annotations

from signaling.domain.errors import NotFoundError
from signaling.domain.publication import Publication
from signaling.domain.tracked import Tracked


class Publications(Tracked[str, Publication]):
    """Only the session changes it."""

    @property
    def screens(self) -> int:
        """How many screens are shared."""
        return sum(one.is_screen for one in self.values())

    def of(self, peer_id: str) -> list[Publication]:
        return [one for one in self.values() if one.peer_id == peer_id]

    def own(self, peer_id: str, publication_id: str) -> Publication:
        """One that this peer may speak of as its own. Raises `NotFoundError`."""
        publication = self.get(publication_id)
        if publication is None or publication.peer_id != peer_id:
            raise NotFoundError.of("publication of yours", publication_id)
        return publication
