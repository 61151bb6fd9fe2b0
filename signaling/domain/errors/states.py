"""What is not there, is there already, or cannot be done now."""

from __future__ import annotations

from signaling.domain.errors.base import SignalingError


class NotFoundError(SignalingError):
    """`NotFoundError.of("meeting", meeting_id)`. Also the answer across organizations."""

    code = 9404
    name = "NotFound"
    http_status = 404
    default_message = "There is no such thing here. Check the id."

    @classmethod
    def of(cls, noun: str, object_id: str) -> NotFoundError:
        return cls(f"There is no {noun} {object_id!r} in this organization. Check the id.")


class NoActiveSessionError(NotFoundError):
    code = 9450
    name = "NoActiveSession"
    default_message = "The meeting has no active session: nobody is in it. Join first."


class ConflictError(SignalingError):
    code = 9409
    name = "Conflict"
    http_status = 409
    default_message = "This conflicts with something that is already there."


class NotPublishedError(ConflictError):
    code = 9457
    name = "NotPublished"
    default_message = "Nobody publishes this at the moment. Try again when somebody does."
    retry_after = 2.0


class MeetingInactiveError(ConflictError):
    code = 9451
    name = "MeetingInactive"
    http_status = 403
    default_message = "The meeting is INACTIVE, nobody can join it. Set its status to ACTIVE first."


class MeetingNotOpenError(ConflictError):
    """`reason`: why this one may not open it, one of `signaling.domain.join_policy.Refusal`."""

    code = 9472
    name = "MeetingNotOpen"
    default_message = "The meeting is not open yet, and you may not open it. Come back when it is."
    retry_after = 5.0

    def __init__(self, message: str | None = None, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class MeetingFullError(ConflictError):
    code = 9471
    name = "MeetingFull"
    default_message = "The meeting has as many participants as it may have. Come back when somebody left."
    retry_after = 15.0


class WaitingRoomFullError(ConflictError):
    code = 9478
    name = "WaitingRoomFull"
    default_message = "As many wait to be admitted as may. Come back when some have been."
    retry_after = 15.0


class NotAdmittedError(ConflictError):
    """Of WHIP and WHEP, where nothing could tell that one is admitted now."""

    code = 9479
    name = "NotAdmitted"
    default_message = (
        "You would have to wait to be admitted, which takes a browser. Come in there once, or try again when "
        "a host is in."
    )
    retry_after = 5.0


class AlreadyJoinedError(ConflictError):
    code = 9452
    name = "AlreadyJoined"
    default_message = "This connection has joined already. Open another one for another peer."


class StateError(ConflictError):
    """The request is right in itself but not in the present state."""

    code = 9453
    name = "InvalidState"
    default_message = "This is not possible in the present state."


class NotJoinedError(StateError):
    code = 2005
    name = "NotJoined"
    default_message = "This needs a joined peer. Join first."


class SessionEndedError(StateError):
    """422, as clients of the rooms API expect it."""

    code = 9476
    name = "SessionEnded"
    http_status = 422
    default_message = "The session has ended: nobody is in it any more."


class StageDisabledForMeetingType(StateError):  # noqa: N818 - the field's name
    code = 2003
    name = "StageDisabledForMeetingType"
    default_message = "There is no stage in this meeting for this preset. Publish directly instead."


class ActionInvalidForStageStatus(StateError):  # noqa: N818 - the field's name
    code = 2006
    name = "ActionInvalidForStageStatus"
    default_message = "This stage action is not possible in the present stage status."


class NoRequestToCancel(ActionInvalidForStageStatus):
    code = 2007
    name = "NoRequestToCancel"
    default_message = "There is no pending request to cancel."


class ResumeRefusedError(SignalingError):
    code = 9410
    name = "ResumeRefused"
    http_status = 410
    default_message = "This peer can no longer be resumed. Join again."
