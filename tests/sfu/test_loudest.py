"""Of many voices the loudest are forwarded, without people who speak alike taking turns in being cut."""

from hypothesis import given
from hypothesis import strategies as st

from sfu.loudest import MARGIN, Voice, choose_loudest

VOICES = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.builds(Voice.heard, st.floats(0, 127), forwarded=st.booleans(), dominant=st.booleans()),
    max_size=8,
)


def test_the_loudest_are_chosen() -> None:
    assert choose_loudest({"a": Voice(10.0), "b": Voice(90.0), "c": Voice(60.0)}, 2) == {"b", "c"}


def test_who_is_forwarded_stays_until_another_is_clearly_louder() -> None:
    forwarded = Voice(60.0, forwarded=True)
    assert choose_loudest({"a": forwarded, "b": Voice(60.0 + MARGIN - 1)}, 1) == {"a"}
    assert choose_loudest({"a": forwarded, "b": Voice(60.0 + MARGIN + 1)}, 1) == {"b"}


def test_the_dominant_speaker_is_always_heard() -> None:
    assert choose_loudest({"a": Voice(5.0, dominant=True), "b": Voice(100.0, forwarded=True)}, 1) == {"a"}


def test_where_nodes_hold_several_for_dominant_the_loudest_of_them_is() -> None:
    voices = {"a": Voice(50.0, dominant=True), "b": Voice(40.0, dominant=True), "c": Voice(99.0)}
    assert choose_loudest(voices, 1) == {"a"}
    assert choose_loudest(voices, 2) == {"a", "c"}


@given(VOICES, st.integers(1, 5))
def test_never_more_than_the_limit_and_never_fewer_than_there_are(
    voices: dict[str, Voice], most: int
) -> None:
    chosen = choose_loudest(voices, most)
    assert len(chosen) == min(most, len(voices))
    assert chosen <= voices.keys()
    after = {name: voice._replace(forwarded=name in chosen) for name, voice in voices.items()}
    assert choose_loudest(after, most) == chosen, "nothing changes by looking again"


@given(VOICES, st.integers(1, 5))
def test_nodes_that_tell_each_other_of_their_voices_choose_the_same(
    voices: dict[str, Voice], most: int
) -> None:
    there = {name: Voice.from_int(voice.to_int()) for name, voice in reversed(voices.items())}
    assert choose_loudest(there, most) == choose_loudest(voices, most)


@given(st.integers(0, 2**32 - 1))
def test_whatever_number_comes_is_a_voice(value: int) -> None:
    assert 0 <= Voice.from_int(value).loudness <= 127
