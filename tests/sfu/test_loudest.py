"""Of many voices the loudest are forwarded, without people who speak alike taking turns in being cut."""

from hypothesis import given
from hypothesis import strategies as st

from sfu.loudest import MARGIN, choose_loudest

NAMES = st.sampled_from("abcdefgh")
LEVELS = st.dictionaries(NAMES, st.floats(0, 127), max_size=8)


def test_the_loudest_are_chosen() -> None:
    loudness = {"a": 10.0, "b": 90.0, "c": 60.0}
    assert choose_loudest(loudness, frozenset(), None, 2) == {"b", "c"}


def test_who_is_forwarded_stays_until_another_is_clearly_louder() -> None:
    forwarded = frozenset("a")
    assert choose_loudest({"a": 60.0, "b": 60.0 + MARGIN - 1}, forwarded, None, 1) == {"a"}
    assert choose_loudest({"a": 60.0, "b": 60.0 + MARGIN + 1}, forwarded, None, 1) == {"b"}


def test_the_dominant_speaker_is_always_heard() -> None:
    assert choose_loudest({"a": 5.0, "b": 100.0}, frozenset("b"), "a", 1) == {"a"}


def test_who_is_gone_is_not_chosen() -> None:
    assert choose_loudest({"b": 1.0}, frozenset("a"), "a", 3) == {"b"}


@given(LEVELS, st.frozensets(NAMES), st.none() | NAMES, st.integers(1, 5))
def test_never_more_than_the_limit_and_never_fewer_than_there_are(
    loudness: dict[str, float], forwarded: frozenset[str], dominant: str | None, most: int
) -> None:
    chosen = choose_loudest(loudness, forwarded, dominant, most)
    assert len(chosen) == min(most, len(loudness))
    assert chosen <= loudness.keys()
    assert choose_loudest(loudness, chosen, dominant, most) == chosen, "nothing changes by looking again"
