from __future__ import annotations

import pytest

from signaling.domain.errors import NotFoundError
from signaling.domain.publication import Publication
from signaling.domain.publications import Publications


def three() -> Publications:
    publications = Publications()
    for one in (
        Publication("pub_1", "peer_a", "0", "screen", "video"),
        Publication("pub_2", "peer_b", "0", "camera", "video"),
        Publication("pub_3", "peer_a", "1", "screen_audio", "audio"),
    ):
        publications[one.id] = one
    return publications


def test_those_of_a_peer_are_in_the_order_of_publishing() -> None:
    assert [one.id for one in three().of("peer_a")] == ["pub_1", "pub_3"]
    assert three().of("peer_c") == []


def test_a_screen_is_counted_once_with_its_sound() -> None:
    assert three().screens == 1


@pytest.mark.parametrize("publication_id", ["pub_2", "pub_9"])
def test_nobody_speaks_of_another_ones_as_their_own(publication_id: str) -> None:
    publications = three()
    assert publications.own("peer_a", "pub_3") is publications["pub_3"]
    with pytest.raises(NotFoundError):
        publications.own("peer_a", publication_id)
