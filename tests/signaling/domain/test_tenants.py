"""Plans, roles, units, addresses and passwords: the rules, without anything around them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signaling.domain.caller import EVERYTHING, Caller, Scope
from signaling.domain.errors import FeatureDisabledError, PlanLimitError, ValidationFailedError
from signaling.domain.plan import PLANS, Feature, PlanName, check_room, features_of, require_feature
from signaling.domain.role import SCOPES, UNIT_SCOPES, Role, key_caller, membership_in, user_caller
from signaling.domain.unit import may_touch
from signaling.domain.user import MAX_PASSWORD, MIN_PASSWORD, check_password, normal_email, normal_password
from tests.signaling import values

ACME = values.organization()
APP = replace(values.organization("staging"), parent_id=ACME.id)
SALES = values.unit(ACME)
NORTH = values.unit(ACME, "North", SALES)
ADA = values.user()


def test_the_default_plan_withholds_nothing() -> None:
    assert features_of(ACME) == frozenset(Feature)
    assert PLANS[ACME.plan].limits == type(PLANS[ACME.plan].limits)()


def test_flags_correct_the_plan_and_taking_away_wins() -> None:
    some = replace(ACME, plan=PlanName.STARTER, feature_flags=("livestream", "-chat", "polls", "-polls"))
    require_feature(some, Feature.LIVESTREAM)
    for missing in (Feature.CHAT, Feature.POLLS, Feature.TRANSCRIPTION):
        with pytest.raises(FeatureDisabledError) as refused:
            require_feature(some, missing)
        assert f"'{missing}'" in refused.value.message and "Feature" not in refused.value.message


def test_a_limit_is_how_many_there_may_be() -> None:
    check_room("apps", 1, 2)
    check_room("apps", 10**9, None)
    with pytest.raises(PlanLimitError):
        check_room("apps", 2, 2)


def test_who_is_limited_to_a_unit_touches_it_and_what_is_below() -> None:
    whole, sales, north = (Caller(ACME.id, "key", unit_id=one) for one in (None, SALES.id, NORTH.id))
    for caller, path, expected in (
        (whole, None, True),
        (whole, NORTH.path, True),
        (sales, None, False),
        (sales, SALES.path, True),
        (sales, NORTH.path, True),
        (north, SALES.path, False),
    ):
        assert may_touch(caller, path) is expected


def test_roles_have_ever_fewer_rights() -> None:
    assert SCOPES[Role.PLATFORM_ADMIN] == SCOPES[Role.ORGANIZATION_ADMIN] == EVERYTHING
    assert SCOPES[Role.MEMBER] < SCOPES[Role.UNIT_ADMIN] < EVERYTHING
    assert not any(scope.writes for scope in SCOPES[Role.MEMBER])


def test_a_credential_of_a_unit_has_no_scope_of_what_knows_no_units() -> None:
    key = replace(values.api_key(ACME), unit_id=SALES.id)
    caller = key_caller(key, ACME)
    assert caller is not None and caller.scopes == UNIT_SCOPES
    assert not caller.may(Scope.WEBHOOKS_READ) and not caller.may(Scope.ORGANIZATIONS_WRITE)


def test_a_membership_of_the_organization_counts_in_its_apps_unless_it_is_one_of_a_unit() -> None:
    whole = values.membership(ADA, ACME, Role.ORGANIZATION_ADMIN)
    of_unit = values.membership(ADA, ACME, Role.UNIT_ADMIN, SALES)
    of_app = values.membership(ADA, APP, Role.MEMBER)
    above = values.membership(ADA, None, Role.PLATFORM_ADMIN)
    assert membership_in(APP, [whole]) == whole
    assert membership_in(APP, [of_unit]) is None
    assert membership_in(APP, [whole, of_app]) == of_app
    assert membership_in(ACME, [of_app]) is None
    assert membership_in(ACME, [whole, above]) == above
    assert membership_in(ACME, [whole, replace(above, disabled=True)]) == whole


def test_a_user_is_who_their_membership_says_and_nobody_when_disabled() -> None:
    caller = user_caller(ADA, ACME, [values.membership(ADA, ACME, Role.UNIT_ADMIN, SALES)])
    assert caller == Caller(ACME.id, ADA.id, UNIT_SCOPES, SALES.id)
    admin = values.membership(ADA, ACME, Role.ORGANIZATION_ADMIN)
    assert user_caller(replace(ADA, disabled=True), ACME, [admin]) is None
    assert user_caller(ADA, ACME, [replace(admin, disabled=True)]) is None
    assert user_caller(ADA, ACME, []) is None


@pytest.mark.parametrize(
    "text", ["", "ada", "a@", "@b", "a b@c", "a@b@c", "x" * 250 + "@y.org", "a\x00@b.org"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValidationFailedError):
        normal_email(text)


def test_an_address_is_the_same_however_it_is_written() -> None:
    assert normal_email(" Ada.Lovelace@Example.ORG ") == normal_email("ada.lovelace@example.org")
    assert normal_password("cafe\u0301 au lait") == normal_password("caf\u00e9 au lait")


def test_a_password_is_neither_short_nor_endless_nor_the_address() -> None:
    email = "adalovelace1@example.org"
    for refused in ("x" * (MIN_PASSWORD - 1), "x" * (MAX_PASSWORD + 1), email, email.upper(), "AdaLovelace1"):
        with pytest.raises(ValidationFailedError):
            check_password(refused, email=email)
    check_password("x" * MIN_PASSWORD, email=email)
    check_password("x" * MAX_PASSWORD, email=email)
