"""Requests about media: publish, subscribe, and what changes either.

The session decides whether it may be; then the node is asked; only what the node accepted becomes part of the
session. Runs in the session's owner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from signaling.domain.publication import Announced, Layer, Publication, Subscription, Tile, grants_of
from signaling.domain.session import PublishPlan
from signaling.errors import LimitExceededError, MediaUnavailableError, SignalingError, UnsupportedError
from signaling.ids import new_id
from signaling.protocol import messages
from signaling.services.live.ports import Answer
from signaling.services.live.render import error_dict
from signaling.services.live.session import LiveSession

_EMPTY = messages.Empty()


# --- publishing ----------------------------------------------------------------------------------------


async def publish(live: LiveSession, peer_id: str, request: messages.Publish) -> messages.Published:
    announced = [
        Announced(one.mid, one.source, one.kind, muted=one.muted, encrypted=one.encrypted)
        for one in request.publications
    ]
    answer, publications = await publish_offer(live, peer_id, request.offer, announced)
    return messages.Published(answer=answer, publications=tuple(_item(one) for one in publications))


async def publish_offer(
    live: LiveSession, peer_id: str, offer: str, announced: Sequence[Announced]
) -> tuple[str, tuple[Publication, ...]]:
    """The answer, and what was announced as it is published now."""
    plan = live.session.plan_publish(peer_id, announced, lambda: new_id("pub"))
    media = live.media
    grants = grants_of(plan.peer, (*plan.kept, *plan.new))
    answer = await media.handle_offer(peer_id, offer, grants, plan.kept, plan.new)
    accepted = await _accepted(live, plan, answer)
    await live.carry_out(live.session.publish(accepted))
    return answer.sdp, (*plan.known, *accepted)


async def _accepted(live: LiveSession, plan: PublishPlan, answer: Answer) -> list[Publication]:
    """All of the new ones, as negotiated; if one of them was not accepted, none is kept."""
    refused = [one.source for one in plan.new if one.id not in answer.publications]
    if refused:
        await live.media.end_publications([one.id for one in plan.new])
        raise UnsupportedError(f"The offer has no m-line or no codec in common for {', '.join(refused)}.")
    return [
        replace(
            one,
            codec=answer.publications[one.id].codec,
            encodings=answer.publications[one.id].encodings,
        )
        for one in plan.new
    ]


def _item(publication: Publication) -> messages.PublishedItem:
    return messages.PublishedItem(
        mid=publication.mid,
        publication_id=publication.id,
        source=publication.source,
        codec=publication.codec,
        encodings=publication.encodings,
    )


async def unpublish(live: LiveSession, peer_id: str, request: messages.Unpublish) -> messages.Empty:
    await live.carry_out(live.session.unpublish(peer_id, request.publication_ids))
    return _EMPTY


async def mute(live: LiveSession, peer_id: str, request: messages.Mute) -> messages.Empty:
    await live.carry_out(live.session.muting.mute(peer_id, request.publication_id))
    return _EMPTY


async def unmute(live: LiveSession, peer_id: str, request: messages.Unmute) -> messages.Empty:
    await live.carry_out(live.session.muting.unmute(peer_id, request.publication_id))
    return _EMPTY


# --- subscribing ---------------------------------------------------------------------------------------


async def subscribe(live: LiveSession, peer_id: str, request: messages.Subscribe) -> messages.Subscribed:
    """Each one on its own: what fails does not keep the others from it. Videos for which there is no room
    are refused, in the order of the request."""
    errors: dict[str, dict[str, object]] = {}
    wanted: dict[str, Subscription] = {}
    room = live.session.receiving.room(live.session.peer(peer_id))
    for spec in request.subscriptions:
        try:
            publication = live.session.receiving.check_subscribe(peer_id, spec.publication_id)
            if _takes_room(live, peer_id, publication) and spec.publication_id not in wanted:
                if room <= 0:
                    raise _no_room(live, peer_id)
                room -= 1
        except SignalingError as error:
            errors[spec.publication_id] = error_dict(error)
        else:
            wanted[spec.publication_id] = _subscription(peer_id, spec)
    await _change_existing(live, wanted)
    new = [one for key, one in wanted.items() if (peer_id, key) not in live.session.subscriptions]
    failed = await live.media.subscribe(peer_id, new) if new else {}
    live.session.receiving.subscribe(one for one in new if one.publication_id not in failed)
    for publication_id, code in failed.items():
        refusal = MediaUnavailableError(f"The media node refused: {code}. Try again.")
        errors[publication_id] = error_dict(refusal)
    return messages.Subscribed(
        subscriptions=tuple(
            messages.SubscribeItem(
                publication_id=publication_id,
                ok=publication_id not in errors,
                error=errors.get(publication_id),
            )
            for publication_id in dict.fromkeys(spec.publication_id for spec in request.subscriptions)
        )
    )


def _takes_room(live: LiveSession, peer_id: str, publication: Publication) -> bool:
    known = (peer_id, publication.id) in live.session.subscriptions
    return not known and live.session.receiving.counts(publication)


def _no_room(live: LiveSession, peer_id: str) -> LimitExceededError:
    most = live.session.peer(peer_id).max_videos
    return LimitExceededError(
        f"At most {most} videos are received at once here. Unsubscribe from one first, or set a view."
    )


async def _change_existing(live: LiveSession, wanted: dict[str, Subscription]) -> None:
    """To subscribe again is to change what is wanted."""
    for one in wanted.values():
        before = live.session.subscriptions.get((one.peer_id, one.publication_id))
        if before is None:
            continue
        after = replace(one, tile=before.tile)
        if before != after:
            await _change(live, before, after)


def _subscription(peer_id: str, spec: messages.SubscriptionSpec) -> Subscription:
    return Subscription(peer_id, spec.publication_id, _layer(spec.preferred), spec.paused)


def _layer(layer: messages.Layer | None) -> Layer | None:
    return None if layer is None else Layer(layer.spatial, layer.temporal)


async def _change(live: LiveSession, before: Subscription, after: Subscription) -> messages.Empty:
    await live.media.change_subscription(before, after)
    live.session.receiving.change(after)
    return _EMPTY


async def unsubscribe(live: LiveSession, peer_id: str, request: messages.Unsubscribe) -> messages.Empty:
    media = live.media
    await media.unsubscribe(peer_id, live.session.receiving.unsubscribe(peer_id, request.publication_ids))
    return _EMPTY


async def set_layer(live: LiveSession, peer_id: str, request: messages.SetLayer) -> messages.Empty:
    before = live.session.receiving.subscription(peer_id, request.publication_id)
    return await _change(live, before, replace(before, preferred=_layer(request.preferred)))


async def set_tiles(live: LiveSession, peer_id: str, request: messages.SetTiles) -> messages.Empty:
    known = live.session.subscriptions
    tiles = {
        one.publication_id: Tile(one.width, one.height, one.priority)
        for one in request.tiles
        if (peer_id, one.publication_id) in known
    }
    await live.media.set_tiles(peer_id, tiles)
    for publication_id, tile in tiles.items():
        live.session.receiving.change(replace(known[peer_id, publication_id], tile=tile))
    return _EMPTY


async def pause_subscription(
    live: LiveSession, peer_id: str, request: messages.PauseSubscription
) -> messages.Empty:
    before = live.session.receiving.subscription(peer_id, request.publication_id)
    return await _change(live, before, replace(before, paused=True))


async def resume_subscription(
    live: LiveSession, peer_id: str, request: messages.ResumeSubscription
) -> messages.Empty:
    before = live.session.receiving.subscription(peer_id, request.publication_id)
    return await _change(live, before, replace(before, paused=False))


# --- connections ---------------------------------------------------------------------------------------


async def subscribe_answer(
    live: LiveSession, peer_id: str, request: messages.SubscribeAnswer
) -> messages.Empty:
    await live.media.handle_answer(peer_id, request.version, request.answer, move=request.move)
    return _EMPTY


async def candidate(live: LiveSession, peer_id: str, request: messages.Candidate) -> messages.Empty:
    await live.media.handle_candidate(peer_id, request.transport, request.candidate or None)
    return _EMPTY


async def restart_ice(live: LiveSession, peer_id: str, request: messages.RestartIce) -> messages.Empty:
    await live.media.restart_ice(peer_id)
    return _EMPTY
