from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.errors import ResumeRefusedError
from signaling.protocol.mailbox import Mailbox


@given(st.integers(0, 30), st.integers(1, 10))
def test_what_came_after_a_number_is_all_there_or_refused(events: int, bound: int) -> None:
    mailbox = Mailbox(max_events=bound)
    for number in range(1, events + 1):
        assert mailbox.put(f"event {number}") == number
    for seen in range(events + 1):
        if events - seen > bound:
            with pytest.raises(ResumeRefusedError):
                mailbox.since(seen)
        else:
            assert mailbox.since(seen) == [(n, f"event {n}") for n in range(seen + 1, events + 1)]


def test_it_is_bounded_by_size_as_well() -> None:
    mailbox = Mailbox(max_characters=100)
    mailbox.put("x" * 60)
    mailbox.put("y" * 60)
    assert mailbox.since(1) == [(2, "y" * 60)]
    with pytest.raises(ResumeRefusedError):
        mailbox.since(0)


def test_a_number_that_was_never_given_is_refused() -> None:
    with pytest.raises(ResumeRefusedError):
        Mailbox().since(1)
