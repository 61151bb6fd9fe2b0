"""Targets that hold the keys: checks that come again (RFC 7675), and DTLS records after the handshake.

An input is a list of moves: a datagram as it is, one that is signed or sealed as only the client can, however
odd its content, and one that came before, once more or with a byte changed.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Sequence
from zlib import crc32

from sfu.webrtc import stun
from sfu.webrtc.dtls import DtlsState
from sfu.webrtc.dtls_records import ALERT, APPLICATION_DATA, HANDSHAKE, split_records
from sfu.webrtc.dtls_session import EPOCH, SUITES
from sfu.webrtc.ice import IceLiteAgent, IceResult
from tests.fuzz.target import Target, joined, parts
from tests.sfu.webrtc.test_dtls_session import Openssl

AS_IT_IS, AUTHENTIC, AGAIN, CHANGED = range(4)
"""What a move begins with."""
LOCAL = ("node", "a password of the right length")
ADDRESS = ("192.0.2.9", 50_000)
FIRST_SEQUENCE = 1000
"""Above those that OpenSSL seals by itself."""
LARGEST_LEAP = 1 << 16


def _earlier(sent: Sequence[bytes], move: bytes) -> bytes:
    """move: index, and of a changed one place and what to flip there (and, of a check, anything)."""
    if not sent or len(move) < 2:
        return b""
    data = sent[move[1] % len(sent)]
    if move[0] % 4 == CHANGED and len(move) >= 4 and data:
        place = move[2] % len(data)
        data = data[:place] + bytes((data[place] ^ move[3],)) + data[place + 1 :]
    return data


# --- connectivity checks ---------------------------------------------------------------------------------


def repeat_checks(data: bytes) -> None:
    """Whatever came before, a check is answered as it would be by one who reads all of it."""
    agent = IceLiteAgent(*LOCAL)
    sent = [_usual()]
    agent.handle_request(sent[0], ADDRESS, 1.0)
    for move in parts(data):
        if move:
            sent.append(_check(sent, move))
            assert agent.handle_request(sent[-1], ADDRESS, 2.0) == _read_anew(sent[-1])
    again = _usual(b"after it all")
    assert agent.handle_request(again, ADDRESS, 3.0) == _read_anew(again)
    assert _read_anew(again).valid


def _check(sent: Sequence[bytes], move: bytes) -> bytes:
    kind = move[0] % 4
    if kind == AS_IT_IS:
        return move[1:]
    if kind == AUTHENTIC:
        return _signed(move[1:])
    data = _earlier(sent, move)
    # A forger lacks the password and can count a checksum.
    return data[:-8] + _fingerprint(data[:-8]) if kind == CHANGED and move[4:] else data


def _read_anew(data: bytes) -> IceResult:
    return IceLiteAgent(*LOCAL).handle_request(data, ADDRESS, 2.0)


def _usual(transaction: bytes = b"transaction!") -> bytes:
    attributes = ((stun.USERNAME, b"node:client"), (stun.PRIORITY, bytes(4)), (stun.USE_CANDIDATE, b""))
    return stun.build_stun(stun.BINDING_REQUEST, transaction, attributes, key=LOCAL[1].encode())


def _signed(move: bytes) -> bytes:
    """move: type (2), transaction id (12), attributes as they are."""
    kind, transaction, attributes = move[:2].rjust(2, b"\0"), move[2:14].ljust(12, b"\0"), move[14:2048]
    rest = stun.COOKIE_BYTES + transaction + attributes
    signed = kind + (len(attributes) + 24).to_bytes(2, "big") + rest
    integrity = stun.attribute_header(stun.MESSAGE_INTEGRITY, 20) + hmac.digest(
        LOCAL[1].encode(), signed, "sha1"
    )
    whole = kind + (len(attributes) + 32).to_bytes(2, "big") + rest + integrity
    return whole + _fingerprint(whole)


def _fingerprint(data: bytes) -> bytes:
    check = crc32(data) ^ stun.FINGERPRINT_XOR
    return stun.attribute_header(stun.FINGERPRINT, 4) + check.to_bytes(4, "big")


def check_seeds() -> Sequence[bytes]:
    usual = _usual(b"another one!")
    odd = b"\0\1" + b"transaction!" + stun.attribute_header(stun.USERNAME, 11) + b"node:client\0"
    twice = odd + odd[14:] + stun.attribute_header(stun.ICE_CONTROLLED, 8) + bytes(8)
    return (
        joined((bytes((AS_IT_IS,)) + usual, bytes((AGAIN, 1)), bytes((CHANGED, 0, 9, 1)))),
        joined(
            (bytes((AUTHENTIC,)) + odd, bytes((AGAIN, 1)), bytes((CHANGED, 1, 1, 0x10)), bytes((AGAIN, 0)))
        ),
        joined((bytes((AUTHENTIC,)) + twice, bytes((AUTHENTIC,)) + odd[:14])),
        joined([bytes((CHANGED, 0, place, 1, 1)) for place in (0, 1, 3, 5, 9, 24, 40, len(usual) - 20)]),
    )


# --- DTLS records ----------------------------------------------------------------------------------------


def open_records(data: bytes) -> None:
    """RFC 6347 section 4.1.2: what the client sealed is opened once, nothing else is, and only its own
    farewell ends the association."""
    peer = Openssl(tuple(SUITES)[data[0] % len(SUITES)] if data else next(iter(SUITES)))
    sent: list[bytes] = []
    contents: Counter[bytes] = Counter()
    received: Counter[bytes] = Counter()
    numbers: dict[bytes, bytes] = {}
    sequence, ended = FIRST_SEQUENCE, False
    for move in parts(data[1:]):
        if not move:
            continue
        kind = move[0] % 4
        if kind == AUTHENTIC:
            content_type, content = move[1:2] or b"\0", move[4:]
            sequence += 1 + int.from_bytes(move[2:4], "big") % LARGEST_LEAP
            sent.append(peer.session(sequence).seal(content_type[0], content))
            contents[content] += content_type[0] == APPLICATION_DATA
            ended |= content_type[0] == ALERT and len(content) == 2 and (content[0] == 2 or content[1] == 0)
            peer.node.handle_datagram(sent[-1])
        else:
            peer.node.handle_datagram(move[1:] if kind == AS_IT_IS else _earlier(sent, move))
        received.update(peer.node.poll_received())
        for record in (one for datagram in peer.node.poll_datagrams() for one in split_records(datagram)):
            if record[3:5] == EPOCH:
                assert numbers.setdefault(record[5:11], record) == record, "a nonce for two contents"
    assert received <= contents
    assert (peer.node.state is DtlsState.CLOSED) == ended
    if not ended:
        peer.node.handle_datagram(peer.session(sequence + 1).seal(APPLICATION_DATA, b"after it all"))
        assert peer.node.poll_received() == [b"after it all"]


def record_seeds() -> Sequence[bytes]:
    def sealed(content_type: int, content: bytes, leap: int = 0) -> bytes:
        return bytes((AUTHENTIC, content_type)) + leap.to_bytes(2, "big") + content

    again, changed = bytes((AGAIN, 0)), bytes((CHANGED, 0, 20, 0x80))
    short = bytes((AS_IT_IS, APPLICATION_DATA)) + b"\xfe\xfd" + EPOCH + b"\xff" * 6 + b"\0\5" + bytes(5)
    moves = (
        (sealed(APPLICATION_DATA, b"one"), again, changed, sealed(APPLICATION_DATA, b"two", 70), again),
        (sealed(HANDSHAKE, b"\x14" + bytes(23)), again, sealed(HANDSHAKE, b"\x01" + bytes(60)), changed),
        (sealed(ALERT, b"\x01\x5a"), sealed(ALERT, b"\x01"), changed, sealed(ALERT, b"\x01\x00"), again),
        (
            sealed(20, b"\x01"),
            sealed(24, b"\x01\0\x10"),
            sealed(APPLICATION_DATA, b""),
            short,
        ),
    )
    return tuple(bytes((number,)) + joined(one) for number, one in enumerate(moves))


TARGETS = (
    Target("repeated-check", repeat_checks, check_seeds),
    Target("dtls-record", open_records, record_seeds),
)
