"""A check that comes again is recognised whatever its transaction id, and never what only looks like it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sfu.webrtc import stun
from sfu.webrtc.stun import build_stun, encode_xor_address
from sfu.webrtc.usual_check import UsualCheck

KEY = b"n" * 36
FIRST, SECOND = b"transaction!", b"another one!"
ADDRESS = ("192.0.2.9", 50_000)
ATTRIBUTES = [
    (stun.USERNAME, b"node:client"),
    (stun.PRIORITY, bytes(4)),
    (stun.ICE_CONTROLLING, bytes(8)),
    (stun.USE_CANDIDATE, b""),
]


def check(
    transaction_id: bytes = SECOND,
    *,
    attributes: list[tuple[int, bytes]] = ATTRIBUTES,
    key: bytes = KEY,
    kind: int = stun.BINDING_REQUEST,
    fingerprint: bool = True,
) -> bytes:
    return build_stun(kind, transaction_id, attributes, key=key, fingerprint=fingerprint)


def usual() -> UsualCheck:
    return UsualCheck(check(FIRST), KEY, nominates=True)


@given(st.binary(min_size=1, max_size=150), st.binary(min_size=12, max_size=12))
def test_under_any_key_the_integrity_is_that_of_a_message_made_anew(key: bytes, transaction: bytes) -> None:
    first = build_stun(stun.BINDING_REQUEST, FIRST, ATTRIBUTES, key=key)
    known = UsualCheck(first, key, nominates=True)
    assert known.matches(build_stun(stun.BINDING_REQUEST, transaction, ATTRIBUTES, key=key))
    assert not known.matches(build_stun(stun.BINDING_REQUEST, transaction, ATTRIBUTES, key=key + b"x"))
    mapped = (stun.XOR_MAPPED_ADDRESS, encode_xor_address(ADDRESS, transaction))
    for _ in range(2):
        made = known.answer(transaction, ADDRESS)
        assert made == build_stun(stun.BINDING_SUCCESS, transaction, [mapped], key=key)


def test_it_is_recognised_with_any_transaction_id() -> None:
    assert usual().matches(check(FIRST))
    assert usual().matches(check(SECOND))


def test_another_check_is_not_it() -> None:
    others = (
        check(attributes=ATTRIBUTES[:-1]),
        check(attributes=[*ATTRIBUTES[:1], (stun.PRIORITY, b"\0\0\0\1"), *ATTRIBUTES[2:]]),
        check(attributes=[*ATTRIBUTES, (stun.SOFTWARE, b"more")]),
        check(key=b"x" * 36),
        check(kind=stun.BINDING_INDICATION),
        check(fingerprint=False),
        b"",
    )
    assert not any(usual().matches(data) for data in others)


def test_one_with_any_byte_changed_is_not_it() -> None:
    whole = check()
    for place in range(len(whole)):
        broken = bytearray(whole)
        broken[place] ^= 1
        assert not usual().matches(bytes(broken)), place


def test_one_that_is_cut_off_or_longer_is_not_it() -> None:
    whole = check()
    assert not any(usual().matches(whole[:length]) for length in range(len(whole)))
    assert not usual().matches(whole + bytes(4))


def test_its_answer_is_the_one_that_would_be_printed_anew() -> None:
    made = usual()
    for address in (ADDRESS, ADDRESS, ("2001:db8::1", 1, 0, 0), ("2001:db8::1", 1, 0, 0), ("192.0.2.10", 9)):
        for transaction_id in (FIRST, SECOND):
            mapped = (stun.XOR_MAPPED_ADDRESS, encode_xor_address(address, transaction_id))
            printed = build_stun(stun.BINDING_SUCCESS, transaction_id, [mapped], key=KEY)
            assert made.answer(transaction_id, address) == printed


def test_only_a_message_that_ends_secured_can_be_it() -> None:
    assert UsualCheck.can_be(check())
    assert not UsualCheck.can_be(check(fingerprint=False))
    signed = check(fingerprint=False)
    behind = signed + stun.attribute_header(stun.SOFTWARE, 4) + b"more"
    assert not UsualCheck.can_be(behind + stun.attribute_header(stun.FINGERPRINT, 4) + bytes(4))
