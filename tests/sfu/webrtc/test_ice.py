"""The lite agent: whom it answers, whom it refuses, and what it never does for a stranger."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sfu.webrtc import stun
from sfu.webrtc.ice import (
    CONSENT_TIMEOUT,
    KEEPALIVE,
    RESTART_GRACE,
    IceController,
    IceCredentials,
    IceLiteAgent,
    username_fragment,
)
from sfu.webrtc.stun import build_stun, parse_stun

NODE = IceCredentials("node", "n" * 24)
CLIENT = IceCredentials("client", "c" * 24)
ADDRESS = ("192.0.2.9", 50_000)
TRANSACTION = b"transaction!"


def agent() -> IceLiteAgent:
    lite = IceLiteAgent(NODE.ufrag, NODE.pwd)
    lite.set_remote(CLIENT.ufrag, CLIENT.pwd)
    return lite


def check(
    *extra: tuple[int, bytes], username: str = "node:client", pwd: str = NODE.pwd, fingerprint: bool = True
) -> bytes:
    attributes = [(stun.USERNAME, username.encode()), (stun.ICE_CONTROLLING, bytes(8)), *extra]
    return build_stun(
        stun.BINDING_REQUEST, TRANSACTION, attributes, key=pwd.encode(), fingerprint=fingerprint
    )


def test_a_check_with_our_credentials_is_answered_with_the_address_it_came_from() -> None:
    lite = agent()
    result = lite.handle_request(check(), ADDRESS, now=7.0)
    assert (result.valid, result.nominated) == (True, False)
    assert result.response is not None
    response = parse_stun(result.response)
    assert response.type == stun.BINDING_SUCCESS
    assert response.transaction_id == TRANSACTION
    assert response.mapped_address == ADDRESS
    assert response.has_fingerprint
    assert response.verify_integrity(NODE.pwd.encode())
    assert lite.last_valid_check == 7.0


def test_use_candidate_nominates() -> None:
    assert agent().handle_request(check((stun.USE_CANDIDATE, b"")), ADDRESS, now=0.0).nominated


def test_addresses_of_both_families_are_reported() -> None:
    result = agent().handle_request(check(), ("2001:db8::1", 1, 0, 0), now=0.0)
    assert result.response is not None
    assert parse_stun(result.response).mapped_address == ("2001:db8::1", 1)


def test_a_check_before_the_clients_answer_came_is_answered() -> None:
    lite = IceLiteAgent(NODE.ufrag, NODE.pwd)
    assert lite.handle_request(check(username="node:whoever"), ADDRESS, now=0.0).valid


def test_a_check_that_repeats_the_last_one_is_answered_for_itself() -> None:
    lite = agent()
    assert lite.handle_request(check((stun.USE_CANDIDATE, b"")), ADDRESS, now=0.0).nominated
    controller = IceController(CLIENT, NODE)
    for number in range(1, 4):
        transaction = bytes((number,)) * 12
        result = lite.handle_request(controller.make_check(transaction, 0.0), ADDRESS, now=float(number))
        assert (result.valid, result.nominated) == (True, True)
        assert result.response is not None
        assert controller.handle_response(result.response, 0.0)
        assert lite.last_valid_check == number


def test_a_check_that_only_looks_like_the_last_one_is_refused() -> None:
    lite = agent()
    assert lite.handle_request(check(), ADDRESS, now=0.0).valid
    forged = lite.handle_request(check(pwd="x" * 24), ADDRESS, now=1.0)
    broken = lite.handle_request(check()[:-1] + b"?", ADDRESS, now=1.0)
    assert (forged.valid, broken.valid) == (False, False)
    assert forged.response is not None
    assert parse_stun(forged.response).error_code == 401
    assert broken.response is None
    assert lite.last_valid_check == 0.0


def test_the_usual_check_is_good_for_no_longer_than_its_credentials() -> None:
    lite = agent()
    assert lite.handle_request(check(), ADDRESS, now=0.0).valid
    lite.restart("other", "o" * 24, now=1.0)
    assert lite.handle_request(check(), ADDRESS, now=1.0 + RESTART_GRACE / 2).valid
    assert not lite.handle_request(check(), ADDRESS, now=1.0 + RESTART_GRACE).valid


def assert_refused(data: bytes, code: int | None) -> None:
    lite = agent()
    result = lite.handle_request(data, ADDRESS, now=0.0)
    assert not result.valid
    assert not result.nominated
    assert lite.last_valid_check is None
    assert lite.rejected == 1
    answered = None if result.response is None else parse_stun(result.response).error_code
    assert answered == code
    if answered in (400, 401):
        assert result.response is not None
        assert len(result.response) <= len(data), "no amplification"


def test_a_wrong_password_is_unauthenticated() -> None:
    assert_refused(check((stun.USE_CANDIDATE, b""), pwd="wrong" * 5), 401)


def test_an_unknown_username_is_unauthenticated() -> None:
    assert_refused(check(username="other:client"), 401)
    assert_refused(check(username="node:other"), 401)
    assert_refused(check(username="node"), 401)


def test_a_check_without_credentials_is_a_bad_request_if_the_answer_is_not_larger() -> None:
    padded = [(stun.SOFTWARE, bytes(40))]
    assert_refused(build_stun(stun.BINDING_REQUEST, TRANSACTION, padded), 400)
    assert_refused(build_stun(stun.BINDING_REQUEST, TRANSACTION, []), None)


def test_a_check_without_fingerprint_is_dropped() -> None:
    assert_refused(check(fingerprint=False), None)


def test_responses_and_indications_are_dropped() -> None:
    for kind in (stun.BINDING_INDICATION, stun.BINDING_SUCCESS, stun.BINDING_ERROR, 0x0003):
        assert_refused(build_stun(kind, TRANSACTION, [], key=NODE.pwd.encode()), None)


def test_an_attribute_that_must_be_understood_is_named() -> None:
    data = check((0x7F01, b""))
    assert_refused(data, 420)
    response = agent().handle_request(data, ADDRESS, now=0.0).response
    assert response is not None
    assert parse_stun(response).attributes[stun.UNKNOWN_ATTRIBUTES] == b"\x7f\x01"


def test_a_client_that_believes_to_be_controlled_is_told_to_switch() -> None:
    attributes = [(stun.USERNAME, b"node:client"), (stun.ICE_CONTROLLED, bytes(8))]
    assert_refused(build_stun(stun.BINDING_REQUEST, TRANSACTION, attributes, key=NODE.pwd.encode()), 487)


@given(st.binary(max_size=120))
def test_garbage_is_dropped_without_a_word(data: bytes) -> None:
    lite = agent()
    assert lite.handle_request(data, ADDRESS, now=0.0).response is None
    assert username_fragment(data) is None
    framed = b"\0\1" + len(data).to_bytes(2, "big") + stun.COOKIE_BYTES + bytes(12) + data
    assert lite.handle_request(framed, ADDRESS, now=0.0).response is None
    username_fragment(framed)


def test_after_a_restart_the_old_credentials_hold_for_a_while() -> None:
    lite = agent()
    lite.restart("node2", "m" * 24, now=100.0)
    lite.set_remote("client2", "d" * 24)
    renewed = check(username="node2:client2", pwd="m" * 24)
    assert lite.local == IceCredentials("node2", "m" * 24)
    assert lite.handle_request(renewed, ADDRESS, now=101.0).valid
    assert lite.handle_request(check(), ADDRESS, now=100.0 + RESTART_GRACE - 1).valid
    assert not lite.handle_request(check(), ADDRESS, now=100.0 + RESTART_GRACE).valid
    assert lite.handle_request(renewed, ADDRESS, now=500.0).valid


def test_old_and_new_credentials_do_not_mix() -> None:
    lite = agent()
    lite.restart("node2", "m" * 24, now=0.0)
    lite.set_remote("client2", "d" * 24)
    assert not lite.handle_request(check(username="node2:client2"), ADDRESS, now=1.0).valid
    assert not lite.handle_request(check(username="node2:client", pwd="m" * 24), ADDRESS, now=1.0).valid


def test_the_username_tells_whose_check_it_is() -> None:
    assert username_fragment(check()) == "node"
    assert username_fragment(check(username="nocolon")) is None
    assert username_fragment(build_stun(stun.BINDING_SUCCESS, TRANSACTION, [(stun.USERNAME, b"a:b")])) is None
    assert username_fragment(build_stun(stun.BINDING_REQUEST, TRANSACTION, [])) is None


def test_a_controller_and_a_lite_agent_find_each_other() -> None:
    lite, bot = agent(), IceController(CLIENT, NODE)
    assert bot.last_response is None
    result = lite.handle_request(bot.make_check(TRANSACTION, 1.0), ADDRESS, now=1.0)
    assert result.nominated
    assert result.response is not None
    assert bot.handle_response(result.response, 1.1)
    assert bot.is_valid
    assert bot.mapped_address == ADDRESS
    assert bot.next_check_at == 1.1 + KEEPALIVE
    assert bot.has_consent(1.1 + CONSENT_TIMEOUT - 1)
    assert not bot.has_consent(1.1 + CONSENT_TIMEOUT)
    assert not bot.handle_response(result.response, 2.0), "each check is answered once"


def test_a_controller_can_check_without_nominating() -> None:
    result = agent().handle_request(
        IceController(CLIENT, NODE).make_check(TRANSACTION, 0.0, nominate=False), ADDRESS, 0.0
    )
    assert (result.valid, result.nominated) == (True, False)


def test_a_controller_checks_ever_more_slowly_until_it_is_answered() -> None:
    bot, now, gaps = IceController(CLIENT, NODE), 0.0, []
    for number in range(7):
        bot.make_check(number.to_bytes(12, "big"), now)
        gaps.append(round(bot.next_check_at - now, 3))
        now = bot.next_check_at
    assert gaps == [0.1, 0.2, 0.4, 0.8, 1.6, 1.6, 1.6]


def test_a_controller_believes_only_signed_answers_to_its_own_checks() -> None:
    bot = IceController(CLIENT, NODE)
    request = bot.make_check(TRANSACTION, 0.0)
    mapped = [(stun.XOR_MAPPED_ADDRESS, stun.encode_xor_address(ADDRESS, TRANSACTION))]
    for forged in (
        b"garbage",
        request,
        build_stun(stun.BINDING_SUCCESS, TRANSACTION, mapped, key=b"wrong"),
        build_stun(stun.BINDING_SUCCESS, b"another one!", mapped, key=NODE.pwd.encode()),
        build_stun(stun.BINDING_SUCCESS, TRANSACTION, [(0x20, b"short")], key=NODE.pwd.encode()),
        build_stun(stun.BINDING_ERROR, TRANSACTION, [], key=NODE.pwd.encode()),
    ):
        assert not bot.handle_response(forged, 0.1)
    assert bot.rejected == 6
    assert not bot.is_valid


def test_a_client_answers_the_checks_of_an_agent_that_is_not_lite() -> None:
    bot, full = IceController(CLIENT, NODE, controlling=False), IceController(NODE, CLIENT)
    answer = bot.answer(full.make_check(TRANSACTION, 0.0), ADDRESS)
    assert answer is not None
    assert full.handle_response(answer, 0.1)
    assert full.mapped_address == ADDRESS


def test_a_client_answers_no_check_that_is_not_for_it() -> None:
    bot = IceController(CLIENT, NODE, controlling=False)
    stranger = IceController(NODE, IceCredentials(CLIENT.ufrag, "x" * 24))
    assert bot.answer(stranger.make_check(TRANSACTION, 0.0), ADDRESS) is None
    assert bot.answer(b"\x00\x01garbage", ADDRESS) is None


def test_who_does_not_control_says_so_and_nominates_nothing() -> None:
    sent = parse_stun(IceController(CLIENT, NODE, controlling=False).make_check(TRANSACTION, 0.0))
    assert stun.ICE_CONTROLLED in sent.attributes
    assert stun.ICE_CONTROLLING not in sent.attributes
    assert stun.USE_CANDIDATE not in sent.attributes
