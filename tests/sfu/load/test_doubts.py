"""What a load's own figures say against them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sfu.load.doubts import Count, Effort, doubts, impossibilities

FINE = Effort(
    planned=1000, sent=1010, frames_skipped=0, cpu_s=5.0, seconds=10.0, server_cpu_s=9.0, buffer_errors=0
)


def test_what_was_sent_and_received_once_is_possible() -> None:
    assert impossibilities([Count(100, 100, 6), Count(100, 40, 40), Count(0, 0, 0)]) == []


def test_more_received_than_was_sent_cannot_be() -> None:
    (found,) = impossibilities([Count(100, 100, 6), Count(100, 680, 6)])
    assert "1 receptions" in found
    assert "680 of 100" in found


def test_what_one_receiver_lacks_does_not_hide_what_another_has_too_much() -> None:
    assert impossibilities([Count(100, 0, 0), Count(100, 101, 0)])


def test_more_opened_than_received_cannot_be() -> None:
    assert impossibilities([Count(100, 50, 51)])


def test_a_generator_that_kept_up_leaves_no_doubt() -> None:
    assert doubts(FINE) == []


@pytest.mark.parametrize(
    ("effort", "said"),
    [
        (replace(FINE, frames_skipped=3), "skipped 3 frames"),
        (replace(FINE, sent=900), "sent 900 of the planned 1000"),
        (replace(FINE, cpu_s=9.6), "96 % of a core"),
        (replace(FINE, server_cpu_s=9.9), "99 % of a core"),
        (replace(FINE, buffer_errors=7), "7 datagrams"),
    ],
)
def test_a_generator_that_did_not_keep_up_is_named(effort: Effort, said: str) -> None:
    (found,) = doubts(effort)
    assert said in found
