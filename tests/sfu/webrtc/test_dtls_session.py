"""Records after the handshake: what one side seals the other opens, once; and OpenSSL is the other side."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from OpenSSL import SSL

from sfu.webrtc.dtls import DTLS_1_2, DtlsState
from sfu.webrtc.dtls_records import ALERT, APPLICATION_DATA, HANDSHAKE, split_records
from sfu.webrtc.dtls_session import (
    EPOCH,
    MAX_SEQUENCE,
    SUITES,
    WINDOW,
    CipherSuite,
    DtlsSession,
    derive_keys,
    expand,
)
from tests.sfu.webrtc.test_dtls import announced, client, hand_over, server, shake_hands, strict_client

each_suite = pytest.mark.parametrize("name", SUITES)
MANY = 1000


def pair(suite: CipherSuite) -> tuple[DtlsSession, DtlsSession]:
    ours, theirs = derive_keys(suite, os.urandom(48), os.urandom(32), os.urandom(32))
    return DtlsSession(suite, theirs, ours, sequence=1), DtlsSession(suite, ours, theirs, sequence=1)


@each_suite
def test_what_is_sealed_is_opened_and_only_by_the_other_side(name: str) -> None:
    one, other = pair(SUITES[name])
    for content in (b"", b"x", os.urandom(1200)):
        record = one.seal(APPLICATION_DATA, content)
        assert list(split_records(record)) == [record]
        assert one.open(record) is None
        assert other.open(record) == content


@each_suite
def test_a_record_is_opened_once_in_whatever_order_they_come(name: str) -> None:
    one, other = pair(SUITES[name])
    records = [one.seal(APPLICATION_DATA, bytes((number,))) for number in range(WINDOW)]
    for number in (3, 0, 63, 1, 62, 2, 40):
        assert other.open(records[number]) == bytes((number,))
        assert other.open(records[number]) is None
    assert other.open(records[41]) == bytes((41,))


@each_suite
def test_one_that_is_too_late_to_tell_is_not_opened(name: str) -> None:
    one, other = pair(SUITES[name])
    records = [one.seal(APPLICATION_DATA, b"x") for _ in range(WINDOW + 1)]
    other.open(records[-1])
    assert other.open(records[0]) is None
    assert other.open(records[1]) == b"x"


@each_suite
def test_one_that_leaps_ahead_is_opened_and_the_old_ones_stay_closed(name: str) -> None:
    one, other = pair(SUITES[name])
    records = [one.seal(APPLICATION_DATA, b"x") for _ in range(MANY)]
    assert other.open(records[5]) == b"x"
    assert other.open(records[-1]) == b"x"
    assert other.open(records[5]) is None
    assert other.open(records[-1]) is None
    assert other.open(records[-2]) == b"x"


@each_suite
def test_a_forgery_is_not_opened_and_moves_no_window(name: str) -> None:
    one, other = pair(SUITES[name])
    first = one.seal(APPLICATION_DATA, b"first")
    for place in range(len(first)):
        if place in (11, 12):
            continue  # the length, by which records are told apart
        forged = bytearray(first)
        forged[place] ^= 1
        assert other.open(bytes(forged)) is None, place
    assert other.open(first[:3] + EPOCH + b"\xff" * 6 + first[11:]) is None
    assert other.open(first) == b"first"


@each_suite
def test_rubbish_of_any_length_is_not_opened(name: str) -> None:
    _, other = pair(SUITES[name])
    for length in range(60):
        head = bytes((APPLICATION_DATA,)) + b"\xfe\xfd" + EPOCH + bytes(6)
        assert other.open(head + length.to_bytes(2, "big") + os.urandom(length)) is None


@each_suite
def test_numbers_are_never_used_twice(name: str) -> None:
    ours, theirs = derive_keys(SUITES[name], os.urandom(48), os.urandom(32), os.urandom(32))
    one = DtlsSession(SUITES[name], theirs, ours, sequence=MAX_SEQUENCE)
    assert one.seal(APPLICATION_DATA, b"last") != b""
    assert one.seal(APPLICATION_DATA, b"one more") == b""


def test_keys_are_expanded_as_others_do() -> None:
    """The vector that was agreed on for TLS 1.2 with SHA-256; its seed begins with the label."""
    secret = bytes.fromhex("9bbe436ba940f017b17652849a71db35")
    seed = b"test label" + bytes.fromhex("a0ba9f936cda311827a6f796ffd5198c")
    expected = (
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"
        "6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab"
        "4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
        "87347b66"
    )
    assert expand(secret, seed, 100, "sha256").hex() == expected


class Openssl:
    """A client that is nothing but OpenSSL, connected to a node of ours; `session` knows its keys."""

    def __init__(self, name: str) -> None:
        self.node = server()
        self.connection = strict_client(DTLS_1_2, name.encode())
        for _ in range(4):
            try:
                self.connection.do_handshake()
            except SSL.WantReadError:
                self.exchange()
        assert self.node.state is DtlsState.CONNECTED
        assert self.connection.get_cipher_name() == name

    def exchange(self) -> None:
        for record in split_records(self.written()):
            self.node.handle_datagram(record)
        for datagram in self.node.poll_datagrams():
            self.connection.bio_write(datagram)

    def written(self) -> bytes:
        try:
            return self.connection.bio_read(1 << 16)
        except SSL.WantReadError:
            return b""

    def received(self) -> Iterator[bytes]:
        try:
            while True:
                yield self.connection.recv(1 << 14)
        except SSL.WantReadError:
            return

    def session(self, sequence: int = MANY) -> DtlsSession:
        """Seals what this client might, with numbers that OpenSSL has not come to yet."""
        suite = SUITES[self.connection.get_cipher_name() or ""]
        secret, ours, theirs = (
            self.connection.master_key(),
            self.connection.client_random(),
            self.connection.server_random(),
        )
        assert secret is not None
        assert ours is not None
        assert theirs is not None
        writes, reads = derive_keys(suite, secret, ours, theirs)
        return DtlsSession(suite, reads, writes, sequence=sequence)


@each_suite
def test_openssl_opens_what_is_sealed_and_the_other_way_round(name: str) -> None:
    peer = Openssl(name)
    for content in (b"x", os.urandom(1100)):
        peer.connection.send(content)
        peer.node.send(content)
        peer.exchange()
        assert peer.node.poll_received() == [content]
        assert list(peer.received()) == [content]
    assert peer.node.dropped_records == 0


@each_suite
def test_a_client_that_leaves_is_answered_and_forgotten(name: str) -> None:
    peer = Openssl(name)
    peer.connection.shutdown()
    peer.exchange()
    assert (peer.node.state, peer.node.keys) == (DtlsState.CLOSED, None)
    with pytest.raises(SSL.ZeroReturnError):
        peer.connection.recv(10)


@each_suite
def test_a_client_is_told_when_the_node_leaves(name: str) -> None:
    peer = Openssl(name)
    peer.node.close()
    peer.exchange()
    with pytest.raises(SSL.ZeroReturnError):
        peer.connection.recv(10)


@each_suite
def test_of_a_clients_alerts_only_fatal_ones_end_the_association(name: str) -> None:
    peer = Openssl(name)
    session = peer.session()
    for warning in (b"\x01\x5a", b"\x01", b"\x02\x28more"):
        peer.node.handle_datagram(session.seal(ALERT, warning))
    assert peer.node.state is DtlsState.CONNECTED
    peer.node.handle_datagram(session.seal(ALERT, b"\x02\x28"))
    assert (peer.node.state, peer.node.keys) == (DtlsState.CLOSED, None)


@each_suite
def test_another_handshake_is_not_begun(name: str) -> None:
    peer = Openssl(name)
    session = peer.session()
    for message in (b"\x01" + bytes(60), b"\x00" + bytes(11), b""):
        peer.node.handle_datagram(session.seal(HANDSHAKE, message))
    assert peer.node.poll_datagrams() == []
    assert peer.node.state is DtlsState.CONNECTED


@each_suite
def test_a_record_that_is_replayed_is_dropped(name: str) -> None:
    peer = Openssl(name)
    peer.connection.send(b"once")
    record = peer.written()
    for _ in range(3):
        peer.node.handle_datagram(record)
    assert peer.node.poll_received() == [b"once"]
    assert peer.node.dropped_records == 2


@each_suite
def test_no_nonce_is_used_for_two_records(name: str) -> None:
    peer = Openssl(name)
    session = peer.session()
    sealed: dict[bytes, bytes] = {}

    def note(datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            for record in split_records(datagram):
                if record[3:5] == EPOCH:
                    assert sealed.setdefault(record[5:11], record) == record

    peer.node.send(b"some")
    note(peer.node.poll_datagrams())
    for _ in range(2):
        peer.node.handle_datagram(session.seal(HANDSHAKE, b"\x14" + bytes(23)))
        flight = peer.node.poll_datagrams()
        assert flight, "the last flight once more"
        note(flight)
        peer.node.send(b"more")
        note(peer.node.poll_datagrams())
    assert len(sealed) == 4


def test_one_whose_fingerprint_came_late_goes_on_the_same_way() -> None:
    node, peer = server(expected_fingerprints=None), client()
    shake_hands(peer, node)
    node.set_expected_fingerprints(announced("client"))
    assert node.state is DtlsState.CONNECTED
    peer.send(b"up")
    hand_over(peer, node)
    node.send(b"down")
    hand_over(node, peer)
    assert (node.poll_received(), peer.poll_received()) == ([b"up"], [b"down"])
