"""One client's ICE, DTLS and SRTP together: who gets in, by which path, and when it counts as gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import pytest

from sfu.clock import utc_now
from sfu.webrtc import stun
from sfu.webrtc.association import LEFT_AFTER, MAX_BATCH, MAX_PATHS, Association
from sfu.webrtc.certificate import Certificate
from sfu.webrtc.dtls import DtlsEndpoint, DtlsRole, DtlsState
from sfu.webrtc.intake import MEDIA_PACKETS
from sfu.webrtc.srtp import OutboundSrtp
from sfu.webrtc.stun import build_stun
from sfu.webrtc.udp import Path, Receiver

CONSENT = 30.0


@cache
def certificate(owner: str) -> Certificate:
    return Certificate.generate(utc_now())


@dataclass(eq=False)
class Wire:
    """A path that keeps what is sent on it."""

    port: int
    reliable: bool = False
    sent: list[bytes] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        return ("192.0.2.7", self.port)

    def send(self, data: bytes) -> None:
        self.sent.append(data)


class World:
    """An association, what it told its listener, the addresses it holds, and a client to speak with it."""

    def __init__(self, *, announced: str = "client") -> None:
        self.told: list[str] = []
        self.unread_at: list[float] = []
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []
        self.data: list[bytes] = []
        self.attached: dict[object, Receiver] = {}
        self.shares: dict[object, float] = {}
        self.queued_at = float("-inf")
        self.handed_on: list[bytes] = []
        self.path: Path | None = None
        self.association = Association(
            ports=self,
            certificate=certificate("node"),
            local_ufrag="node",
            local_pwd="n" * 24,
            listener=self,
            consent_timeout=CONSENT,
            now=0.0,
        )
        fingerprint = ("sha-256", certificate(announced).fingerprint)
        self.association.set_remote("client", "c" * 24, (fingerprint,))
        self.client = DtlsEndpoint(certificate("client"), DtlsRole.CLIENT, None)
        self.client.set_expected_fingerprints([("sha-256", certificate("node").fingerprint)])

    def attach(self, path: Path, receiver: Receiver) -> None:
        self.attached[path.address] = receiver

    def detach(self, path: Path, receiver: Receiver) -> None:
        del self.attached[path.address]

    def thin(self, path: Path, share: float) -> None:
        self.shares[path.address] = share

    def hand_on(self, data: bytes, path: Path, holder: Receiver, now: float) -> bool:
        self.handed_on.append(data)
        return True

    def handle_connected(self, now: float) -> None:
        self.told.append("connected")

    def handle_path(self, path: Path) -> None:
        self.path = path

    def handle_consent(self, fresh: bool, now: float) -> None:
        self.told.append("fresh" if fresh else "stale")

    def handle_failed(self, reason: str) -> None:
        self.told.append("failed")

    def handle_rtp(self, packets: list[bytes], now: float, came: Sequence[float]) -> None:
        self.rtp += packets

    def handle_rtcp(self, packets: list[bytes], now: float) -> None:
        self.rtcp += packets

    def is_voice(self, data: bytes) -> bool:
        return False

    def handle_unread(self, now: float) -> None:
        self.unread_at.append(now)

    def handle_data(self, packets: list[bytes], now: float) -> None:
        self.data += packets

    def check(self, wire: Wire, now: float, *, nominate: bool = False, pwd: str = "n" * 24) -> None:
        attributes = [(stun.USERNAME, b"node:client"), (stun.ICE_CONTROLLING, bytes(8))]
        if nominate:
            attributes.append((stun.USE_CANDIDATE, b""))
        request = build_stun(stun.BINDING_REQUEST, b"transaction!", attributes, key=pwd.encode())
        self.association.handle_stun(request, wire, now)

    def shake_hands(self, wire: Wire, now: float = 1.0) -> None:
        self.client.start()
        for _ in range(10):
            for datagram in self.client.poll_datagrams():
                self.association.handle_other(datagram, wire, now)
            sent, wire.sent = wire.sent, []
            for datagram in sent:
                self.client.handle_datagram(datagram)

    def connect(self) -> Wire:
        wire = Wire(1000)
        self.check(wire, 1.0, nominate=True)
        wire.sent.clear()
        self.shake_hands(wire)
        return wire


def test_checks_then_dtls_then_media() -> None:
    world = World()
    wire = world.connect()
    assert world.told == ["fresh", "connected"]
    assert world.path is wire
    assert world.client.state is DtlsState.CONNECTED
    keys = world.client.keys
    assert keys is not None
    client = OutboundSrtp(keys.profile, keys.client_key, keys.client_salt)
    packet = client.seal_rtp(bytes.fromhex("806000010000000000000007"), b"payload", 1)
    world.association.rtp_in.append(packet)
    world.association.handle_batch(2.0)
    assert world.rtp == [packet]
    assert world.association.inbound is not None
    assert world.association.inbound.open_rtp(packet, 12, 7, 1) == b"payload"


@pytest.mark.asvs("17.2.6")
def test_dtls_from_an_address_without_a_valid_check_is_not_looked_at() -> None:
    world = World()
    world.check(Wire(1), 1.0, nominate=True)
    stranger = Wire(2)
    world.check(stranger, 1.0, pwd="wrong" * 5)
    stranger.sent.clear()
    world.client.start()
    for datagram in world.client.poll_datagrams():
        world.association.handle_other(datagram, stranger, 1.0)
    assert stranger.sent == []
    assert world.association.dtls.state is DtlsState.NEW
    assert world.association.dropped == 2


def test_media_before_the_handshake_is_thrown_away() -> None:
    world = World()
    world.check(Wire(1), 1.0)
    world.association.rtp_in += [b"\x80" * 40] * 3
    world.association.rtcp_in.append(b"\x80\xc8" + bytes(30))
    world.association.handle_batch(1.0)
    assert world.rtp == [] and world.rtcp == []
    assert world.association.dropped == 4
    assert world.association.rtp_in == []


@pytest.mark.asvs("17.2.8")
def test_a_client_with_another_certificate_than_its_sdp_said_gets_no_media() -> None:
    world = World(announced="somebody else")
    world.connect()
    assert "connected" not in world.told
    assert "failed" in world.told
    assert world.association.inbound is None


def test_the_last_nominated_address_is_the_path() -> None:
    world = World()
    first, second = Wire(1), Wire(2)
    world.check(first, 1.0)
    assert world.path is first, "the first valid pair will do until one is nominated"
    world.check(second, 1.1)
    assert world.path is first
    world.check(second, 1.2, nominate=True)
    assert world.path is second
    world.check(first, 1.3, nominate=True)
    assert world.path is first


def test_addresses_are_bounded_and_the_path_in_use_is_kept() -> None:
    world = World()
    used = Wire(1)
    world.check(used, 1.0, nominate=True)
    for port in range(2, 3 * MAX_PATHS):
        world.check(Wire(port), 1.0)
    assert len(world.attached) == MAX_PATHS
    assert used.address in world.attached


def test_without_checks_consent_goes_and_a_check_brings_it_back() -> None:
    world = World()
    wire = world.connect()
    world.association.tick(1.0 + CONSENT)
    assert world.told[-1] == "connected"
    world.association.tick(1.1 + CONSENT)
    assert world.told[-1] == "stale"
    world.check(wire, 90.0)
    assert world.told[-1] == "fresh"
    world.association.tick(91.0)
    assert world.told.count("stale") == 1


def test_a_lost_connection_gives_way_to_another_path() -> None:
    world = World()
    stays, goes = Wire(1), Wire(2)
    world.check(stays, 1.0)
    world.check(goes, 1.0, nominate=True)
    assert world.path is goes
    world.association.handle_path_lost(goes)
    assert world.path is stays
    assert list(world.attached) == [stays.address]


FOREIGN = build_stun(stun.BINDING_REQUEST, b"transaction!", [(stun.USERNAME, b"other:client")], key=b"o" * 24)


@pytest.mark.asvs("17.2.6")
def test_nobody_takes_the_address_of_a_client_that_is_here() -> None:
    world = World()
    wire = world.connect()
    world.association.handle_other(FOREIGN, wire, 1.0 + LEFT_AFTER)
    assert world.handed_on == []


def test_an_address_of_one_who_sends_no_checks_any_more_may_be_another_ones() -> None:
    world = World()
    wire = world.connect()
    world.association.handle_other(FOREIGN, wire, 1.1 + LEFT_AFTER)
    assert world.handed_on == [FOREIGN]


def test_an_address_of_one_who_said_farewell_may_be_another_ones_at_once() -> None:
    world = World()
    wire = world.connect()
    world.client.close()
    for datagram in world.client.poll_datagrams():
        world.association.handle_other(datagram, wire, 1.0)
    world.association.handle_other(FOREIGN, wire, 1.0)
    assert world.handed_on == [FOREIGN]


def test_who_has_lost_the_only_address_sends_nothing_there_any_more() -> None:
    world = World()
    wire = world.connect()
    wire.sent.clear()
    world.association.handle_address_taken(wire.address)
    assert world.attached == {}
    assert world.path is not None
    world.path.send(b"media")
    world.association.send_rtcp(b"\x80\xc8" + bytes(30))
    assert wire.sent == []


@pytest.mark.asvs("17.2.5")
def test_a_flood_in_one_turn_is_cut() -> None:
    world = World()
    world.connect()
    world.association.rtp_in += [b"\x80" * 40] * (MAX_BATCH + 5)
    world.association.handle_batch(2.0)
    assert len(world.rtp) == MAX_BATCH
    assert world.association.dropped == 5


def test_who_floods_is_read_less_on_all_of_its_paths_and_whole_again_when_it_stops() -> None:
    world = World()
    world.connect()
    world.check(Wire(7), 1.0)
    now = 2.0
    for _ in range(10):
        now += 0.1
        world.association.rtp_in += [bytes(40)] * 3000
        world.association.handle_batch(now)
        world.association.tick(now)
    assert list(world.shares) == list(world.attached)
    assert max(world.shares.values()) < 0.2
    other = Wire(8)
    world.check(other, now)
    assert other.address in world.shares
    for _ in range(60):
        now += 0.1
        world.association.tick(now)
    assert set(world.shares.values()) == {1.0}


def test_what_was_dropped_for_its_age_counts_of_what_a_client_may_send() -> None:
    world = World()
    world.connect()
    world.association.handle_late(int(MEDIA_PACKETS) - 1, 2.0)
    assert world.association.intake.dropped == 0
    world.association.handle_late(10, 2.0)
    assert world.association.intake.dropped == 10
    assert world.unread_at == [2.0, 2.0]


def test_closing_tells_the_client_and_forgets_the_addresses() -> None:
    world = World()
    wire = world.connect()
    wire.sent.clear()
    world.association.close()
    world.association.close()
    for datagram in wire.sent:
        world.client.handle_datagram(datagram)
    assert world.client.state is DtlsState.CLOSED
    assert world.attached == {}
    world.association.rtp_in.append(b"\x80" * 40)
    world.association.handle_batch(3.0)
    assert world.rtp == []
