"""What one client may send is bounded, and what is over the bound is counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.webrtc.intake import MEDIA_BYTES, MEDIA_PACKETS, STUN_CHECKS, Intake


def test_what_a_large_publisher_sends_passes_whole() -> None:
    intake = Intake(0.0)
    for turn in range(1000):
        rtp, rtcp = [bytes(1200)] * 30, [bytes(80)]
        intake.admit_media(rtp, rtcp, turn / 100)
        assert (len(rtp), len(rtcp)) == (30, 1)
    assert intake.dropped == 0


@pytest.mark.asvs("17.2.5")
def test_of_a_flood_the_budget_passes_and_the_rest_is_counted() -> None:
    intake = Intake(0.0)
    passed = 0
    for turn in range(200):
        rtp: list[bytes] = [bytes(100)] * 500
        intake.admit_media(rtp, [], turn / 100)
        passed += len(rtp)
    assert passed <= MEDIA_PACKETS * (1 + 2)
    assert passed + intake.dropped == 100_000
    assert passed > MEDIA_PACKETS * 2.5


def test_few_but_huge_packets_are_bounded_too() -> None:
    intake = Intake(0.0)
    passed = 0
    for turn in range(200):
        rtp: list[bytes] = [bytes(60_000)] * 10
        intake.admit_media(rtp, [], turn / 100)
        passed += sum(map(len, rtp))
    assert passed <= MEDIA_BYTES * 3


def test_reports_go_before_pictures() -> None:
    intake = Intake(0.0)
    rtp, rtcp = [bytes(10)] * 5000, [bytes(10)] * 100
    intake.admit_media(rtp, rtcp, 0.0)
    assert len(rtcp) == 100
    assert len(rtp) == MEDIA_PACKETS - 100


def test_checks_of_strangers_do_not_use_up_those_of_the_client() -> None:
    intake = Intake(0.0)
    assert sum(intake.admit_check(0.0, known=False) for _ in range(1000)) == STUN_CHECKS
    assert intake.admit_check(0.0, known=True)


@given(st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 6000), st.floats(0, 1)), max_size=20))
def test_every_packet_either_passes_or_is_counted(batches: list[tuple[int, int, float]]) -> None:
    intake = Intake(0.0)
    now, sent, passed = 0.0, 0, 0
    for media, reports, pause in batches:
        now += pause
        rtp, rtcp = [b"x" * 50] * media, [b"y" * 50] * reports
        intake.admit_media(rtp, rtcp, now)
        sent += media + reports
        passed += len(rtp) + len(rtcp)
    assert passed + intake.dropped == sent
