"""A day fits into a bounded number of points, and nothing that happened in it is gone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signaling.domain.candidate_pair import MAX_PAIRS, CandidatePair, CandidatePairs
from signaling.domain.peer_quality import Reading, Track, mos_of
from signaling.domain.peer_report import PeerReport
from signaling.domain.quality_series import MAX_POINTS, Point, QualitySeries
from signaling.domain.quality_summary import summarise

HEARD = Track("received", "audio")
SEEN = Track("received", "video")
FINE = Reading(
    seconds=10.0,
    streams=2.0,
    packets=500.0,
    octets=50_000.0,
    lost=0.0,
    jitter=0.25,
    rtt=0.5,
    frame_rate=None,
    frozen=0.0,
    score=10.0,
    worst=10.0,
)
BAD = replace(FINE, packets=250.0, lost=250.0, frozen=5.0, score=2.0, worst=1.0, rtt=None)
HOME = CandidatePair(
    "received", "udp", "192.0.2.1", 40000, "198.51.100.7", 50000, "srflx", 0.0, 10.0, packets=5
)


def test_two_readings_that_follow_each_other_make_one_over_both() -> None:
    both = replace(FINE, seconds=30.0).followed_by(BAD)
    assert (both.seconds, both.packets, both.lost, both.frozen) == (40.0, 750.0, 250.0, 5.0)
    assert both.score == pytest.approx((30 * 10 + 10 * 2) / 40), "by time"
    assert both.worst == 1.0, "a dip is not averaged away"
    assert both.rtt == 0.5, "what is not known says nothing"
    assert both.loss == 0.25
    assert both.bitrate == 8 * 100_000 / 40


def test_opinions_go_from_one_to_five() -> None:
    assert [mos_of(score) for score in (-1.0, 0.0, 5.0, 10.0, 11.0)] == [1.0, 1.0, 3.0, 5.0, 5.0]


@settings(max_examples=20)
@given(st.integers(1, 3 * MAX_POINTS), st.data())
def test_points_are_bounded_and_hold_all_that_was_sampled(samples: int, data: st.DataObject) -> None:
    series = QualitySeries()
    bad = data.draw(st.integers(0, samples - 1))
    only_there = data.draw(st.integers(0, samples - 1))
    for number in range(samples):
        readings = {HEARD: BAD if number == bad else FINE} | ({SEEN: FINE} if number == only_there else {})
        series.add(Point(10.0 * (number + 1), readings))
        assert len(series) <= MAX_POINTS
    heard = [one for _, one in series.of(HEARD)]
    assert sum(one.seconds for one in heard) == 10.0 * samples
    assert sum(one.lost for one in heard) == 250.0
    assert min(one.worst for one in heard) == 1.0
    assert [one for _, one in series.of(SEEN)] == [FINE], "in its place only"
    times = [point.at for point in series.points()]
    assert times == sorted(times)
    assert times[-1] == series.until == 10.0 * samples
    assert all(one.seconds == 10.0 * series.resolution for one in heard[:-1]), "points are alike"


def test_a_day_has_a_point_every_eleven_minutes() -> None:
    series = QualitySeries()
    for number in range(24 * 360):
        series.add(Point(10.0 * (number + 1), {HEARD: FINE}))
    assert (series.resolution, len(series)) == (64, 135)


def test_a_report_is_read_as_it_was_written_and_goes_on() -> None:
    report = PeerReport()
    for number in range(MAX_POINTS + 1):
        report.series.add(Point(float(number), {HEARD: FINE} if number % 2 else {HEARD: BAD, SEEN: FINE}))
    report.pairs.add(HOME)
    again = PeerReport.unpack(report.pack())
    assert list(again.series.points()) == list(report.series.points())
    assert list(again.pairs) == [HOME]
    for one in (report, again):
        one.series.add(Point(500.0, {SEEN: BAD}))
    assert list(again.series.points()) == list(report.series.points()), "also the half-full point"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}\n",
        b'{"form":2,"series":{},"pairs":[]}\n',
        b'{"form":1,"series":{"points":1,"resolution":1,"filled":1,"tracks":[]},"pairs":[]}\n',
        b'{"form":1,"series":{"points":0,"resolution":1,"filled":0,"tracks":[["sent"]]},"pairs":[]}\n',
        b'{"form":1,"series":{"points":-1,"resolution":1,"filled":0,"tracks":[]},"pairs":[]}\n',
        b'{"form":1,"series":{"points":0,"resolution":1,"filled":0,"tracks":[]},"pairs":[{}]}\n',
    ],
)
def test_what_is_no_report_is_not_read(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        PeerReport.unpack(data)


def test_a_pair_is_listed_once_for_each_time_that_it_was_chosen() -> None:
    away = replace(HOME, remote_address="203.0.113.9", since=20.0, until=30.0)
    pairs = CandidatePairs()
    for seen in (
        HOME,
        replace(HOME, since=10.0, until=20.0, rtt=0.1),
        away,
        replace(HOME, since=30.0, until=40.0),
    ):
        pairs.add(seen)
    assert [(one.remote_address, one.since, one.until, one.packets) for one in pairs] == [
        ("198.51.100.7", 0.0, 20.0, 10),
        ("203.0.113.9", 20.0, 30.0, 5),
        ("198.51.100.7", 30.0, 40.0, 5),
    ]
    assert next(iter(pairs)).rtt == 0.1
    for port in range(100):
        pairs.add(replace(HOME, remote_port=port))
    assert len(pairs) == MAX_PAIRS
    assert next(iter(pairs)).since == 0.0
    assert list(pairs)[-1].remote_port == 99


def test_a_summary_weighs_each_moment_by_its_length() -> None:
    assert summarise([]) is None
    found = summarise([replace(FINE, seconds=80.0, rtt=0.05), replace(BAD, seconds=20.0)])
    assert found is not None
    assert found.seconds == 100.0
    assert found.loss.mean == 0.25, "of all packets"
    assert found.loss.shares == (0.2, 0.2, 0.2, 0.2), "half of them in a fifth of the time"
    assert (found.mos.p50, found.mos.mean) == (5.0, pytest.approx(0.8 * 5.0 + 0.2 * mos_of(2.0)))
    assert found.rtt is not None
    assert (found.rtt.mean, found.rtt.shares) == (0.05, (0.0, 0.0, 0.0))
    assert found.frame_rate is None
    assert found.frozen == 0.05
