"""What somebody watches who cannot choose one by one: a WHEP player has two m-lines and hears no events.

Either one participant's source with the sound that goes with it, or the stage, by following whoever speaks.
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from signaling.domain.peer import Kind, Peer
from signaling.domain.publication import Publication

SOUND_OF: Final[Mapping[str, str]] = {"camera": "microphone", "screen": "screen_audio"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A participant (by id or custom id) and a source. Without a participant: the stage."""

    participant_id: str | None = None
    source: str = "camera"


def choose(
    wanted: Wanted,
    publications: Sequence[Publication],
    peers: Mapping[str, Peer],
    *,
    speaking: str | None,
    showing: Mapping[Kind, str],
) -> dict[Kind, Publication]:
    """At most one publication of each kind.

    `publications` oldest first, `speaking` is the active speaker's peer id, `showing` the publication ids
    that are being watched now: they stay where nothing is a reason to change.
    """
    if wanted.participant_id is None:
        return _of_stage(publications, speaking, showing)
    sources = (wanted.source, SOUND_OF.get(wanted.source))
    theirs = [
        one
        for one in publications
        if one.source in sources and _is(peers[one.peer_id], wanted.participant_id)
    ]
    return _chosen(
        video=_pick([one for one in theirs if one.kind == "video"], (), showing.get("video")),
        audio=_pick([one for one in theirs if one.kind == "audio"], (), showing.get("audio")),
    )


def _of_stage(
    publications: Sequence[Publication], speaking: str | None, showing: Mapping[Kind, str]
) -> dict[Kind, Publication]:
    """The speaker's camera and microphone. A speaker without a camera leaves the picture as it is."""
    cameras = [one for one in publications if one.source == "camera"]
    microphones = [one for one in publications if one.source == "microphone"]
    video = _pick(cameras, (speaking,), showing.get("video"))
    with_picture = video.peer_id if video is not None and "audio" not in showing else None
    return _chosen(video=video, audio=_pick(microphones, (speaking, with_picture), showing.get("audio")))


def _pick(
    candidates: Sequence[Publication], peer_ids: Sequence[str | None], showing: str | None
) -> Publication | None:
    """Of the first of the peers that has one; else the one being shown; else the oldest."""
    for peer_id in peer_ids:
        for one in candidates:
            if one.peer_id == peer_id:
                return one
    shown = next((one for one in candidates if one.id == showing), None)
    return shown or (candidates[0] if candidates else None)


def _chosen(*, video: Publication | None, audio: Publication | None) -> dict[Kind, Publication]:
    chosen: dict[Kind, Publication] = {}
    if audio is not None:
        chosen["audio"] = audio
    if video is not None:
        chosen["video"] = video
    return chosen


def _is(peer: Peer, participant_id: str) -> bool:
    return participant_id in (peer.participant_id, peer.custom_participant_id)
