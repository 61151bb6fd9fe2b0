"""The domain's values as the client protocol's: pure, one function per thing shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, assert_never, cast

from signaling.domain.events import LeaveReason
from signaling.domain.meeting import Meeting
from signaling.domain.peer import Peer
from signaling.domain.permission import MediaKind
from signaling.domain.publication import EndReason, Publication
from signaling.errors import SignalingError
from signaling.protocol import messages
from signaling.protocol.closing import CloseCode

PeerLeftReason = Literal["left", "kicked", "timeout", "ended"]
SessionLeftReason = Literal["left", "kicked", "ended", "timeout", "timed_out", "shutdown", "rejected"]
WaitingEndReason = Literal["admitted", "rejected", "left", "kicked", "timeout"]
RemovedReason = Literal[
    "unpublished", "peer_left", "stage_left", "permission_revoked", "transport_closed", "node_lost"
]
StageActionName = Literal["request", "cancel", "grant", "deny", "join", "leave", "kick", "permission"]
SubscriptionEndReason = Literal["unpublished", "unsupported_codec", "permission_revoked", "node_lost"]


def peer_info(peer: Peer) -> messages.PeerInfo:
    return messages.PeerInfo(
        peer_id=peer.id,
        participant_id=peer.participant_id,
        custom_participant_id=peer.custom_participant_id,
        name=peer.name,
        picture=peer.picture,
        preset_name=peer.preset_name,
        stage_status=messages.StageStatusName(peer.status),
        device=peer.device,
        connection="connected" if peer.connected else "detached",
        joined_at=time_text(peer.joined_at),
        censored=tuple(sorted(peer.censored)),
    )


def publication_info(publication: Publication) -> messages.PublicationInfo:
    by = publication.muted_by
    return messages.PublicationInfo(
        publication_id=publication.id,
        peer_id=publication.peer_id,
        source=publication.source,
        kind=publication.kind,
        codec=publication.codec,
        encodings=publication.encodings,
        muted=by is not None,
        muted_by=None if by is None else by.value,
        encrypted=publication.encrypted,
    )


def stage_info(peer: Peer) -> messages.StageInfo:
    terms = peer.on_stage_terms
    return messages.StageInfo(
        enabled=terms.enabled,
        status=messages.StageStatusName(peer.status),
        access=terms.access.value,
        is_host=terms.is_host,
        can_produce={str(media): peer.may_produce(media) for media in MediaKind},
    )


def stage_requests(requests: list[Peer]) -> tuple[messages.StageRequestInfo, ...]:
    return tuple(
        messages.StageRequestInfo(peer_id=one.id, participant_id=one.participant_id, name=one.name)
        for one in requests
    )


def waiting_info(peer: Peer) -> messages.WaitingPeerInfo:
    return messages.WaitingPeerInfo(
        peer_id=peer.id,
        participant_id=peer.participant_id,
        custom_participant_id=peer.custom_participant_id,
        name=peer.name,
        picture=peer.picture,
        since=time_text(peer.joined_at),
    )


def waiting_list(peers: Iterable[Peer]) -> tuple[messages.WaitingPeerInfo, ...]:
    return tuple(waiting_info(peer) for peer in peers)


def waiting_end_reason(reason: LeaveReason) -> WaitingEndReason:
    return "timeout" if reason is LeaveReason.TIMED_OUT else cast(WaitingEndReason, reason.value)


def meeting_info(meeting: Meeting, peer: Peer, ends_at: datetime | None) -> messages.MeetingInfo:
    return messages.MeetingInfo(
        meeting_id=meeting.id,
        title=meeting.title,
        view_type=peer.preset.config.view_type.value,
        ends_at=None if ends_at is None else time_text(ends_at),
    )


def time_text(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def permissions_updated(peer: Peer) -> messages.PermissionsUpdated:
    preset = peer.preset.to_dict()
    return messages.PermissionsUpdated(
        preset_name=peer.preset_name, permissions=preset["permissions"], config=preset["config"]
    )


def peer_left_reason(reason: LeaveReason) -> PeerLeftReason:
    match reason:
        case LeaveReason.SHUTDOWN:
            return "ended"
        case LeaveReason.TIMED_OUT:
            return "timeout"
        case _:
            return cast(PeerLeftReason, reason.value)


def session_left_reason(reason: LeaveReason) -> SessionLeftReason:
    return reason.value


def close_code(reason: LeaveReason) -> CloseCode:
    match reason:
        case LeaveReason.LEFT:
            return CloseCode.LEFT
        case LeaveReason.KICKED:
            return CloseCode.KICKED
        case LeaveReason.ENDED:
            return CloseCode.ENDED
        case LeaveReason.TIMEOUT:
            return CloseCode.TIMEOUT
        case LeaveReason.TIMED_OUT:
            return CloseCode.TIMED_OUT
        case LeaveReason.SHUTDOWN:
            return CloseCode.SERVICE_RESTART
        case LeaveReason.REJECTED:
            return CloseCode.REJECTED
        case _:
            assert_never(reason)


def removed_reason(reason: EndReason) -> RemovedReason:
    assert reason is not EndReason.UNSUPPORTED_CODEC, "a codec ends subscriptions, not publications"
    return cast(RemovedReason, reason.value)


def subscription_end_reason(reason: EndReason) -> SubscriptionEndReason:
    match reason:
        case EndReason.UNSUPPORTED_CODEC | EndReason.PERMISSION_REVOKED | EndReason.NODE_LOST:
            return cast(SubscriptionEndReason, reason.value)
        case _:
            return "unpublished"


def stage_action(action: str) -> StageActionName:
    """An invitation is a grant to one who did not ask."""
    return "grant" if action == "invite" else cast(StageActionName, action)


def error_dict(error: SignalingError) -> dict[str, object]:
    """An error about one of several things named in a request."""
    return {"code": error.code, "name": error.name, "message": error.message}
