"""The estimate against the truth, on simulated paths: it finds the capacity, follows it, fears no noise."""

from __future__ import annotations

from statistics import mean, median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfu.bandwidth.controller import BEHIND_FOR, SILENT_AFTER, START_RATE, BandwidthController
from sfu.bandwidth.trend import DelayTrend, Usage
from sfu.bandwidth.twcc import Burst
from sfu.errors import RtcpError
from sfu.rtp.rtcp import build_transport_feedback
from tests.sfu.bandwidth.world import Link, World

SETTLED = 12.0
"""Seconds in which a path of any capacity has been found."""


def share_within(values: list[int], low: float, high: float) -> float:
    return sum(low <= value <= high for value in values) / len(values)


@pytest.mark.parametrize("capacity", [300_000, 1_000_000, 2_000_000, 5_000_000, 20_000_000])
def test_the_capacity_is_found_within_a_tenth(capacity: int) -> None:
    world = World(Link(capacity))
    world.run(SETTLED)
    world.link.dropped = 0
    world.run(20)
    found = world.between(SETTLED, SETTLED + 20)
    assert 0.9 * capacity <= mean(found) <= capacity, f"{mean(found):.0f}"
    assert 0.9 * capacity <= median(found) <= 1.03 * capacity, f"{median(found):.0f}"
    assert max(found) <= 1.1 * capacity, "the queue says soon that it is too much"
    assert world.link.dropped == 0, "the queue never overflows"


def test_a_step_down_is_followed_within_two_seconds_and_a_step_up_within_ten() -> None:
    world = World(Link(2_000_000))
    world.run(20)
    world.link.rate = 500_000
    world.run(20)
    world.link.rate = 2_000_000
    world.run(12)
    assert max(world.between(22, 25)) <= 1.02 * 500_000
    assert max(world.between(25, 40)) <= 1.05 * 500_000
    assert mean(world.between(30, 40)) >= 0.85 * 500_000
    recovered = min(at for at, value in world.estimates if at >= 40 and value >= 1_800_000)
    assert recovered <= 50, f"after {recovered - 40:.1f} s"


def test_two_percent_of_random_loss_cost_little() -> None:
    world = World(Link(2_000_000, loss=0.02))
    world.run(SETTLED + 15)
    assert mean(world.between(SETTLED, SETTLED + 15)) >= 1_700_000


@pytest.mark.parametrize("loss", [0.1, 0.2])
def test_loss_that_does_not_depend_on_the_rate_is_told_from_congestion(loss: float) -> None:
    world = World(Link(2_000_000, loss=loss))
    world.run(40)
    assert mean(world.between(25, 40)) >= 1_000_000


def test_loss_from_a_queue_too_short_to_show_any_delay_bounds_the_estimate() -> None:
    world = World(Link(1_000_000, queue=0.015))
    world.run(30)
    assert mean(world.between(15, 30)) <= 1_200_000


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_jitter_of_thirty_milliseconds_is_no_congestion(seed: int) -> None:
    world = World(Link(2_000_000, jitter=0.03), seed=seed)
    world.run(SETTLED + 15)
    assert mean(world.between(SETTLED, SETTLED + 15)) >= 1_700_000


def test_others_on_the_link_get_their_share() -> None:
    world = World(Link(3_000_000))
    world.run(15)
    world.link.cross = 2_000_000
    world.run(20)
    assert 700_000 <= mean(world.between(20, 35)) <= 1_050_000


def test_what_nobody_sends_is_proved_by_probes_as_far_as_somebody_wants_it() -> None:
    world = World(Link(5_000_000), wanted=lambda now: 2_000_000, sends=lambda now, estimate: 300_000)
    world.run(20)
    assert 2_400_000 <= world.controller.estimate <= 3_700_000
    clusters = world.controller.prober.clusters
    world.run(20)
    assert world.controller.prober.clusters == clusters, "what is wanted is there: no more probing"


def test_probing_disturbs_a_path_at_its_limit_but_little() -> None:
    world = World(Link(1_000_000), wanted=lambda now: 4_000_000, sends=lambda now, estimate: 400_000)
    world.run(30)
    assert world.padding_octets < 0.1 * world.media_octets
    assert 750_000 <= world.controller.estimate <= 1_150_000
    assert world.link.dropped == 0


def test_without_probing_the_estimate_stays_near_what_was_really_sent() -> None:
    world = World(Link(5_000_000), sends=lambda now, estimate: 200_000, padding=False)
    world.run(20)
    assert world.controller.estimate <= START_RATE * 1.1


def test_a_path_that_was_cut_down_to_nothing_is_probed_again_although_nothing_is_sent() -> None:
    world = World(Link(2_000_000))
    world.run(10)
    world.link.cross = 1_900_000
    world.run(5)
    world.link.cross = 0.0
    world.pause()
    world.run(8)
    assert world.controller.estimate >= 1_500_000


@pytest.mark.parametrize("field", ["feedback_loss", "feedback_duplicates"])
def test_feedback_may_be_lost_or_come_twice(field: str) -> None:
    world = World(Link(2_000_000))
    setattr(world, field, 0.2)
    world.run(SETTLED + 15)
    assert 1_500_000 <= mean(world.between(SETTLED, SETTLED + 15)) <= 2_050_000


def test_feedback_may_overtake_feedback() -> None:
    world = World(Link(2_000_000), feedback_jitter=0.15)
    world.run(SETTLED + 15)
    assert 1_500_000 <= mean(world.between(SETTLED, SETTLED + 15)) <= 2_050_000


def test_silence_brings_the_estimate_down() -> None:
    world = World(Link(2_000_000))
    world.run(15)
    before = world.controller.estimate
    world.feedback_loss = 1.0
    world.run(6)
    assert world.controller.estimate < before / 2


def test_what_was_sent_last_and_never_reported_is_no_silence() -> None:
    world = World(Link(2_000_000), padding=False)
    world.run(15)
    world.feedback_loss = 1.0
    world.run(1)
    before = world.controller.estimate
    world.pause()
    world.run(60)
    assert world.controller.estimate == before


def test_feedback_that_we_had_no_time_to_read_is_no_silence() -> None:
    world = World(Link(2_000_000))
    world.run(15)
    before = world.controller.estimate
    world.unread = 1.0
    world.run(10)
    assert world.controller.estimate == before
    world.unread = 0.0
    world.run(5)
    assert world.controller.estimate >= 0.9 * before


def test_a_rate_is_not_taken_for_less_because_half_of_what_tells_of_it_was_not_read() -> None:
    world = World(Link(4_000_000), sends=lambda time, estimate: 1_000_000, wanted=lambda now: 1_000_000)
    world.run(15)
    world.unread = 0.5
    delivered = []
    for _ in range(100):
        world.run(0.1)
        delivered.append(world.controller.delivered)
    assert share_within(delivered, 950_000, 1_200_000) > 0.9


def test_an_estimate_is_outdated_for_a_while_when_news_was_not_read_of_a_path_that_had_room() -> None:
    world = World(Link(2_000_000))
    world.run(15)
    assert not world.controller.is_outdated(world.now)
    world.unread = 0.5
    world.run(0.5)
    assert world.controller.is_outdated(world.now)
    world.unread = 0.0
    world.run(BEHIND_FOR + 0.1)
    assert not world.controller.is_outdated(world.now)
    world.link.rate = 300_000
    while not world.controller.crowded:
        world.run(0.1)
    world.unread = 1.0
    world.run(0.5)
    assert not world.controller.is_outdated(world.now)


def test_a_receiver_of_more_than_is_remembered_is_heard_to_be_silent_all_the_same() -> None:
    controller = BandwidthController(0.0)
    controller.expects_feedback = True
    batches = ((number, number / 2000, [100]) for number in range(8_000))
    controller.ledger.sent.append(next(batches))
    (message,) = build_transport_feedback(1, 2, 0, [(0, 1_000_000)])
    controller.handle_feedback(message, 0.0004)
    controller.ledger.sent.extend(batches)
    assert controller.ledger.sent[-1][1] - controller.ledger.sent[0][1] < SILENT_AFTER
    controller.poll(4.0, 1_000_000)
    assert controller.estimate < START_RATE


def test_after_a_path_was_away_for_some_seconds_the_estimate_is_back_soon() -> None:
    world = World(Link(2_000_000))
    world.run(15)
    world.link.loss = 1.0
    world.run(6)
    world.link.loss = 0.0
    world.run(4)
    assert world.controller.estimate >= 1_200_000


def test_a_receiver_that_never_reports_keeps_the_start() -> None:
    world = World(Link(2_000_000), feedback_loss=1.0)
    world.run(10)
    assert world.controller.estimate == START_RATE


def test_a_remb_bounds_the_estimate_until_it_is_old() -> None:
    controller = BandwidthController(0.0)
    for second in range(20):
        controller.handle_remb(1_200_000, float(second))
        controller.poll(float(second), 2_000_000)
    assert controller.estimate == 1_200_000
    controller.handle_remb(400_000, 20.0)
    assert controller.estimate == 400_000
    controller.poll(40.0, 2_000_000)
    assert controller.estimate >= 1_200_000


def test_who_sends_transport_wide_feedback_may_ask_for_less_by_remb_and_is_not_probed_beyond_it() -> None:
    world = World(Link(5_000_000))
    world.run(SETTLED)
    for _ in range(10):
        world.controller.handle_remb(800_000, world.now)
        before = world.padding_octets
        world.run(1)
        assert world.padding_octets == before, "it does not want to know whether more would come through"
    assert set(world.between(SETTLED + 0.1, SETTLED + 10)) == {800_000}


def test_a_remb_of_much_raises_no_estimate_that_feedback_keeps_down() -> None:
    world, other = World(Link(1_000_000)), World(Link(1_000_000))
    for _ in range(30):
        world.controller.handle_remb(1_000_000_000_000, world.now)
        world.run(1)
        other.run(1)
    assert world.estimates == other.estimates


def test_receiver_reports_alone_let_it_grow_while_nothing_is_lost_and_stop_it_when_much_is() -> None:
    controller = BandwidthController(0.0)
    for second in range(30):
        controller.handle_loss(0.0, float(second))
        controller.poll(float(second), 1_000_000)
    assert 900_000 <= controller.estimate <= 1_500_000
    before = controller.estimate
    for second in range(30, 33):
        controller.handle_loss(0.3, float(second))
        controller.poll(float(second), 1_000_000)
    assert controller.estimate < 0.8 * before


@settings(max_examples=60)
@given(st.binary(max_size=80))
def test_rubbish_is_refused_or_harmless(body: bytes) -> None:
    controller = BandwidthController(0.0)
    controller.ledger.sent.append((0, 0.0, [1000] * 20))
    head = bytes((0x8F, 205)) + (len(body) // 4 + 2).to_bytes(2, "big") + bytes(8)
    try:
        controller.handle_feedback(head + body, 0.1)
    except RtcpError:
        pass
    assert controller.estimate <= START_RATE


arrivals = st.lists(
    st.tuples(st.integers(0, 2**17), st.integers(0, 2**40)), min_size=1, max_size=30, unique_by=lambda x: x[0]
).map(sorted)


@settings(max_examples=60)
@given(st.lists(arrivals, max_size=15), st.integers(0, 2**16))
def test_reports_of_packets_never_sent_and_of_times_that_run_back_prove_nothing(
    reports: list[list[tuple[int, int]]], first: int
) -> None:
    controller = BandwidthController(0.0)
    controller.expects_feedback = True
    now = 0.0
    for number, report in enumerate(reports):
        now += 0.1
        controller.ledger.sent.append((first + 10 * number, now, [1000] * 10))
        for message in build_transport_feedback(1, 2, number, report):
            controller.handle_feedback(message, now)
        controller.poll(now, 10_000_000)
    assert 0 < controller.estimate <= 2 * START_RATE


def test_a_clock_that_went_its_own_way_while_nothing_was_reported_is_no_queue() -> None:
    trend = DelayTrend()
    for number in range(20):
        at = 0.04 * number
        trend.handle([Burst(number, 1, 1000, at, at + 0.05, at + 0.05)], at + 0.1)
    back = 3600.0  # of voices alone, in which the clocks drift apart by 50 millionths
    for number in range(20):
        at = back + 0.04 * number
        assert trend.handle([Burst(20 + number, 1, 1000, at, at + 0.23, at + 0.23)], at + 0.3) is Usage.NORMAL
        assert trend.queue == 0.0
