"""The stage: who of a session may publish.

                        request (CAN_REQUEST)
      ┌───────────┐ ────────────────────────────▶ ┌─────────────────────────┐
      │ OFF_STAGE │                               │ REQUESTED_TO_JOIN_STAGE │
      └───────────┘ ◀──────────────────────────── └─────────────────────────┘
        │ ▲ ▲   │       cancel, deny                          │ grant
        │ │ │   │ grant or invite (CAN_REQUEST),              ▼
        │ │ │   │ request (ALLOWED)             ┌────────────────────────┐
        │ │ │   └─────────────────────────────▶ │ ACCEPTED_TO_JOIN_STAGE │
        │ │ └────────────────────────────────── └────────────────────────┘
        │ │             leave, kick                           │ join
        │ │                                                   ▼
        │ │             leave, kick                     ┌──────────┐
        │ └──────────────────────────────────────────── │ ON_STAGE │
        └─────────────────────────────────────────────▶ └──────────┘
                        join (ALLOWED)

A peer whose preset has no stage is ON_STAGE and every action fails with StageDisabledForMeetingType. One
whose access is NOT_ALLOWED stays OFF_STAGE: it can neither ask nor be granted (PermissionDenied). A grant or
a denial to one whose access is ALLOWED changes nothing, since it needs no host. Whatever the table does not
list is refused with ActionInvalidForStageStatus, a cancel without a request with NoRequestToCancel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Final

from signaling.domain.errors import (
    ActionInvalidForStageStatus,
    NoRequestToCancel,
    NotJoinedError,
    PermissionDenied,
    StageDisabledForMeetingType,
)
from signaling.domain.permission import (
    StageAccess,
    StageStatus,
    accepts_stage_requests,
    stage_access,
    stage_enabled,
)
from signaling.domain.preset import Preset

__all__ = [
    "HOST_ACTIONS",
    "TRANSITIONS",
    "StageAction",
    "StageMember",
    "StageStatus",
    "after_permission_change",
    "apply",
    "initial_status",
]


class StageAction(StrEnum):
    REQUEST = "request"
    CANCEL = "cancel"
    GRANT = "grant"
    DENY = "deny"
    INVITE = "invite"
    JOIN = "join"
    LEAVE = "leave"
    KICK = "kick"


HOST_ACTIONS: Final = frozenset({StageAction.GRANT, StageAction.DENY, StageAction.INVITE, StageAction.KICK})
"""What a host does to another (or to itself); the rest everyone does to oneself only."""

_NEEDS_ACCESS: Final = frozenset({StageAction.REQUEST, StageAction.GRANT, StageAction.INVITE})

OFF, REQUESTED, ACCEPTED, ON = StageStatus
ALLOWED, NOT_ALLOWED, CAN_REQUEST = StageAccess
_ANY: Final = (ALLOWED, NOT_ALLOWED, CAN_REQUEST)

_Key = tuple[StageAction, StageStatus, StageAccess]


def _table(
    *rows: tuple[
        tuple[StageAction, ...], tuple[StageStatus, ...], tuple[StageAccess, ...], StageStatus | None
    ],
) -> Mapping[_Key, StageStatus]:
    """Spells the rows out. A target of None means: stays as it is."""
    return MappingProxyType(
        {
            (action, status, access): to or status
            for actions, statuses, accesses, to in rows
            for action, status, access in product(actions, statuses, accesses)
        }
    )


_A = StageAction
TRANSITIONS: Final[Mapping[_Key, StageStatus]] = _table(
    # who does what                from                        access of the target      to
    ((_A.REQUEST,),                (OFF,),                     (CAN_REQUEST,),           REQUESTED),
    ((_A.REQUEST,),                (OFF,),                     (ALLOWED,),               ACCEPTED),
    ((_A.CANCEL,),                 (REQUESTED,),               _ANY,                     OFF),
    ((_A.GRANT, _A.INVITE),        (OFF, REQUESTED, ACCEPTED), (CAN_REQUEST,),           ACCEPTED),
    ((_A.GRANT, _A.INVITE),        (OFF, REQUESTED, ACCEPTED), (ALLOWED,),               None),
    ((_A.DENY,),                   (REQUESTED,),               (CAN_REQUEST, NOT_ALLOWED), OFF),
    ((_A.DENY,),                   (REQUESTED,),               (ALLOWED,),               None),
    ((_A.JOIN,),                   (ACCEPTED,),                (CAN_REQUEST, ALLOWED),   ON),
    ((_A.JOIN,),                   (OFF,),                     (ALLOWED,),               ON),
    ((_A.LEAVE, _A.KICK),          (ACCEPTED, ON),             _ANY,                     OFF),
)  # fmt: skip
"""(action, status of the target, access of the target) -> its next status. All that is legal is here."""


@dataclass(frozen=True, slots=True)
class StageMember:
    """One peer as the stage sees it: three facts of its preset, and where it stands."""

    enabled: bool
    access: StageAccess
    is_host: bool
    status: StageStatus
    joined: bool = True

    @classmethod
    def of(cls, preset: Preset, status: StageStatus, *, joined: bool = True) -> StageMember:
        return cls(
            enabled=stage_enabled(preset),
            access=stage_access(preset),
            is_host=accepts_stage_requests(preset),
            status=status,
            joined=joined,
        )


def apply(action: StageAction, actor: StageMember, target: StageMember) -> StageStatus:
    """The target's status after the action; for what one does to oneself, pass oneself twice.

    Checks in this order, each with its error: both joined (NotJoinedError), the stage is there for both
    (StageDisabledForMeetingType), the actor is a host where that is needed and the target may be on stage
    at all (PermissionDenied), the move is in the table (ActionInvalidForStageStatus, NoRequestToCancel).
    """
    _check_presence(actor, target)
    if action in HOST_ACTIONS and not actor.is_host:
        raise PermissionDenied("Only a host who accepts stage requests may do this. Ask one.")
    if action in _NEEDS_ACCESS and target.access is NOT_ALLOWED:
        raise PermissionDenied("This preset may not join the stage. Have the preset's stage_access changed.")
    after = TRANSITIONS.get((action, target.status, target.access))
    if after is None:
        raise _illegal(action, target)
    return after


def initial_status(preset: Preset) -> StageStatus:
    """At join: ON_STAGE where there is no stage or access is ALLOWED, else OFF_STAGE."""
    if not stage_enabled(preset) or stage_access(preset) is ALLOWED:
        return ON
    return OFF


def after_permission_change(status: StageStatus, preset: Preset) -> StageStatus:
    """Where a peer stands once this preset applies to it.

    Without a stage everyone is ON_STAGE; who lost access is OFF_STAGE; a request of somebody who now needs
    no host is granted; everyone else stays.
    """
    if not stage_enabled(preset):
        return ON
    access = stage_access(preset)
    if access is NOT_ALLOWED:
        return OFF
    if access is ALLOWED and status is REQUESTED:
        return ACCEPTED
    return status


def _check_presence(actor: StageMember, target: StageMember) -> None:
    if not actor.joined:
        raise NotJoinedError
    if not actor.enabled:
        raise StageDisabledForMeetingType
    if not target.joined:
        raise NotJoinedError("The other peer has not joined. Wait until it has.")
    if not target.enabled:
        raise StageDisabledForMeetingType(
            "There is no stage for the other peer's preset; it publishes freely."
        )


def _illegal(action: StageAction, target: StageMember) -> ActionInvalidForStageStatus:
    if action is StageAction.CANCEL:
        return NoRequestToCancel()
    if action is StageAction.JOIN and target.status is ON:
        return ActionInvalidForStageStatus("Already on stage.")
    return ActionInvalidForStageStatus(f"'{action}' is not possible while {target.status}.")
