"""Whom a policy takes."""

from __future__ import annotations

import pytest

from signaling.domain.join_policy import (
    Applicant,
    Policy,
    Refusal,
    Standing,
    check_join,
    check_open,
    password_mark,
    refusal,
)
from signaling.errors import JoinRefusedError, MeetingNotOpenError

GUEST, MEMBER, REGISTERED = Standing.GUEST, Standing.MEMBER, Standing.REGISTERED
NOT_IN_ORGANIZATION, NOT_IN_UNIT = Refusal.NOT_IN_ORGANIZATION, Refusal.NOT_IN_UNIT


@pytest.mark.parametrize(
    ("policy", "standing", "why"),
    [
        (Policy.PUBLIC, GUEST, None),
        (Policy.PUBLIC, MEMBER, None),
        (Policy.PUBLIC, REGISTERED, None),
        (Policy.ORG, GUEST, NOT_IN_ORGANIZATION),
        (Policy.ORG, MEMBER, None),
        (Policy.ORG, REGISTERED, None),
        (Policy.ORGUNIT, GUEST, NOT_IN_ORGANIZATION),
        (Policy.ORGUNIT, MEMBER, NOT_IN_UNIT),
        (Policy.ORGUNIT, REGISTERED, NOT_IN_UNIT),
        (Policy.RESTRICT, GUEST, Refusal.NOT_REGISTERED),
        (Policy.RESTRICT, MEMBER, Refusal.NOT_REGISTERED),
        (Policy.RESTRICT, REGISTERED, None),
        (Policy.PASSWORD, GUEST, Refusal.WRONG_PASSWORD),
        (Policy.PASSWORD, MEMBER, Refusal.WRONG_PASSWORD),
        (Policy.PASSWORD, REGISTERED, None),
    ],
)
def test_whom_a_policy_takes_without_a_password(
    policy: Policy, standing: Standing, why: Refusal | None
) -> None:
    assert refusal(policy, {"ward"}, Applicant(standing)) == why


@pytest.mark.parametrize("standing", [GUEST, MEMBER])
def test_the_right_password_lets_in(standing: Standing) -> None:
    assert refusal(Policy.PASSWORD, frozenset(), Applicant(standing, password=True)) is None


def test_a_unit_that_is_allowed_allows_those_below_it() -> None:
    below = Applicant(MEMBER, units=frozenset({"hospital", "ward", "room"}))
    assert refusal(Policy.ORGUNIT, {"ward"}, below) is None
    above = Applicant(MEMBER, units=frozenset({"hospital"}))
    assert refusal(Policy.ORGUNIT, {"ward"}, above) is NOT_IN_UNIT


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("units", [frozenset(), frozenset({"ward"})])
def test_who_may_begin_is_decided_in_the_same_way(
    policy: Policy, standing: Standing, units: frozenset[str]
) -> None:
    applicant = Applicant(standing, units)
    why = refusal(policy, {"ward"}, applicant)
    if why is None:
        check_open(policy, {"ward"}, applicant)
        return
    with pytest.raises(MeetingNotOpenError) as not_open:
        check_open(policy, {"ward"}, applicant)
    assert not_open.value.reason == why


def test_a_refusal_gives_its_reason() -> None:
    with pytest.raises(JoinRefusedError) as refused:
        check_join(Policy.RESTRICT, frozenset(), Applicant(GUEST))
    assert refused.value.reason == "not_registered"
    with pytest.raises(MeetingNotOpenError) as not_open:
        check_open(Policy.ORG, frozenset(), Applicant(GUEST))
    assert not_open.value.reason == "not_in_organization"
    check_join(Policy.PUBLIC, frozenset(), Applicant(GUEST))


def test_another_password_has_another_mark() -> None:
    assert password_mark(None) is None
    assert password_mark("hash-1") != password_mark("hash-2") != "hash-2"
