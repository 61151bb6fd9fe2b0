"""What is blocked of whom, and whom an action is about."""

from __future__ import annotations

from pydantic import TypeAdapter

from signaling.domain.censorship import Blocked, Censorship
from signaling.domain.targets import Targets

VOICE = frozenset({"microphone"})
NONE: frozenset[str] = frozenset()


def test_what_is_blocked_of_everybody_can_be_allowed_somebody_and_blocked_again() -> None:
    censorship = Censorship()
    censorship.block_everybody(VOICE, but=["host"])
    assert (censorship.of("host"), censorship.of("anybody")) == (NONE, VOICE)
    censorship.allow(["guest"], VOICE)
    assert censorship.of("guest") == NONE
    censorship.block(["guest"], VOICE)
    assert censorship.of("guest") == VOICE
    censorship.block_everybody(VOICE)
    assert censorship.of("host") == VOICE


def test_to_allow_everybody_lifts_nothing_that_was_laid_on_one() -> None:
    censorship = Censorship()
    censorship.block(["one"], VOICE)
    censorship.block_everybody(VOICE)
    censorship.allow_everybody(VOICE)
    assert (censorship.of("one"), censorship.of("another")) == (VOICE, NONE)


def test_it_survives_being_noted() -> None:
    censorship = Censorship()
    censorship.block(["one"], {"camera"})
    censorship.block_everybody(VOICE, but=["host"])
    notes = TypeAdapter(Blocked)
    again = Censorship(notes.validate_json(notes.dump_json(censorship.blocked)))
    assert again.blocked == censorship.blocked
    assert [again.of(who) for who in ("one", "host", "other")] == [{"camera", "microphone"}, NONE, VOICE]


def test_targets_that_name_nobody_say_so() -> None:
    assert Targets().nobody
    assert Targets(exclude=("x",)).nobody
    assert not Targets(everybody=True).nobody
    assert not Targets(peer_ids=("p",)).nobody
