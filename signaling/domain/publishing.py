"""Whether sources may be published, decided for a whole request at once. Pure.

Permission and stage status come first, for every source; then what is taken already; then the limits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from signaling.domain.errors import (
    CensoredError,
    ConflictError,
    InvalidInputError,
    LimitExceededError,
    PermissionDenied,
)
from signaling.domain.peer import Peer
from signaling.domain.publication import MAX_PUBLICATIONS_PER_PEER, Announced, MutedBy, Publication


@dataclass(frozen=True, slots=True)
class PublishPlan:
    """What a publish would change: `kept` stays, `known` of it is asked for again, `new` is added."""

    peer: Peer
    kept: tuple[Publication, ...]
    known: tuple[Publication, ...]
    new: tuple[Publication, ...]


def plan(
    peer: Peer,
    own: Sequence[Publication],
    announced: Sequence[Announced],
    new_id: Callable[[], str],
    *,
    screens_shared: int,
) -> PublishPlan:
    """What the request comes to. `screens_shared` counts the whole session.

    The same source on the same m-line again is known already and stays. Raises `PermissionDenied`,
    `CensoredError`, `ConflictError` (the source or the m-line is taken), `LimitExceededError` or
    `InvalidInputError`.
    """
    _check_distinct(announced)
    known: list[Publication] = []
    new: list[Publication] = []
    for one in announced:
        _check_permitted(peer, one)
        same = _known(one, own)
        if same is not None:
            known.append(same)
        else:
            new.append(_new(one, peer, new_id()))
    _check_limits(peer, len(own) + len(new), sum(one.is_screen for one in new), screens_shared)
    return PublishPlan(peer, tuple(own), tuple(known), tuple(new))


def _new(announced: Announced, peer: Peer, publication_id: str) -> Publication:
    return Publication(
        publication_id,
        peer.id,
        announced.mid,
        announced.source,
        announced.kind,
        muted_by=MutedBy.OWNER if announced.muted else None,
        encrypted=announced.encrypted,
    )


def _check_distinct(announced: Sequence[Announced]) -> None:
    mids = {one.mid for one in announced}
    sources = {(one.source, one.kind) for one in announced}
    if len(mids) < len(announced) or len(sources) < len(announced):
        raise InvalidInputError("An m-line and a source occur once in a request.", field="publications")


def _check_permitted(peer: Peer, announced: Announced) -> None:
    if peer.is_censored(announced.source, announced.kind):
        raise CensoredError(f"A moderator has blocked your {announced.source}. Ask them to allow it again.")
    if not peer.may_publish(announced.source, announced.kind):
        raise PermissionDenied(
            f"You may not publish {announced.source!r} ({announced.kind}) while you are {peer.status}. "
            "Ask a host."
        )


def _known(announced: Announced, own: Sequence[Publication]) -> Publication | None:
    """The publication that this announces again. Raises `ConflictError` where it half matches another."""
    for one in own:
        same_source = (one.source, one.kind) == (announced.source, announced.kind)
        if same_source and one.mid == announced.mid:
            return one
        if same_source:
            raise ConflictError(f"{one.source!r} is published already, as {one.id}. Unpublish it first.")
        if one.mid == announced.mid:
            raise ConflictError(f"m-line {one.mid!r} carries {one.id} already.")
    return None


def _check_limits(peer: Peer, publications: int, new_screens: int, screens_shared: int) -> None:
    if publications > MAX_PUBLICATIONS_PER_PEER:
        raise LimitExceededError(f"A peer has at most {MAX_PUBLICATIONS_PER_PEER} publications.")
    most = peer.preset.config.max_screenshare_count
    if new_screens and screens_shared + new_screens > most:
        raise LimitExceededError(f"At most {most} screens are shared at once. Wait until one ends.")
