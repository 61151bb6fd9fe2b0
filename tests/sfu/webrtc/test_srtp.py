"""Our SRTP against libsrtp, in both directions and for every profile, and against what attackers do."""

from __future__ import annotations

import os
import random
import struct

import pytest
from pylibsrtp import Policy, Session

from sfu.errors import SrtpError
from sfu.webrtc.srtp import InboundSrtp, OutboundSrtp, SrtpKeys, SrtpProfile
from sfu.webrtc.srtp_gcm import RTP_WINDOW

LIBSRTP = {
    SrtpProfile.AEAD_AES_128_GCM: Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    SrtpProfile.AEAD_AES_256_GCM: Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    SrtpProfile.AES128_CM_SHA1_80: Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
}
every_profile = pytest.mark.parametrize("profile", list(SrtpProfile), ids=lambda profile: profile.name)


class Wire:
    """One direction: our sealing and opening, and libsrtp's, under one master key."""

    def __init__(self, profile: SrtpProfile, *, max_ssrcs: int = 256) -> None:
        key, salt = os.urandom(profile.key_length), os.urandom(profile.salt_length)
        self.ours_in = InboundSrtp(profile, key, salt, max_ssrcs=max_ssrcs)
        self.ours_out = OutboundSrtp(profile, key, salt)
        self.theirs_in = Session(self._policy(profile, key + salt, Policy.SSRC_ANY_INBOUND))
        self.theirs_out = Session(self._policy(profile, key + salt, Policy.SSRC_ANY_OUTBOUND))

    @staticmethod
    def _policy(profile: SrtpProfile, key: bytes, ssrc_type: int) -> Policy:
        policy = Policy(key=key, ssrc_type=ssrc_type, srtp_profile=LIBSRTP[profile])
        policy.window_size = 1024
        return policy

    def open(self, sealed: bytes, *, header_length: int = 12) -> bytes | None:
        sequence, _, ssrc = struct.unpack_from("!HLL", sealed, 2)
        return self.ours_in.open_rtp(sealed, header_length, ssrc, sequence)


def header(sequence: int, ssrc: int = 0x12345678) -> bytes:
    return struct.pack("!BBHLL", 0x80, 96, sequence & 0xFFFF, 3000 * sequence & 0xFFFFFFFF, ssrc)


def receiver_report(ssrc: int = 0xCAFEBABE) -> bytes:
    return struct.pack("!BBHL", 0x80, 201, 1, ssrc)


@every_profile
def test_libsrtp_opens_what_we_seal_across_a_rollover(profile: SrtpProfile) -> None:
    wire = Wire(profile)
    for extended in range(65_530, 65_545):
        payload = os.urandom(200)
        sealed = wire.ours_out.seal_rtp(header(extended), payload, extended)
        assert len(sealed) == 12 + 200 + profile.overhead
        assert wire.theirs_in.unprotect(sealed) == header(extended) + payload


@every_profile
def test_we_open_what_libsrtp_seals_across_rollovers_and_out_of_order(profile: SrtpProfile) -> None:
    wire = Wire(profile)
    clear = {
        extended: os.urandom(random.Random(extended).randrange(1, 300)) for extended in range(0, 200_000, 61)
    }
    sealed = [(n, wire.theirs_out.protect(header(n) + payload)) for n, payload in clear.items()]
    rng = random.Random(7)
    for start in range(0, len(sealed), 12):
        burst = sealed[start : start + 12]
        # The first packet of all settles the rollover counter, so it goes first.
        if start:
            rng.shuffle(burst)
        for extended, packet in burst:
            assert wire.open(packet) == clear[extended]
    assert wire.ours_in.auth_failures == wire.ours_in.replays == 0


@every_profile
def test_a_packet_from_before_the_rollover_still_opens_after_it(profile: SrtpProfile) -> None:
    wire = Wire(profile)
    packets = {n: wire.theirs_out.protect(header(n) + b"media") for n in range(65_530, 65_540)}
    for n in (65_530, 65_539, 65_535, 65_531, 65_536):
        assert wire.open(packets[n]) == b"media"


@every_profile
def test_header_extensions_and_csrcs_are_authenticated_and_not_encrypted(profile: SrtpProfile) -> None:
    wire = Wire(profile)
    extended_header = b"\x91" + header(9)[1:] + b"CSRC" + bytes.fromhex("bede0001") + b"\x10\x41\x00\x00"
    packet = wire.theirs_out.protect(extended_header + b"media")
    assert wire.open(packet, header_length=24) == b"media"
    packet = wire.theirs_out.protect(b"\x91" + header(10)[1:] + extended_header[12:] + b"media")
    tampered = packet[:21] + b"\x7f" + packet[22:]
    assert wire.open(tampered, header_length=24) is None
    assert wire.ours_in.auth_failures == 1


@every_profile
@pytest.mark.asvs("17.2.3")
def test_a_replayed_packet_is_dropped_and_counted(profile: SrtpProfile) -> None:
    wire = Wire(profile)
    first = wire.ours_out.seal_rtp(header(5), b"once", 5)
    second = wire.ours_out.seal_rtp(header(6), b"then", 6)
    assert [wire.open(p) for p in (first, second, first, second)] == [b"once", b"then", None, None]
    assert (wire.ours_in.replays, wire.ours_in.auth_failures) == (2, 0)


@every_profile
def test_a_packet_older_than_the_window_is_dropped(profile: SrtpProfile) -> None:
    wire = Wire(profile)
    old = wire.ours_out.seal_rtp(header(1), b"old", 1)
    edge = wire.ours_out.seal_rtp(header(2), b"edge", 2)
    newest = wire.ours_out.seal_rtp(header(1 + RTP_WINDOW), b"new", 1 + RTP_WINDOW)
    assert wire.open(newest) == b"new"
    assert wire.open(old) is None
    assert wire.open(edge) == b"edge"
    assert wire.ours_in.replays == 1


@every_profile
@pytest.mark.parametrize("position", [1, 5, 11, 12, 40, -1])
@pytest.mark.asvs("17.2.3")
def test_a_tampered_packet_does_not_open_and_the_true_one_still_does(
    profile: SrtpProfile, position: int
) -> None:
    wire = Wire(profile)
    sealed = bytearray(wire.ours_out.seal_rtp(header(77), bytes(100), 77))
    sealed[position] ^= 1
    assert wire.open(bytes(sealed)) is None
    assert wire.ours_in.auth_failures == 1
    sealed[position] ^= 1
    assert wire.open(bytes(sealed)) == bytes(100)


@every_profile
@pytest.mark.asvs("17.2.3")
def test_a_forged_packet_leaves_no_state_behind(profile: SrtpProfile) -> None:
    wire = Wire(profile)
    for ssrc in range(1000):
        assert wire.open(header(60_000, ssrc) + os.urandom(60)) is None
    assert wire.ours_in.ssrc_count == 0
    assert wire.open(wire.ours_out.seal_rtp(header(3, 500), b"real", 3)) == b"real"
    assert wire.ours_in.ssrc_count == 1


@every_profile
@pytest.mark.parametrize("length", [0, 1, 7, 11, 12, 13, 21, 27, 28, 1499, 1501, 65_507])
def test_packets_of_any_length_are_survived(profile: SrtpProfile, length: int) -> None:
    wire = Wire(profile)
    assert wire.ours_in.open_rtp(b"\x80" * length, min(12, length), 1, 1) is None
    assert wire.ours_in.open_rtcp(b"\x80" * length) is None
    assert wire.ours_in.auth_failures == 2


@every_profile
def test_the_number_of_ssrcs_is_bounded_and_the_idle_one_goes(profile: SrtpProfile) -> None:
    wire = Wire(profile, max_ssrcs=4)
    for ssrc in range(1, 5):
        assert wire.open(wire.ours_out.seal_rtp(header(1, ssrc), b"x", 1)) == b"x"
    assert wire.open(wire.ours_out.seal_rtp(header(2, 1), b"x", 2)) == b"x"
    assert wire.open(wire.ours_out.seal_rtp(header(1, 5), b"x", 1)) == b"x"
    assert wire.ours_in.ssrc_count == 4
    replayed = wire.ours_out.seal_rtp(header(3, 1), b"x", 3)
    assert wire.open(replayed) == b"x"
    assert wire.open(replayed) is None, "SSRC 1 was used lately and must still be followed"


@every_profile
def test_rtcp_goes_both_ways_between_libsrtp_and_us(profile: SrtpProfile) -> None:
    wire = Wire(profile)
    for ssrc in (1, 2, 1, 0xFFFFFFFF):
        report = receiver_report(ssrc) + os.urandom(24)
        assert wire.theirs_in.unprotect_rtcp(wire.ours_out.seal_rtcp(report)) == report
        assert wire.ours_in.open_rtcp(wire.theirs_out.protect_rtcp(report)) == report


@every_profile
@pytest.mark.asvs("17.2.3")
def test_rtcp_is_protected_against_replay_and_tampering(profile: SrtpProfile) -> None:
    wire = Wire(profile)
    packets = [wire.theirs_out.protect_rtcp(receiver_report()) for _ in range(3)]
    assert wire.ours_in.open_rtcp(packets[2]) == receiver_report()
    assert wire.ours_in.open_rtcp(packets[0]) == receiver_report()
    assert wire.ours_in.open_rtcp(packets[0]) is None
    assert wire.ours_in.replays == 1
    for position in range(len(packets[1])):
        tampered = bytearray(packets[1])
        tampered[position] ^= 0x01
        assert wire.ours_in.open_rtcp(bytes(tampered)) is None
    assert wire.ours_in.open_rtcp(packets[1]) == receiver_report()


@pytest.mark.parametrize("profile", [SrtpProfile.AEAD_AES_128_GCM, SrtpProfile.AEAD_AES_256_GCM])
def test_the_forwarding_loops_own_way_of_sealing_gives_the_same_packet(profile: SrtpProfile) -> None:
    out = Wire(profile).ours_out
    by_hand = header(70_000) + out.encrypt_of(0x12345678)(70_000, b"media", header(70_000))
    assert by_hand == out.seal_rtp(header(70_000), b"media", 70_000)


@pytest.mark.parametrize("profile", [SrtpProfile.AEAD_AES_128_GCM])
def test_a_key_is_not_used_past_its_limit(profile: SrtpProfile) -> None:
    with pytest.raises(SrtpError):
        Wire(profile).ours_out.seal_rtp(header(0), b"media", 1 << 48)


def test_aes_cm_refuses_to_seal_one_index_twice() -> None:
    out = Wire(SrtpProfile.AES128_CM_SHA1_80).ours_out
    out.seal_rtp(header(1), b"media", 1)
    with pytest.raises(SrtpError):
        out.seal_rtp(header(1), b"other", 1)


def test_exported_material_is_cut_in_the_order_of_rfc_5764() -> None:
    profile = SrtpProfile.AES128_CM_SHA1_80
    keys = SrtpKeys.from_exporter(profile, b"a" * 16 + b"b" * 16 + b"c" * 14 + b"d" * 14)
    assert (keys.client_key, keys.server_key) == (b"a" * 16, b"b" * 16)
    assert (keys.client_salt, keys.server_salt) == (b"c" * 14, b"d" * 14)
    assert "aaaa" not in repr(keys)
