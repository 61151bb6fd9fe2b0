"""Everything that can go wrong in signaling, as one tree, and so in one file, however long.

    SignalingError
    ├── InvalidInputError               a body, query or message that is not what it should be
    │   └── ValidationFailedError       ... it could be read, but a field in it is wrong
    ├── UnauthorizedError               no credentials, or wrong ones
    │   └── InvalidTokenError           a token that is bad, expired, revoked or not ours
    │       └── LoginRefusedError       a wrong address or password, or a login that is over
    ├── ForbiddenError                  credentials are right, the right is missing
    │   ├── PermissionDenied            ... a permission of the preset (2001)
    │   ├── MissingScopeError           ... a scope of the key
    │   ├── FeatureDisabledError        ... the organization's plan does not have it
    │   ├── PlanLimitError              ... the organization's plan has no room for another one
    │   ├── CensoredError               ... a moderator took it from this participant
    │   ├── JoinRefusedError            ... the meeting's join policy does not take them; says why
    │   └── ConfigurationLockedError    ... a level above has locked this key
    ├── NotFoundError                   no such thing, or not in this organization
    │   └── NoActiveSessionError        nobody is in the meeting
    ├── MethodNotAllowedError           a path that does not take this method
    ├── NotAcceptableError              none of what there is fits what the client can take
    ├── UnsupportedMediaTypeError       a body of a type that this path does not take
    ├── PreconditionFailedError         an If-Match that is not of the present state
    ├── PreconditionRequiredError       no If-Match where one is needed
    ├── ConflictError                   against something that is already there
    │   ├── NotPublishedError           there is nothing to watch, yet
    │   ├── MeetingInactiveError        nobody can join a meeting that is INACTIVE
    │   ├── MeetingNotOpenError         nobody who may open it has come yet
    │   ├── MeetingFullError            it has as many participants as it may have
    │   ├── WaitingRoomFullError        as many wait as may
    │   ├── NotAdmittedError            they would have to wait, which cannot be done here
    │   ├── AlreadyJoinedError          a second join on one socket
    │   └── StateError                  not now
    │       ├── NotJoinedError                  before join (2005)
    │       ├── SessionEndedError               the session that was named runs no more
    │       ├── StageDisabledForMeetingType     the meeting has no stage for this preset (2003)
    │       └── ActionInvalidForStageStatus     not in the present stage status (2006)
    │           └── NoRequestToCancel           nothing pending (2007)
    ├── UnsupportedError                known, but not in this combination (2002)
    ├── NotImplementedYetError          planned, not there (2004)
    ├── LimitExceededError              more than one peer, meeting or message may have
    ├── MisdirectedError                another server has this meeting; says which
    ├── RateLimitedError                too often; says when to come back
    ├── ResumeRefusedError              the peer is gone, join again
    └── UnavailableError                the server cannot do it at the moment
        ├── MediaUnavailableError       no media node can take it
        ├── OverloadedError             they are all full; says when to come back
        ├── ServerUnreachableError      another server has it, and does not answer
        ├── ContendedError              others changed the same at the same time, again and again
        └── StoreUnavailableError       the database does not answer
            └── OutcomeUnknownError     ... any more, after it was told to commit

`code` and `name` are stable. Codes are the field's where it has one (4, 13, 101, 2001 to 2006); 2007 and the
9000 block are our own, the latter being 9000 plus the HTTP status (9450 and up where that is taken). The
message is a sentence for a human that says what to do. REST answers with `http_status`, the client protocol
with `code`.
"""

from __future__ import annotations

from typing import ClassVar, Self


class SignalingError(Exception):
    """Base of the tree; raised as itself only for what has no better name."""

    code: ClassVar[int] = 9500
    name: ClassVar[str] = "InternalError"
    http_status: ClassVar[int] = 500
    retry_after: float | None = None
    """Seconds after which to try again; None where that would not help."""
    reason: str | None = None
    """Which of several reasons it is, where a caller can act on that."""
    field: str | None = None
    """What of the input is wrong, dotted ("config.media.video.quality"), where one field is."""
    default_message: ClassVar[str] = (
        "Something went wrong on the server. Try again; if it stays, read its log."
    )

    def __init__(self, message: str | None = None) -> None:
        self.message: str = message or self.default_message
        super().__init__(self.message)


class InvalidInputError(SignalingError):
    code = 9400
    name = "InvalidInput"
    http_status = 400
    default_message = "The request is not valid. Correct it and send it again."

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class ValidationFailedError(InvalidInputError):
    code = 9422
    name = "ValidationFailed"
    http_status = 422
    default_message = "A field is not valid. Correct it and send it again."


class UnauthorizedError(SignalingError):
    code = 9401
    name = "Unauthorized"
    http_status = 401
    default_message = (
        "Credentials are missing or wrong. Send 'Authorization: Basic base64(organization_id:api_key)'."
    )


class InvalidTokenError(UnauthorizedError):
    code = 4
    name = "InvalidToken"
    default_message = "The participant token is not valid or has expired. Ask for a new one and join again."


class LoginRefusedError(InvalidTokenError):
    """The same for an unknown address, a wrong password and a disabled account."""

    code = 9465
    name = "LoginRefused"
    default_message = "The address or the password is wrong, or the account is disabled."


class ForbiddenError(SignalingError):
    code = 101
    name = "Forbidden"
    http_status = 403
    default_message = "You may not do this."


class PermissionDenied(ForbiddenError):  # noqa: N818 - the field's name
    code = 2001
    name = "PermissionDenied"
    default_message = "Your preset does not permit this. Ask a host, or have the preset changed."


class MissingScopeError(ForbiddenError):
    code = 9466
    name = "MissingScope"
    default_message = "The credential that was sent may not do this. Use one that has the scope for it."

    @classmethod
    def of(cls, scope: str) -> Self:
        return cls(
            f"The credential that was sent does not have the scope '{scope!s}'. Use one that has, or ask an "
            "administrator for a key with it."
        )


class CensoredError(ForbiddenError):
    code = 9456
    name = "Censored"
    default_message = "A moderator has blocked this. Ask them to allow it again."


class FeatureDisabledError(ForbiddenError):
    code = 9463
    name = "FeatureDisabled"
    default_message = "The plan of this organization does not have this."

    @classmethod
    def of(cls, feature: str) -> Self:
        return cls(
            f"The plan of this organization does not have '{feature}'. Ask who runs this server for it."
        )


class PlanLimitError(ForbiddenError):
    code = 9464
    name = "PlanLimit"
    default_message = "The plan of this organization has no room for another one."


class JoinRefusedError(ForbiddenError):
    """`reason` is one of `signaling.domain.join_policy.Refusal`."""

    code = 9470
    name = "JoinRefused"
    default_message = "The meeting's join policy does not let you in."

    def __init__(self, message: str | None = None, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class ConfigurationLockedError(ForbiddenError):
    """`field` is the key, dotted."""

    code = 9473
    name = "ConfigurationLocked"
    default_message = "A level above has locked this key. Have it unlocked there."

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


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


class MethodNotAllowedError(SignalingError):
    code = 9405
    name = "MethodNotAllowed"
    http_status = 405
    default_message = "This path does not take this method."


class NotAcceptableError(SignalingError):
    code = 9406
    name = "NotAcceptable"
    http_status = 406
    default_message = "The offer has no codec in common with what is published. Offer more."


class UnsupportedMediaTypeError(SignalingError):
    code = 9415
    name = "UnsupportedMediaType"
    http_status = 415
    default_message = "The body is of another type than this path takes."


class PreconditionFailedError(SignalingError):
    code = 9412
    name = "PreconditionFailed"
    http_status = 412
    default_message = "The ETag is not the present one: there was a change since. Read it again."


class PreconditionRequiredError(SignalingError):
    code = 9428
    name = "PreconditionRequired"
    http_status = 428
    default_message = "Send If-Match with the session's ETag, or with * to restart ICE."


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


class UnsupportedError(SignalingError):
    code = 2002
    name = "Unsupported"
    http_status = 422
    default_message = "This is not supported."


class NotImplementedYetError(SignalingError):
    code = 2004
    name = "NotImplemented"
    http_status = 501
    default_message = "This is not implemented in this version."


class LimitExceededError(SignalingError):
    code = 9413
    name = "LimitExceeded"
    http_status = 413
    default_message = "A limit is exceeded. Send less."


class MisdirectedError(SignalingError):
    """`url` is how the server that has it is reached."""

    code = 9421
    name = "Misdirected"
    http_status = 421
    default_message = "Another server has this meeting: ask there, under the url that is given here."

    def __init__(self, message: str | None = None, *, url: str) -> None:
        super().__init__(message)
        self.url = url


class RateLimitedError(SignalingError):
    """`retry_after` in seconds."""

    code = 13
    name = "RateLimited"
    http_status = 429
    default_message = "Too many requests. Wait before the next one."

    def __init__(self, message: str | None = None, *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ResumeRefusedError(SignalingError):
    code = 9410
    name = "ResumeRefused"
    http_status = 410
    default_message = "This peer can no longer be resumed. Join again."


class UnavailableError(SignalingError):
    code = 9503
    name = "Unavailable"
    http_status = 503
    default_message = "The server cannot do this at the moment. Try again in some seconds."
    retry_after = 2.0


class MediaUnavailableError(UnavailableError):
    code = 9454
    name = "MediaUnavailable"
    default_message = "No media node can take this at the moment. Try again in some seconds."


class OverloadedError(UnavailableError):
    """Nobody new is taken; `retry_after` differs from one to the next, so that they do not all come back at
    once."""

    code = 9458
    name = "Overloaded"
    default_message = (
        "The server is full: it keeps the quality of those who are in. Try again a little later."
    )

    def __init__(self, message: str | None = None, *, retry_after: float = 10.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServerUnreachableError(UnavailableError):
    code = 9462
    name = "ServerUnreachable"
    default_message = "The server that has this meeting does not answer. Try again in some seconds."


class ContendedError(UnavailableError):
    """Nothing of it was done. `signaling.services.transaction` has tried it some times already."""

    code = 9459
    name = "Contended"
    default_message = "Others changed the same at the same time. Nothing was done; try again."
    retry_after = 1.0


class StoreUnavailableError(UnavailableError):
    code = 9460
    name = "StoreUnavailable"
    default_message = "The database does not answer at the moment. Try again in some seconds."


class OutcomeUnknownError(StoreUnavailableError):
    """The connection went while a transaction was being committed."""

    code = 9461
    name = "OutcomeUnknown"
    default_message = (
        "The database went away while this was being written: it may be done. Look before you try again."
    )
