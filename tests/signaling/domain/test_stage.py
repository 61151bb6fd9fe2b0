"""The stage against an oracle that was written from the rules, not from the table."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from signaling.domain.permission import stage_access, stage_enabled
from signaling.domain.preset import Access, Preset
from signaling.domain.stage import (
    HOST_ACTIONS,
    StageAction,
    StageMember,
    StageStatus,
    after_permission_change,
    apply,
    initial_status,
)
from signaling.errors import (
    ActionInvalidForStageStatus,
    NoRequestToCancel,
    NotJoinedError,
    PermissionDenied,
    SignalingError,
    StageDisabledForMeetingType,
)
from tests.signaling.domain.presets import ANY_PRESET, DEFAULTS, preset_of

OFF = StageStatus.OFF_STAGE
REQUESTED = StageStatus.REQUESTED_TO_JOIN_STAGE
ACCEPTED = StageStatus.ACCEPTED_TO_JOIN_STAGE
ON = StageStatus.ON_STAGE
Outcome = StageStatus | type[SignalingError]


def oracle(action: str, actor: StageMember, target: StageMember) -> Outcome:
    """What must happen, told as a person would tell it."""
    if not actor.joined:
        return NotJoinedError
    if not actor.enabled:
        return StageDisabledForMeetingType
    if not target.joined:
        return NotJoinedError
    if not target.enabled:
        return StageDisabledForMeetingType
    if action in ("grant", "invite", "deny", "kick") and not actor.is_host:
        return PermissionDenied
    return _by_hand(action, str(target.access), target.status)


def _by_hand(action: str, access: str, status: StageStatus) -> Outcome:
    outcome: Outcome = ActionInvalidForStageStatus
    if action == "request":
        if access == "NOT_ALLOWED":
            outcome = PermissionDenied
        elif status is OFF:
            outcome = REQUESTED if access == "CAN_REQUEST" else ACCEPTED
    elif action == "cancel":
        outcome = OFF if status is REQUESTED else NoRequestToCancel
    elif action in ("grant", "invite"):
        if access == "NOT_ALLOWED":
            outcome = PermissionDenied
        elif status is not ON:
            outcome = status if access == "ALLOWED" else ACCEPTED
    elif action == "deny" and status is REQUESTED:
        outcome = REQUESTED if access == "ALLOWED" else OFF
    elif action == "join":
        accepted = status is ACCEPTED and access != "NOT_ALLOWED"
        if accepted or (status is OFF and access == "ALLOWED"):
            outcome = ON
    elif action in ("leave", "kick") and status in (ON, ACCEPTED):
        outcome = OFF
    return outcome


def outcome_of(action: StageAction, actor: StageMember, target: StageMember) -> Outcome:
    try:
        return apply(action, actor, target)
    except SignalingError as error:
        return type(error)


MEMBERS = [
    StageMember(enabled=enabled, access=access, is_host=is_host, status=status, joined=joined)
    for enabled, access, is_host, status, joined in product(
        (True, False), Access, (True, False), StageStatus, (True, False)
    )
]


@pytest.mark.parametrize("action", StageAction)
def test_every_action_on_every_pair_of_members_ends_as_the_rules_say(action: StageAction) -> None:
    for actor, target in product(MEMBERS, MEMBERS):
        assert outcome_of(action, actor, target) == oracle(action, actor, target), (actor, target)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (PermissionDenied, 2001),
        (StageDisabledForMeetingType, 2003),
        (NotJoinedError, 2005),
        (ActionInvalidForStageStatus, 2006),
        (NoRequestToCancel, 2007),
    ],
)
def test_the_errors_carry_the_codes_of_the_field(name: type[SignalingError], code: int) -> None:
    assert name.code == code


@pytest.mark.parametrize(
    ("preset", "status"),
    [
        ("group_call_host", ON),
        ("group_call_participant", ON),
        ("webinar_presenter", ON),
        ("webinar_viewer", OFF),
        ("livestream_host", ON),
        ("livestream_viewer", OFF),
    ],
)
def test_default_presets_start_where_they_should(preset: str, status: StageStatus) -> None:
    assert initial_status(DEFAULTS[preset]) is status


def test_a_viewer_asks_is_let_in_joins_and_leaves() -> None:
    host = StageMember.of(DEFAULTS["webinar_presenter"], ON)

    def viewer(status: StageStatus) -> StageMember:
        return StageMember.of(DEFAULTS["webinar_viewer"], status)

    assert apply(StageAction.REQUEST, viewer(OFF), viewer(OFF)) is REQUESTED
    assert apply(StageAction.GRANT, host, viewer(REQUESTED)) is ACCEPTED
    assert apply(StageAction.JOIN, viewer(ACCEPTED), viewer(ACCEPTED)) is ON
    assert apply(StageAction.LEAVE, viewer(ON), viewer(ON)) is OFF


def test_losing_access_puts_off_stage_and_gaining_it_answers_the_request() -> None:
    assert after_permission_change(ON, preset_of(stage_access="NOT_ALLOWED")) is OFF
    assert after_permission_change(REQUESTED, preset_of(stage_access="ALLOWED")) is ACCEPTED
    assert after_permission_change(ON, preset_of(stage_access="CAN_REQUEST")) is ON
    assert after_permission_change(OFF, preset_of("GROUP_CALL")) is ON


@given(ANY_PRESET, st.sampled_from(StageStatus))
def test_a_permission_change_leaves_nobody_where_its_preset_may_not_be(
    preset: Preset, status: StageStatus
) -> None:
    after = after_permission_change(status, preset)
    if not stage_enabled(preset):
        assert after is ON
    elif stage_access(preset) is Access.NOT_ALLOWED:
        assert after is OFF
    elif stage_access(preset) is Access.ALLOWED:
        assert after is not REQUESTED


class Stage(RuleBasedStateMachine):
    """A session of hosts and viewers who try everything, in any order."""

    peers = Bundle("peers")

    def __init__(self) -> None:
        super().__init__()
        self.presets: list[Preset] = []
        self.status: list[StageStatus] = []
        self.joined: list[bool] = []

    @rule(target=peers, preset=ANY_PRESET)
    def join_session(self, preset: Preset) -> object:
        self.presets.append(preset)
        self.status.append(initial_status(preset))
        self.joined.append(True)
        return multiple(len(self.presets) - 1)

    @rule(peer=peers)
    def leave_session(self, peer: int) -> None:
        self.joined[peer] = False

    @rule(peer=peers, preset=ANY_PRESET)
    def change_preset(self, peer: int, preset: Preset) -> None:
        self.presets[peer] = preset
        self.status[peer] = after_permission_change(self.status[peer], preset)

    @rule(actor=peers, other=peers, action=st.sampled_from(StageAction))
    def act(self, actor: int, other: int, action: StageAction) -> None:
        target = other if action in HOST_ACTIONS else actor
        before = self.status[target]
        expected = oracle(action, self.member(actor), self.member(target))
        actual = outcome_of(action, self.member(actor), self.member(target))
        assert actual == expected
        if isinstance(actual, StageStatus):
            self.status[target] = actual
        else:
            assert self.status[target] is before

    @invariant()
    def nobody_stands_where_the_preset_forbids(self) -> None:
        for preset, status in zip(self.presets, self.status, strict=True):
            if not stage_enabled(preset):
                assert status is ON
            elif stage_access(preset) is Access.NOT_ALLOWED:
                assert status is OFF
            elif stage_access(preset) is Access.ALLOWED:
                assert status is not REQUESTED

    def member(self, peer: int) -> StageMember:
        return StageMember.of(self.presets[peer], self.status[peer], joined=self.joined[peer])


TestStage = Stage.TestCase
TestStage.settings = settings(max_examples=60, stateful_step_count=40)
