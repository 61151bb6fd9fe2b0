"""The table of a session's states."""

from __future__ import annotations

import pytest

from signaling.domain.errors import StateError
from signaling.domain.session_status import TRANSITIONS, SessionStatus, next_status


def test_what_expired_or_was_finished_may_be_archived_and_what_was_called_off_left_nothing() -> None:
    archived = {one for one in SessionStatus if SessionStatus.ARCHIVED in TRANSITIONS[one]}
    assert archived == {SessionStatus.FINISHED, SessionStatus.EXPIRED}


@pytest.mark.parametrize("status", list(SessionStatus))
def test_only_what_the_table_lists_is_a_move(status: SessionStatus) -> None:
    for wanted in SessionStatus:
        if wanted in TRANSITIONS[status]:
            assert next_status(status, wanted) is wanted
        else:
            with pytest.raises(StateError):
                next_status(status, wanted)
