"""STUN against the vectors of RFC 5769, against aioice, and against garbage."""

from __future__ import annotations

import hashlib

import pytest
from aioice import stun as oracle
from hypothesis import given
from hypothesis import strategies as st

from sfu.errors import StunError
from sfu.webrtc import stun
from sfu.webrtc.stun import build_stun, encode_xor_address, is_stun, parse_stun

PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
TRANSACTION_ID = bytes.fromhex("b7e7a701bc34d686fa87dfae")

# RFC 5769 sections 2.1 to 2.4.
SAMPLE_REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff"
    "80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf"
)
SAMPLE_IPV4_RESPONSE = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
    "80280004c07d4c96"
)
SAMPLE_IPV6_RESPONSE = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed41"
    "80280004c8fb0b4c"
)
SAMPLE_LONG_TERM_REQUEST = bytes.fromhex(
    "000100602112a44278ad3433c6ad72c029da412e"
    "00060012e3839ee38388e383aae38383e382afe382b90000"
    "0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341"
    "0014000b6578616d706c652e6f726700"
    "00080014f67024656dd64a3e02b8e0712e85c9a28ca89666"
)

attribute = st.tuples(st.sampled_from([0x0006, 0x0024, 0x8022, 0x7FFF, 0xC000]), st.binary(max_size=40))
attributes = st.lists(attribute, max_size=8, unique_by=lambda pair: pair[0])


def test_the_sample_request_of_rfc_5769() -> None:
    message = parse_stun(SAMPLE_REQUEST)
    assert message.type == stun.BINDING_REQUEST
    assert message.transaction_id == TRANSACTION_ID
    assert message.username == "evtj:h6vY"
    assert message.attributes[stun.SOFTWARE] == b"STUN test client"
    assert message.attributes[stun.PRIORITY] == bytes.fromhex("6e0001ff")
    assert message.attributes[stun.ICE_CONTROLLED] == bytes.fromhex("932ff9b151263b36")
    assert message.has_fingerprint
    assert message.verify_integrity(PASSWORD)
    assert not message.verify_integrity(PASSWORD + b"x")


@pytest.mark.parametrize(
    ("response", "address"),
    [
        (SAMPLE_IPV4_RESPONSE, ("192.0.2.1", 32853)),
        (SAMPLE_IPV6_RESPONSE, ("2001:db8:1234:5678:11:2233:4455:6677", 32853)),
    ],
)
def test_the_sample_responses_of_rfc_5769(response: bytes, address: tuple[str, int]) -> None:
    message = parse_stun(response)
    assert message.type == stun.BINDING_SUCCESS
    assert message.mapped_address == address
    assert message.has_fingerprint
    assert message.verify_integrity(PASSWORD)


@pytest.mark.parametrize(
    ("response", "address"),
    [
        (SAMPLE_IPV4_RESPONSE, ("192.0.2.1", 32853)),
        (SAMPLE_IPV6_RESPONSE, ("2001:db8:1234:5678:11:2233:4455:6677", 32853)),
    ],
)
def test_the_sample_responses_are_built_as_in_rfc_5769(response: bytes, address: tuple[str, int]) -> None:
    # The RFC pads SOFTWARE with a space, we with a zero; and padding is signed.
    software = (stun.SOFTWARE, b"test vector")
    mapped = (stun.XOR_MAPPED_ADDRESS, encode_xor_address(address, TRANSACTION_ID))
    unsigned = build_stun(stun.BINDING_SUCCESS, TRANSACTION_ID, [software, mapped], fingerprint=False)
    unsigned = unsigned[:35] + b" " + unsigned[36:]
    assert unsigned[4:] == response[4 : len(unsigned)]
    signed = build_stun(
        stun.BINDING_SUCCESS, TRANSACTION_ID, [(stun.SOFTWARE, b"test vector "), mapped], key=PASSWORD
    )
    assert len(signed) == len(response)
    assert signed[:4] == response[:4]


def test_the_sample_request_with_long_term_authentication_of_rfc_5769() -> None:
    message = parse_stun(SAMPLE_LONG_TERM_REQUEST)
    assert message.username == "マトリックス"
    assert message.attributes[stun.REALM] == b"example.org"
    assert message.attributes[stun.NONCE] == b"f//499k954d6OL34oL9FSTvy64sA"
    assert not message.has_fingerprint
    key = hashlib.md5("マトリックス:example.org:TheMatrIX".encode()).digest()
    assert message.verify_integrity(key)


def test_aioice_reads_what_we_write() -> None:
    data = build_stun(
        stun.BINDING_REQUEST,
        TRANSACTION_ID,
        [(stun.USERNAME, b"ours:theirs"), (stun.PRIORITY, bytes(4)), (stun.USE_CANDIDATE, b"")],
        key=PASSWORD,
    )
    message = oracle.parse_message(data)
    assert message.attributes["USERNAME"] == "ours:theirs"
    assert "USE-CANDIDATE" in message.attributes
    assert message.check_message_integrity(PASSWORD)


def test_we_read_what_aioice_writes() -> None:
    message = oracle.Message(
        message_method=oracle.Method.BINDING,
        message_class=oracle.Class.RESPONSE,
        transaction_id=TRANSACTION_ID,
    )
    message.attributes["XOR-MAPPED-ADDRESS"] = ("2001:db8::7", 65535)
    message.add_message_integrity(PASSWORD)
    parsed = parse_stun(bytes(message))
    assert parsed.mapped_address == ("2001:db8::7", 65535)
    assert parsed.verify_integrity(PASSWORD)


@given(attributes, st.binary(min_size=12, max_size=12), st.none() | st.binary(min_size=1), st.booleans())
def test_what_is_built_is_parsed_again(
    pairs: list[tuple[int, bytes]], transaction_id: bytes, key: bytes | None, fingerprint: bool
) -> None:
    data = build_stun(stun.BINDING_REQUEST, transaction_id, pairs, key=key, fingerprint=fingerprint)
    message = parse_stun(data)
    assert message.attributes == dict(pairs)
    assert message.transaction_id == transaction_id
    assert message.has_fingerprint == fingerprint
    assert message.verify_integrity(key or b"?") == (key is not None)


@given(st.binary(max_size=200))
def test_garbage_raises_nothing_but_stun_error(data: bytes) -> None:
    for candidate in (data, b"\0\1" + len(data).to_bytes(2, "big") + stun.COOKIE_BYTES + bytes(12) + data):
        try:
            message = parse_stun(candidate)
            message.verify_integrity(b"key")
            assert isinstance(message.unknown_attributes, list)
            assert message.username is None or message.username.encode() == message.attributes[stun.USERNAME]
            assert message.error_code is None or message.error_code < 800
            _ = message.mapped_address
        except StunError:
            continue


@given(st.integers(0, len(SAMPLE_REQUEST) * 8 - 1))
def test_a_single_flipped_bit_never_passes_the_checks(bit: int) -> None:
    data = bytearray(SAMPLE_REQUEST)
    data[bit // 8] ^= 1 << bit % 8
    try:
        message = parse_stun(bytes(data))
    except StunError:
        return
    # The only way to survive is to make the fingerprint another attribute.
    assert not message.has_fingerprint


@pytest.mark.parametrize("length", range(len(SAMPLE_REQUEST)))
def test_a_cut_off_message_is_refused(length: int) -> None:
    with pytest.raises(StunError):
        parse_stun(SAMPLE_REQUEST[:length])


def test_what_follows_the_integrity_is_not_believed() -> None:
    signed = build_stun(stun.BINDING_REQUEST, TRANSACTION_ID, [], key=PASSWORD, fingerprint=False)
    forged = signed + bytes.fromhex("00250000")
    forged = forged[:2] + (len(forged) - 20).to_bytes(2, "big") + forged[4:]
    message = parse_stun(forged)
    assert message.verify_integrity(PASSWORD)
    assert stun.USE_CANDIDATE not in message.attributes


def test_too_many_attributes_are_refused() -> None:
    with pytest.raises(StunError):
        parse_stun(build_stun(stun.BINDING_REQUEST, TRANSACTION_ID, [(0x8022, b"")] * 100))


def test_an_ipv4_address_inside_an_ipv6_one_is_reported_as_ipv4() -> None:
    value = encode_xor_address(("::ffff:192.0.2.7", 5, 0, 0), TRANSACTION_ID)
    assert stun.decode_xor_address(value, TRANSACTION_ID) == ("192.0.2.7", 5)
    scoped = encode_xor_address(("fe80::1%eth0", 5, 0, 2), TRANSACTION_ID)
    assert stun.decode_xor_address(scoped, TRANSACTION_ID) == ("fe80::1", 5)


def test_media_and_dtls_are_not_taken_for_stun() -> None:
    assert is_stun(SAMPLE_REQUEST)
    assert not is_stun(b"\x80" + SAMPLE_REQUEST[1:])
    assert not is_stun(b"\x16\xfe\xfd" + bytes(40))
    assert not is_stun(SAMPLE_REQUEST[:19])
