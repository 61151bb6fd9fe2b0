"""A port between its socket and whoever its datagrams belong to."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from sfu.webrtc.udp import RECEIVE_CALLS_PER_TURN, Path, UdpPort
from tests.support.kernel_times import kernel_notes_times
from tests.support.wait import wait_until

__all__ = ["kernel_notes_times"]

REPORT = b"\x80\xc9"
FEEDBACK = b"\x8f\xcd"
MEDIA = b"\x80\x60"
VOICE = b"\x80\x6f"
CHECK = b"\x00\x01"


pytestmark = pytest.mark.usefixtures("kernel_notes_times")


class Nobody:
    def handle_stranger(self, data: bytes, path: Path, now: float) -> None: ...


class Somebody:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.rtp_in: list[bytes] = []
        self.came_in: list[float] = []
        self.rtcp_in: list[bytes] = []
        self.got: list[bytes] = []
        self.came: list[float] = []
        self.late = 0

    def handle_late(self, packets: int, now: float) -> None:
        self.late += packets

    def handle_other(self, data: bytes, path: Path, now: float) -> None:
        self.got.append(data)

    def is_voice(self, data: bytes) -> bool:
        return data[:2] == VOICE

    def handle_batch(self, now: float) -> None:
        self.got += self.rtp_in + self.rtcp_in
        self.came += self.came_in
        self.rtp_in, self.rtcp_in, self.came_in = [], [], []


@pytest.fixture
def client() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        yield made


async def test_lone_datagrams_that_wait_are_handed_over_one_and_all(client: socket.socket) -> None:
    port, receiver = UdpPort.bind("127.0.0.1", 0, Nobody()), Somebody()
    port.attach(client.getsockname(), receiver)
    # Of two lengths, so that the kernel does not make one train of them.
    sent = [kind + bytes((number,)) * (1 + number % 2) for number in range(40) for kind in (REPORT, MEDIA)]
    for data in sent:
        client.sendto(data, ("127.0.0.1", port.number))
    await wait_until(lambda: len(receiver.got) >= len(sent), "all datagrams")
    assert sorted(receiver.got) == sorted(sent)
    assert [data for data in receiver.got if data[:2] == MEDIA] == [d for d in sent if d[:2] == MEDIA]
    port.close()


LATE_AFTER = 20.0
"""So long that no busy machine comes between."""


@pytest.mark.parametrize(
    ("waited", "dropped"),
    [
        *((0.0, ()), (-30.0, ())),
        (7.0, (FEEDBACK,)),
        (16.0, (FEEDBACK, MEDIA)),
        (25.0, (FEEDBACK, MEDIA, VOICE)),
    ],
)
@pytest.mark.parametrize("train", [False, True])
async def test_what_waited_for_too_long_is_dropped_feedback_first_and_voices_last(
    client: socket.socket, waited: float, dropped: tuple[bytes, ...], train: bool
) -> None:
    begun = time.time()
    port = UdpPort.bind("127.0.0.1", 0, Nobody(), LATE_AFTER, lambda: begun + waited)
    receiver = Somebody()
    port.attach(client.getsockname(), receiver)
    # Of one length the kernel may hand them over as a train; of several it cannot.
    lengths = [4 if train else 4 + number for number in range(20)]
    kinds = (MEDIA, VOICE, REPORT, FEEDBACK) * 5
    sent = [kind + bytes(length) for kind, length in zip(kinds, lengths, strict=True)]
    sent.append(CHECK + bytes(3))
    for data in sent:
        client.sendto(data, ("127.0.0.1", port.number))
    kept = [data for data in sent if data[:2] not in dropped]
    await wait_until(lambda: len(receiver.got) + port.late + port.late_feedback >= len(sent), "all datagrams")
    assert sorted(receiver.got) == sorted(kept)
    assert port.late == len([data for data in sent if data[:2] in dropped and data[:2] != FEEDBACK])
    assert port.late + port.late_feedback == receiver.late == len(sent) - len(kept)
    assert port.datagrams_received == len(sent)
    port.close()


@pytest.mark.parametrize("train", [False, True])
async def test_media_comes_with_the_time_of_its_arrival_not_of_its_reading(
    client: socket.socket, train: bool
) -> None:
    waited = 7.0
    before = time.monotonic()
    begun = time.time()
    port = UdpPort.bind("127.0.0.1", 0, Nobody(), LATE_AFTER, lambda: begun + waited)
    receiver = Somebody()
    port.attach(client.getsockname(), receiver)
    # Voices are taken however long they waited here, pictures only where they did not.
    for number in range(6):
        client.sendto(VOICE + bytes(4 if train else 4 + number), ("127.0.0.1", port.number))
    after = time.monotonic()
    await wait_until(lambda: len(receiver.got) == 6, "all datagrams")
    assert len(receiver.came) == 6
    read = time.monotonic()
    for came in receiver.came:
        assert before - waited - 1e-3 <= came <= read - waited + (after - before) + 1e-3
    port.close()


async def test_a_clock_that_was_set_back_makes_nothing_come_in_the_future(client: socket.socket) -> None:
    port = UdpPort.bind("127.0.0.1", 0, Nobody(), LATE_AFTER, lambda: time.time() - 3600)
    receiver = Somebody()
    port.attach(client.getsockname(), receiver)
    client.sendto(MEDIA + bytes(4), ("127.0.0.1", port.number))
    await wait_until(lambda: bool(receiver.got), "the datagram")
    assert receiver.came[0] <= time.monotonic()
    port.close()


async def test_once_voices_were_late_the_queue_gets_shorter_before_any_is_taken_again(
    client: socket.socket,
) -> None:
    begun = time.time()
    waited = iter([25.0])  # of the first turn's; then 15 s, which would do by itself
    port = UdpPort.bind("127.0.0.1", 0, Nobody(), LATE_AFTER, lambda: begun + next(waited, 15.0))
    receiver = Somebody()
    port.attach(client.getsockname(), receiver)
    queued = RECEIVE_CALLS_PER_TURN + 10
    for number in range(queued):
        client.sendto(VOICE + bytes(4 + number % 2), ("127.0.0.1", port.number))
    await wait_until(lambda: port.late >= queued, "the queue to be emptied")
    assert not receiver.got
    client.sendto(VOICE + b"now", ("127.0.0.1", port.number))
    await wait_until(lambda: bool(receiver.got), "the next one to be taken")
    assert port.late == queued
    port.close()


async def test_a_pause_between_two_turns_does_not_make_a_queue_shorter(client: socket.socket) -> None:
    begun = time.time()
    waited = iter([25.0])  # of the first turn's; then 15 s, which would do by itself
    port = UdpPort.bind("127.0.0.1", 0, Nobody(), LATE_AFTER, lambda: begun + next(waited, 15.0))
    receiver = Somebody()
    port.attach(client.getsockname(), receiver)
    for number in range(RECEIVE_CALLS_PER_TURN + 10):
        client.sendto(VOICE + bytes(4 + number % 2), ("127.0.0.1", port.number))
    port._handle_readable()
    port._left_at = 0.0
    port._handle_readable()
    assert (receiver.got, port.late) == ([], RECEIVE_CALLS_PER_TURN + 10)
    port.close()


async def test_pictures_are_dropped_until_the_queue_is_short_for_without_those_before_they_show_nothing(
    client: socket.socket,
) -> None:
    begun = time.time()
    waited = iter([16.0])  # of the first turn's; then 4 s, which would do by itself
    port = UdpPort.bind("127.0.0.1", 0, Nobody(), LATE_AFTER, lambda: begun + next(waited, 4.0))
    receiver = Somebody()
    port.attach(client.getsockname(), receiver)
    queued = RECEIVE_CALLS_PER_TURN + 10
    for number in range(queued):
        client.sendto(MEDIA + bytes(4 + number % 2), ("127.0.0.1", port.number))
    await wait_until(lambda: port.late >= queued, "the queue to be emptied")
    assert not receiver.got
    client.sendto(MEDIA + b"now", ("127.0.0.1", port.number))
    await wait_until(lambda: bool(receiver.got), "the next one to be taken")
    assert port.late == queued
    port.close()


@pytest.mark.parametrize(("waited", "read"), [(0.0, 1), (1.0, 5)])
async def test_of_lone_datagrams_one_is_read_at_a_time_unless_it_waited_and_so_is_not_alone(
    client: socket.socket, waited: float, read: int
) -> None:
    begun = time.time()
    port = UdpPort.bind("127.0.0.1", 0, Nobody(), LATE_AFTER, lambda: begun + waited)
    receiver = Somebody()
    port.attach(client.getsockname(), receiver)
    for number in range(5):
        client.sendto(REPORT + bytes(4 + number % 2), ("127.0.0.1", port.number))
    port._handle_readable()
    assert len(receiver.got) == read
    port.close()
