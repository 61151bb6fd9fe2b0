"""What a cluster of padding proves: the rate it was sent with, and not more."""

from __future__ import annotations

import pytest

from sfu.bandwidth.prober import CHUNK_SPAN, CHUNKS, Prober
from sfu.bandwidth.twcc import Burst

PACKET = 250
SPEED = 100e6
"""Bits per second of a path much wider than what is probed."""


@pytest.mark.parametrize("packet_by_packet", [True, False])
def test_a_wide_path_proves_what_was_sent_however_it_is_reported(packet_by_packet: bool) -> None:
    prober, now, number = Prober(), 1.0, 0
    bursts: list[Burst] = []
    for _ in range(CHUNKS):
        octets = prober.poll(now, estimate=200_000, wanted=5_000_000, offered=0.0, steady=True)
        count = octets // PACKET
        prober.note_sent(number, number + count)
        sizes = [1] * count if packet_by_packet else [count]
        for packets in sizes:
            arrival = now + 0.05 + (number % 100) * 8 * PACKET / SPEED
            bursts.append(_burst(number, packets, now, arrival))
            number += packets
        now += CHUNK_SPAN
    proved = prober.handle(bursts, number, now)
    assert proved is not None
    assert 0.9e6 <= proved <= 1.05e6, "five times the estimate was sent"


def _burst(first: int, packets: int, sent_at: float, arrival: float) -> Burst:
    return Burst(
        first=first,
        packets=packets,
        octets=packets * PACKET,
        sent_at=sent_at,
        first_arrival=arrival,
        last_arrival=arrival,
    )
