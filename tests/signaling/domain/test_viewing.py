"""What is shown to somebody who cannot choose: whoever speaks, or one participant."""

from __future__ import annotations

from datetime import UTC, datetime

from signaling.domain.default_presets import DEFAULT_PRESETS
from signaling.domain.peer import Kind, Peer, joining_peer
from signaling.domain.publication import Publication
from signaling.domain.viewing import Wanted, choose

STAGE = Wanted()


def peer(name: str) -> Peer:
    return joining_peer(
        name,
        participant_id=f"pt-{name}",
        custom_participant_id=f"our-{name}",
        name=name,
        picture=None,
        preset=DEFAULT_PRESETS[0],
        device="desktop",
        joined_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


PEERS = {name: peer(name) for name in ("ada", "grace", "linus")}


def publication(owner: str, source: str) -> Publication:
    kind: Kind = "audio" if source in ("microphone", "screen_audio") else "video"
    return Publication(f"{owner} {source}", owner, "0", source, kind)


ADA = [publication("ada", "camera"), publication("ada", "microphone")]
GRACE = [publication("grace", "microphone"), publication("grace", "camera")]
LINUS = [publication("linus", "microphone"), publication("linus", "screen"), publication("linus", "notes")]
ALL = [*ADA, *GRACE, *LINUS]


def shown(
    wanted: Wanted, publications: list[Publication], speaking: str | None = None, **showing: str
) -> dict[str, str]:
    before: dict[Kind, str] = {kind: showing[kind] for kind in ("audio", "video") if kind in showing}
    chosen = choose(wanted, publications, PEERS, speaking=speaking, showing=before)
    return {kind: one.id for kind, one in chosen.items()}


def test_before_anybody_spoke_whoever_published_first_is_shown_and_heard() -> None:
    assert shown(STAGE, ALL) == {"audio": "ada microphone", "video": "ada camera"}
    assert shown(STAGE, [GRACE[0], *ADA]) == {"audio": "ada microphone", "video": "ada camera"}
    assert shown(STAGE, []) == {}


def test_the_speaker_is_shown_and_stays_when_nobody_speaks() -> None:
    grace = {"audio": "grace microphone", "video": "grace camera"}
    assert shown(STAGE, ALL, "grace", audio="ada microphone", video="ada camera") == grace
    assert shown(STAGE, ALL, None, **grace) == grace


def test_a_speaker_without_a_camera_is_heard_and_the_picture_stays() -> None:
    before = {"audio": "grace microphone", "video": "grace camera"}
    after = {"audio": "linus microphone", "video": "grace camera"}
    assert shown(STAGE, ALL, "linus", **before) == after


def test_whoever_is_gone_is_replaced() -> None:
    before = {"audio": "grace microphone", "video": "grace camera"}
    assert shown(STAGE, ADA, "grace", **before) == {"audio": "ada microphone", "video": "ada camera"}


def test_one_participants_source_comes_with_its_own_sound() -> None:
    assert shown(Wanted("pt-ada", "camera"), ALL) == {"audio": "ada microphone", "video": "ada camera"}
    assert shown(Wanted("our-linus", "screen"), ALL) == {"video": "linus screen"}
    assert shown(Wanted("our-linus", "notes"), ALL, "ada") == {"video": "linus notes"}
    assert shown(Wanted("pt-linus", "microphone"), ALL) == {"audio": "linus microphone"}
    assert shown(Wanted("nobody", "camera"), ALL) == {}
