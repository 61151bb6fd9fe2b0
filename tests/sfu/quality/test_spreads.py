"""What the figures of all streams add up to: as many histograms as labels, and nothing of what is still."""

from __future__ import annotations

from sfu.quality.meter import Figures
from sfu.quality.spreads import BOUNDS, QualitySpreads


def counts(spreads: QualitySpreads) -> dict[tuple[str, str | None, str | None], int]:
    return {(one.measure, one.direction, one.kind): sum(one.histogram.counts) for one in spreads}


def test_a_stream_counts_in_each_time_with_what_is_known_of_it() -> None:
    spreads = QualitySpreads()
    poor = Figures(bitrate=9e5, packet_rate=50.0, loss=0.01, repaired=0.02, rtt=0.08, score=7)
    spreads.observe("out", "video", poor, 0)
    spreads.observe("out", "video", Figures(packet_rate=50.0), 0)
    spreads.observe("in", "audio", Figures(packet_rate=50.0), 0)
    assert counts(spreads) == {
        ("loss", "out", "video"): 2,
        ("jitter", "out", "video"): 2,
        ("score", "out", "video"): 2,
        ("bitrate", "out", "video"): 2,
        ("rtt", "out", "video"): 1,
        ("loss", "in", "audio"): 1,
        ("jitter", "in", "audio"): 1,
        ("score", "in", "audio"): 1,
        ("bitrate", "in", "audio"): 1,
    }
    bitrate = next(one.histogram for one in spreads if (one.measure, one.direction) == ("bitrate", "out"))
    assert bitrate.counts[BOUNDS["bitrate"].index(1.2e6)] == 1
    loss = next(one.histogram for one in spreads if (one.measure, one.direction) == ("loss", "out"))
    assert loss.counts[BOUNDS["loss"].index(0.0)] == 1
    assert loss.counts[BOUNDS["loss"].index(0.05)] == 1, "the repaired ones were lost, too"


def test_what_does_not_flow_counts_only_if_it_should() -> None:
    spreads = QualitySpreads()
    spreads.observe("out", "video", Figures(), 0)
    assert counts(spreads) == {}
    spreads.observe("out", "video", Figures(frozen=1.0, score=2), 1)
    assert counts(spreads)["score", "out", "video"] == 1


def test_freezes_count_by_direction_and_kind_of_what_does_not_flow_as_well() -> None:
    spreads = QualitySpreads()
    spreads.observe("out", "video", Figures(frozen=0.5), 2)
    spreads.observe("out", "video", Figures(packet_rate=25.0), 1)
    spreads.observe("in", "video", Figures(), 1)
    assert spreads.freezes == {("out", "video"): 3, ("in", "video"): 1}


def test_there_are_no_more_histograms_than_labels_however_many_streams_there_are() -> None:
    spreads = QualitySpreads()
    for number in range(1000):
        for direction in ("in", "out"):
            for kind in ("audio", "video"):
                spreads.observe(direction, kind, Figures(packet_rate=1.0, rtt=number / 100), 1)
        spreads.observe_estimate(1e4 * number)
    assert len(counts(spreads)) == 5 * 4 + 1
    assert len(spreads.freezes) == 4
