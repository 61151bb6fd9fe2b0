from __future__ import annotations

from signaling.domain.publication import MutedBy, Publication
from signaling.domain.view_mode import ViewKind, ViewMode, ViewModes

EVERYBODY = "abcdef"


def publications(*, muted: str = "") -> list[Publication]:
    """A camera and a microphone of each, and a screen of a."""
    cameras = [
        Publication(
            f"cam-{one}", one, "1", "camera", "video", muted_by=MutedBy.OWNER if one in muted else None
        )
        for one in EVERYBODY
    ]
    voices = [Publication(f"mic-{one}", one, "0", "microphone", "audio") for one in EVERYBODY]
    return [*cameras, *voices, Publication("screen-a", "a", "2", "screen", "video")]


def cameras(modes: ViewModes, peer_id: str = "f", *, muted: str = "") -> str:
    """Whose cameras the peer watches."""
    wanted = modes.wanted(peer_id, publications(muted=muted), 25)
    assert wanted is not None
    return "".join(sorted(one.removeprefix("cam-") for one in wanted if one.startswith("cam-")))


def last(count: int) -> ViewModes:
    modes = ViewModes()
    modes.choose("f", ViewMode(ViewKind.SPEAKERS, count=count))
    return modes


def test_a_page_is_its_people_every_voice_and_every_screen() -> None:
    modes = ViewModes()
    modes.choose("f", ViewMode(ViewKind.PAGE, page=tuple("bcf")))
    assert modes.wanted("f", publications(), 25) == {
        "cam-b", "cam-c", "screen-a", *(f"mic-{one}" for one in "abcde"),
    }  # fmt: skip


def test_of_a_page_with_too_many_those_named_first_are_shown() -> None:
    modes = ViewModes()
    modes.choose("f", ViewMode(ViewKind.PAGE, page=("e", "b", "a", "e")))
    wanted = modes.wanted("f", publications(), 2)
    assert wanted is not None
    assert {one for one in wanted if one.startswith("cam")} == {"cam-e", "cam-b"}


def test_who_chose_nothing_is_left_alone() -> None:
    modes = ViewModes()
    assert modes.wanted("f", publications(), 25) is None
    modes.choose("f", ViewMode(ViewKind.PAGE))
    modes.choose("f", ViewMode(ViewKind.MANUAL))
    assert modes.wanted("f", publications(), 25) is None


def test_before_anybody_spoke_those_who_came_first_are_shown() -> None:
    assert cameras(last(2)) == "ab"


def test_who_speaks_takes_the_place_of_who_has_been_silent_longest() -> None:
    modes = last(2)
    for speaker in "cde":
        modes.handle_speaker(speaker)
    assert cameras(modes) == "de"


def test_those_who_talk_with_each_other_displace_nobody() -> None:
    modes = last(3)
    for speaker in "bcd":
        modes.handle_speaker(speaker)
    shown = cameras(modes)
    for speaker in "bcbdcdbc":
        modes.handle_speaker(speaker)
        assert cameras(modes) == shown


def test_only_who_sends_a_video_has_a_place() -> None:
    modes = last(2)
    for speaker in "cde":
        modes.handle_speaker(speaker)
    assert cameras(modes, muted="d") == "ce"


def test_ones_own_speech_takes_no_place() -> None:
    modes = last(2)
    for speaker in "cdf":
        modes.handle_speaker(speaker)
    assert cameras(modes) == "cd"


def test_the_same_speaker_again_changes_nothing() -> None:
    modes = last(2)
    assert modes.handle_speaker("a")
    assert not modes.handle_speaker("a")


def test_who_left_is_forgotten() -> None:
    modes = last(2)
    modes.handle_speaker("e")
    modes.forget("e")
    modes.forget("f")
    assert modes.wanted("f", publications(), 25) is None
    modes.choose("f", ViewMode(ViewKind.SPEAKERS, count=1))
    assert cameras(modes) == "a"
