"""DTLS between two of our endpoints: what they agree on, what they refuse, and what they survive."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL

from sfu.webrtc.certificate import Certificate, fingerprint, matches_fingerprint
from sfu.webrtc.dtls import DTLS_1_2, MAX_UNREAD, MTU, TRANSITIONS, DtlsEndpoint, DtlsRole, DtlsState
from sfu.webrtc.dtls_records import CLIENT_HELLO, pack_datagrams, split_records
from sfu.webrtc.srtp import SrtpProfile

GCM_128, GCM_256, CM = SrtpProfile
DTLS_1_0 = 0xFEFF
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FORGED_ALERT = bytes.fromhex("15fefd000000000000000500020228")


@cache
def certificate(owner: str) -> Certificate:
    return Certificate.generate(datetime.now(UTC))


def announced(owner: str) -> list[tuple[str, str]]:
    return [("sha-256", certificate(owner).fingerprint)]


def server(**options: object) -> DtlsEndpoint:
    options.setdefault("expected_fingerprints", announced("client"))
    return DtlsEndpoint(certificate("server"), DtlsRole.SERVER, **options)  # type: ignore[arg-type]


def client(**options: object) -> DtlsEndpoint:
    options.setdefault("expected_fingerprints", announced("server"))
    return DtlsEndpoint(certificate("client"), DtlsRole.CLIENT, **options)  # type: ignore[arg-type]


def strict_client(version: int, ciphers: bytes) -> SSL.Connection:
    """One that offers this and nothing else, with a P-256 certificate of its own."""
    context = SSL.Context(SSL.DTLS_CLIENT_METHOD)
    context.set_cipher_list(ciphers)
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    context.use_certificate(certificate("client").x509)
    context.use_privatekey(certificate("client").private_key)
    context.set_tlsext_use_srtp(GCM_128.openssl_name)
    connection = SSL.Connection(context)
    connection.set_ciphertext_mtu(MTU)
    connection.set_connect_state()
    return connection


def hand_over(sender: DtlsEndpoint, receiver: DtlsEndpoint) -> list[bytes]:
    datagrams = sender.poll_datagrams()
    for datagram in datagrams:
        receiver.handle_datagram(datagram)
    return datagrams


def shake_hands(a: DtlsEndpoint, b: DtlsEndpoint) -> None:
    """Carry datagrams until neither side has any more."""
    while hand_over(a, b) + hand_over(b, a):
        pass


def test_both_sides_end_up_with_the_same_keys() -> None:
    node, peer = server(), client()
    assert (node.state, peer.state) == (DtlsState.NEW, DtlsState.NEW)
    shake_hands(peer, node)
    assert (node.state, peer.state) == (DtlsState.CONNECTED, DtlsState.CONNECTED)
    assert node.keys is not None
    assert node.keys == peer.keys
    assert (
        len({node.keys.client_key, node.keys.server_key, node.keys.client_salt, node.keys.server_salt}) == 4
    )
    assert node.dropped_records == peer.dropped_records == 0


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ((CM, GCM_256, GCM_128), GCM_128),
        ((CM, GCM_256), GCM_256),
        ((CM,), CM),
    ],
)
@pytest.mark.asvs("17.2.2")
def test_the_server_picks_the_srtp_profile_whatever_order_the_client_offers(
    offered: tuple[SrtpProfile, ...], chosen: SrtpProfile
) -> None:
    node, peer = server(), client(profiles=offered)
    shake_hands(peer, node)
    assert node.keys is not None
    assert node.keys.profile is chosen
    assert node.keys == peer.keys


@pytest.mark.asvs("17.2.2")
def test_without_a_common_srtp_profile_there_are_no_keys() -> None:
    node, peer = server(profiles=[GCM_128]), client(profiles=[CM])
    shake_hands(peer, node)
    assert node.keys is None
    assert node.state is not DtlsState.CONNECTED


@pytest.mark.asvs("17.2.2")
@pytest.mark.parametrize(
    ("version", "ciphers"),
    [
        (DTLS_1_2, b"ECDHE-ECDSA-AES128-SHA"),
        (DTLS_1_2, b"ECDHE-ECDSA-AES128-SHA256"),
        (DTLS_1_2, b"AES128-GCM-SHA256"),
        (DTLS_1_0, b"ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"),
    ],
    ids=["SHA-1", "CBC", "RSA", "DTLS 1.0"],
)
def test_a_client_without_forward_secrecy_and_aead_gets_no_keys(version: int, ciphers: bytes) -> None:
    node = server()
    peer = strict_client(version, ciphers)
    with pytest.raises(SSL.WantReadError):
        peer.do_handshake()
    node.handle_datagram(peer.bio_read(2000))
    assert node.poll_datagrams() == []
    assert (node.keys, node.dropped_records) == (None, 1)


@pytest.mark.asvs("17.2.1")
def test_a_key_is_made_for_each_start_is_strong_and_is_never_shown() -> None:
    first, second = Certificate.generate(NOW), Certificate.generate(NOW)
    assert first.private_key.private_numbers() != second.private_key.private_numbers()
    assert first.private_key.curve.name == "secp256r1"
    secret = str(first.private_key.private_numbers().private_value)
    assert secret not in repr(first)
    assert secret not in str(first)


@pytest.mark.asvs("17.2.8")
def test_a_peer_with_another_certificate_than_announced_is_refused() -> None:
    node, peer = server(expected_fingerprints=announced("somebody else")), client()
    shake_hands(peer, node)
    assert node.state is DtlsState.FAILED
    assert node.keys is None
    assert "certificate" in str(node.error)


def test_a_client_refuses_a_server_with_another_certificate_than_announced() -> None:
    node, peer = server(), client(expected_fingerprints=announced("somebody else"))
    shake_hands(peer, node)
    assert peer.state is DtlsState.FAILED
    assert peer.keys is None


@pytest.mark.asvs("17.2.8")
def test_there_are_no_keys_before_the_fingerprint_is_known() -> None:
    node, peer = server(expected_fingerprints=None), client()
    shake_hands(peer, node)
    assert (node.state, node.keys) == (DtlsState.HANDSHAKING, None)
    assert node.next_timeout() is None
    node.set_expected_fingerprints(announced("client"))
    assert node.state is DtlsState.CONNECTED
    assert node.keys == peer.keys


def test_a_fingerprint_that_comes_late_and_does_not_match_ends_the_association() -> None:
    node, peer = server(expected_fingerprints=None), client()
    shake_hands(peer, node)
    node.set_expected_fingerprints(announced("somebody else"))
    assert (node.state, node.keys) == (DtlsState.FAILED, None)


def test_a_fingerprint_known_before_the_handshake_ends_is_used() -> None:
    node, peer = server(expected_fingerprints=None), client()
    hand_over(peer, node)
    node.set_expected_fingerprints(announced("client"))
    shake_hands(peer, node)
    assert node.state is DtlsState.CONNECTED


def test_datagrams_fit_the_mtu_and_hold_whole_records() -> None:
    node, peer = server(), client()
    while datagrams := hand_over(peer, node) + hand_over(node, peer):
        for datagram in datagrams:
            assert len(datagram) <= MTU
            assert b"".join(split_records(datagram)) == datagram


def test_records_are_packed_into_as_few_datagrams_as_possible() -> None:
    def record(length: int) -> bytes:
        return b"\x16\xfe\xfd" + bytes(8) + (length - 13).to_bytes(2, "big") + bytes(length - 13)

    sizes = [600, 600, 600, 1200, 14, 2000, 20]
    stream = b"".join(record(size) for size in sizes)
    datagrams = pack_datagrams(stream, 1200)
    assert [len(datagram) for datagram in datagrams] == [1200, 600, 1200, 14, 2000, 20]
    assert b"".join(datagrams) == stream


GARBAGE = [
    b"",
    b"\x16",
    b"\x16\xfe\xfd",
    bytes(200),
    b"\xff" * 1500,
    FORGED_ALERT,
    bytes.fromhex("14fefd000000000000000700020101"),
    bytes.fromhex("17fefd00000000000000080003616263"),
    bytes.fromhex("16fefd0000000000000009000c") + bytes.fromhex("140000000003000000000000"),
    bytes.fromhex("16fefd0000000000000009000c") + bytes.fromhex("01ffffff0001000000ffffff"),
    bytes.fromhex("16fefd000000000000000900030b0000"),
    b"\x16\xfe\xfd" + bytes(8) + b"\xff\xff" + bytes(1000),
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
@pytest.mark.asvs("17.2.6")
def test_garbage_at_any_moment_does_not_hurt_a_handshake(garbage: bytes) -> None:
    node, peer = server(), client()
    for _ in range(4):
        node.handle_datagram(garbage)
        hand_over(peer, node)
        node.handle_datagram(garbage)
        peer.handle_datagram(garbage)
        hand_over(node, peer)
    assert (node.state, peer.state) == (DtlsState.CONNECTED, DtlsState.CONNECTED)
    assert node.dropped_records == (8 if garbage else 0)


def test_random_bytes_are_survived() -> None:
    node = server()
    for _ in range(2000):
        node.handle_datagram(bytes([20 + os.urandom(1)[0] % 4]) + os.urandom(100))
    assert node.dropped_records == 2000
    shake_hands(client(), node)
    assert node.state is DtlsState.CONNECTED


@pytest.mark.asvs("17.2.6")
def test_another_client_hello_does_not_disturb_a_handshake_in_progress() -> None:
    node, peer, intruder = server(), client(), client()
    first_flight = hand_over(peer, node)
    for datagram in intruder.poll_datagrams():
        node.handle_datagram(datagram)
    assert node.dropped_records == 1
    for datagram in first_flight:
        node.handle_datagram(datagram)
    assert node.dropped_records == 1, "repeating the ClientHello is the client's right"
    shake_hands(node, peer)
    assert (node.state, peer.state) == (DtlsState.CONNECTED, DtlsState.CONNECTED)


@pytest.mark.asvs("17.2.6")
def test_a_client_hello_that_nothing_can_be_made_of_does_not_spoil_the_next() -> None:
    node, peer = server(), client()
    (hello,) = peer.poll_datagrams()
    ciphers = 13 + 12 + 2 + 32 + 1 + 1
    length = int.from_bytes(hello[ciphers : ciphers + 2], "big")
    no_cipher_we_know = hello[: ciphers + 2] + b"\xaa" * length + hello[ciphers + 2 + length :]
    assert no_cipher_we_know[13] == CLIENT_HELLO
    node.handle_datagram(no_cipher_we_know)
    assert node.state is DtlsState.HANDSHAKING
    assert node.dropped_records == 1
    assert node.poll_datagrams() == []
    node.handle_datagram(hello)
    shake_hands(node, peer)
    assert (node.state, peer.state) == (DtlsState.CONNECTED, DtlsState.CONNECTED)


def test_an_endless_handshake_is_not_buffered() -> None:
    node, peer = server(), client()
    hand_over(peer, node)
    body = bytes(1000)
    for sequence in range(100):
        handshake = b"\x0b" + (100_000).to_bytes(3, "big") + b"\0\1"
        handshake += (1000 * sequence % 99_000).to_bytes(3, "big") + (1000).to_bytes(3, "big") + body
        record = b"\x16\xfe\xfd\0\0" + (100 + sequence).to_bytes(6, "big") + len(handshake).to_bytes(2, "big")
        node.handle_datagram(record + handshake)
    assert node.dropped_records >= 35


def test_datagrams_in_reverse_order_are_put_right() -> None:
    node, peer = server(), client()
    hand_over(peer, node)
    hand_over(node, peer)
    records = [record for datagram in peer.poll_datagrams() for record in split_records(datagram)]
    assert len(records) >= 4
    for record in reversed(records):
        node.handle_datagram(record)
    if node.state is DtlsState.HANDSHAKING:
        # A ChangeCipherSpec has no number, so one that came early was dropped; it comes again.
        time.sleep(peer.next_timeout() or 0)
        peer.handle_timeout()
        shake_hands(peer, node)
    assert node.state is DtlsState.CONNECTED


def test_a_lost_flight_is_sent_again_after_its_timeout() -> None:
    node, peer = server(), client()
    assert node.next_timeout() is None
    lost = peer.poll_datagrams()
    timeout = peer.next_timeout()
    assert timeout is not None
    assert 0.0 < timeout <= 1.0
    peer.handle_timeout()
    assert peer.poll_datagrams() == [], "it is too early to send again"
    while remaining := peer.next_timeout():
        time.sleep(remaining)
    peer.handle_timeout()
    again = peer.poll_datagrams()
    assert [datagram[13:] for datagram in again] == [datagram[13:] for datagram in lost]
    for datagram in again:
        node.handle_datagram(datagram)
    shake_hands(node, peer)
    assert (node.state, peer.state) == (DtlsState.CONNECTED, DtlsState.CONNECTED)
    assert (node.next_timeout(), peer.next_timeout()) == (None, None)


def test_a_server_whose_last_flight_was_lost_repeats_it() -> None:
    node, peer = server(), client()
    hand_over(peer, node)
    hand_over(node, peer)
    flight = hand_over(peer, node)
    assert node.state is DtlsState.CONNECTED
    assert node.poll_datagrams()
    while remaining := peer.next_timeout():
        time.sleep(remaining)
    peer.handle_timeout()
    assert flight
    shake_hands(peer, node)
    assert peer.state is DtlsState.CONNECTED
    assert peer.keys == node.keys


def test_closing_tells_the_peer_and_forgets_the_keys() -> None:
    node, peer = server(), client()
    shake_hands(peer, node)
    node.close()
    node.close()
    assert (node.state, node.keys) == (DtlsState.CLOSED, None)
    hand_over(node, peer)
    assert (peer.state, peer.keys) == (DtlsState.CLOSED, None)
    node.handle_datagram(FORGED_ALERT)
    assert node.state is DtlsState.CLOSED


def test_application_data_of_a_verified_peer_comes_through_both_ways() -> None:
    node, peer = server(), client()
    shake_hands(peer, node)
    peer.send(b"up")
    hand_over(peer, node)
    node.send(b"down")
    node.send(b"and more")
    hand_over(node, peer)
    assert node.poll_received() == [b"up"]
    assert node.poll_received() == []
    assert peer.poll_received() == [b"down", b"and more"]


def test_application_data_of_a_peer_not_yet_verified_is_never_seen() -> None:
    node, peer = server(expected_fingerprints=None), client()
    shake_hands(peer, node)
    assert (node.state, peer.state) == (DtlsState.HANDSHAKING, DtlsState.CONNECTED)
    dropped = node.dropped_records
    for _ in range(100):
        peer.send(bytes(1000))
    hand_over(peer, node)
    assert node.dropped_records - dropped == 100, "nothing is kept for later"
    node.set_expected_fingerprints(announced("client"))
    peer.send(b"now")
    hand_over(peer, node)
    assert node.poll_received() == [b"now"]


@pytest.mark.asvs("17.2.8")
def test_application_data_of_the_wrong_peer_is_never_seen() -> None:
    node, peer = server(expected_fingerprints=announced("somebody else")), client()
    shake_hands(peer, node)
    peer.send(b"hello")
    hand_over(peer, node)
    assert (node.state, node.poll_received()) == (DtlsState.FAILED, [])
    node.send(b"answer")
    sent = b"".join(node.poll_datagrams())
    assert 23 not in {record[0] for record in split_records(sent)}


def test_application_data_that_nobody_polls_is_bounded() -> None:
    node, peer = server(), client()
    shake_hands(peer, node)
    for _ in range(2 * MAX_UNREAD):
        peer.send(b"x")
    hand_over(peer, node)
    assert len(node.poll_received()) == MAX_UNREAD


def test_plain_text_cannot_close_a_connected_association() -> None:
    node, peer = server(), client()
    shake_hands(peer, node)
    for forged in (FORGED_ALERT, bytes.fromhex("15fefd000000000000000500020100")):
        node.handle_datagram(forged)
        node.handle_datagram(forged[:3] + b"\0\1" + forged[5:])
    assert node.state is DtlsState.CONNECTED


@pytest.mark.parametrize("role", list(DtlsRole))
def test_an_endpoint_can_be_closed_before_anything_happened(role: DtlsRole) -> None:
    endpoint = DtlsEndpoint(certificate("server"), role)
    endpoint.close()
    assert endpoint.state is DtlsState.CLOSED
    assert endpoint.poll_datagrams() == []


def test_every_state_has_a_row_in_the_table() -> None:
    assert set(TRANSITIONS) == set(DtlsState)
    assert TRANSITIONS[DtlsState.CLOSED] == frozenset()


def test_a_certificate_is_valid_from_yesterday_on_and_shows_its_sha256() -> None:
    made = Certificate.generate(NOW)
    assert made.x509.not_valid_before_utc < NOW < made.x509.not_valid_after_utc
    assert made.fingerprint == fingerprint(made.x509, "sha-256")
    assert len(made.fingerprint.split(":")) == 32
    assert isinstance(made.x509, x509.Certificate)


def test_the_best_hash_of_several_fingerprints_decides() -> None:
    made = certificate("server").x509
    good, bad = fingerprint(made, "sha-256"), "00:" * 31 + "00"
    assert matches_fingerprint(made, [("SHA-256", good.lower())])
    assert matches_fingerprint(made, [("sha-256", bad), ("sha-256", good)])
    assert not matches_fingerprint(made, [("sha-256", bad)])
    assert not matches_fingerprint(made, [("sha-256", good), ("sha-512", bad)])
    assert matches_fingerprint(made, [("sha-1", bad), ("sha-256", good)])
    assert not matches_fingerprint(made, [("sha-1", made.fingerprint(hashes.SHA1()).hex(":"))])
    assert not matches_fingerprint(made, [])
    assert not matches_fingerprint(made, [("sha-256", "é\ud800")])
