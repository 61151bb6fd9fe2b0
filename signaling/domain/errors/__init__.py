"""Everything that can go wrong in signaling, as one tree. It is imported from here, whatever file it is in.

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

from signaling.domain.errors.base import (
    InvalidInputError,
    SignalingError,
    ValidationFailedError,
)
from signaling.domain.errors.requests import (
    LimitExceededError,
    MethodNotAllowedError,
    NotAcceptableError,
    PreconditionFailedError,
    PreconditionRequiredError,
    RateLimitedError,
    UnsupportedMediaTypeError,
)
from signaling.domain.errors.rights import (
    CensoredError,
    ConfigurationLockedError,
    FeatureDisabledError,
    ForbiddenError,
    InvalidTokenError,
    JoinRefusedError,
    LoginRefusedError,
    MissingScopeError,
    PermissionDenied,
    PlanLimitError,
    UnauthorizedError,
)
from signaling.domain.errors.servers import (
    ContendedError,
    MediaUnavailableError,
    MisdirectedError,
    NotImplementedYetError,
    OutcomeUnknownError,
    OverloadedError,
    ServerUnreachableError,
    StoreUnavailableError,
    UnavailableError,
    UnsupportedError,
)
from signaling.domain.errors.states import (
    ActionInvalidForStageStatus,
    AlreadyJoinedError,
    ConflictError,
    MeetingFullError,
    MeetingInactiveError,
    MeetingNotOpenError,
    NoActiveSessionError,
    NoRequestToCancel,
    NotAdmittedError,
    NotFoundError,
    NotJoinedError,
    NotPublishedError,
    ResumeRefusedError,
    SessionEndedError,
    StageDisabledForMeetingType,
    StateError,
    WaitingRoomFullError,
)

__all__ = [
    "ActionInvalidForStageStatus",
    "AlreadyJoinedError",
    "CensoredError",
    "ConfigurationLockedError",
    "ConflictError",
    "ContendedError",
    "FeatureDisabledError",
    "ForbiddenError",
    "InvalidInputError",
    "InvalidTokenError",
    "JoinRefusedError",
    "LimitExceededError",
    "LoginRefusedError",
    "MediaUnavailableError",
    "MeetingFullError",
    "MeetingInactiveError",
    "MeetingNotOpenError",
    "MethodNotAllowedError",
    "MisdirectedError",
    "MissingScopeError",
    "NoActiveSessionError",
    "NoRequestToCancel",
    "NotAcceptableError",
    "NotAdmittedError",
    "NotFoundError",
    "NotImplementedYetError",
    "NotJoinedError",
    "NotPublishedError",
    "OutcomeUnknownError",
    "OverloadedError",
    "PermissionDenied",
    "PlanLimitError",
    "PreconditionFailedError",
    "PreconditionRequiredError",
    "RateLimitedError",
    "ResumeRefusedError",
    "ServerUnreachableError",
    "SessionEndedError",
    "SignalingError",
    "StageDisabledForMeetingType",
    "StateError",
    "StoreUnavailableError",
    "UnauthorizedError",
    "UnavailableError",
    "UnsupportedError",
    "UnsupportedMediaTypeError",
    "ValidationFailedError",
    "WaitingRoomFullError",
]
