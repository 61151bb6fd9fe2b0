"""Whom of a session an action is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from signaling.domain.peer import Peer


@dataclass(frozen=True, slots=True)
class Targets:
    """Those who are named by any of their ids; with `everybody` all but those whose ids are in `exclude`."""

    participant_ids: tuple[str, ...] = ()
    custom_participant_ids: tuple[str, ...] = ()
    peer_ids: tuple[str, ...] = ()
    everybody: bool = False
    exclude: tuple[str, ...] = ()
    """Participant, custom or peer ids."""

    @property
    def nobody(self) -> bool:
        """Whether it names nobody at all."""
        return not (self.everybody or self.participant_ids or self.custom_participant_ids or self.peer_ids)

    def among(self, peers: Iterable[Peer]) -> list[Peer]:
        """In their order. Who is named by what they are to the organization is meant with all their peers."""
        named, custom, exact = (
            set(self.participant_ids),
            set(self.custom_participant_ids),
            set(self.peer_ids),
        )
        excluded = set(self.exclude)
        return [
            peer
            for peer in peers
            if not excluded & {peer.id, peer.participant_id, peer.custom_participant_id}
            and (
                self.everybody
                or peer.participant_id in named
                or peer.custom_participant_id in custom
                or peer.id in exact
            )
        ]
