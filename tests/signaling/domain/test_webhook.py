from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest

from signaling.domain.errors import StateError
from signaling.domain.webhook import EventName, Shape, Subscriber, Target, subscriber_of, subscribers
from signaling.domain.webhook_delivery import (
    TRANSITIONS,
    Attempt,
    Delivery,
    DeliveryStatus,
    Retries,
    next_status,
    outcome,
)
from signaling.domain.webhook_events import Setting, delivery, event_id
from signaling.domain.webhook_lanes import (
    MAX_AT_ONCE,
    MAX_FAILING,
    MAX_PER_SUBSCRIBER,
    Candidate,
    Lanes,
)
from signaling.domain.webhook_sessions import EVENTS, ROOM_EVENTS
from tests.signaling import values
from tests.signaling.values import NOON, at

ACME = values.organization()
SESSION = values.session(values.meeting(ACME))
TARGET = Target("https://one.example/", None, 3)
WITH_FAILOVER = Target("https://one.example/", "https://two.example/", 3)


@pytest.mark.parametrize(("present", "wanted"), list(itertools.product(DeliveryStatus, repeat=2)))
def test_a_delivery_only_moves_as_the_table_says(present: DeliveryStatus, wanted: DeliveryStatus) -> None:
    if wanted in TRANSITIONS[present]:
        assert next_status(present, wanted) is wanted
    else:
        with pytest.raises(StateError, match=f"{present} cannot become {wanted}"):
            next_status(present, wanted)


def tried(target: Target, chance: float) -> list[tuple[str, float]]:
    """Where each attempt goes when all fail, and the pause before it."""
    retries, made = Retries(), [(target.url, 0.0)]
    while (url := retries.url_of(target, len(made))) is not None:
        made.append((url, retries.pause(len(made), chance)))
    return made


def test_after_five_retries_at_growing_intervals_it_is_given_up() -> None:
    assert tried(TARGET, 1.0) == [(TARGET.url, pause) for pause in (0, 4, 16, 64, 256, 1024)]
    assert tried(TARGET, 0.25) == [(TARGET.url, pause) for pause in (0, 1, 4, 16, 64, 256)]
    assert {pause for _, pause in tried(TARGET, 0.0)} == {0}


def test_then_comes_the_failover_url_at_once() -> None:
    at_url, at_failover = tried(WITH_FAILOVER, 1.0)[:6], tried(WITH_FAILOVER, 1.0)[6:]
    assert at_url == tried(TARGET, 1.0)
    assert at_failover == [(WITH_FAILOVER.failover_url, pause) for pause in (0, 4, 16)]


def one_delivery(attempts: int = 0) -> Delivery:
    made = values.deliveries(SESSION, values.webhook(ACME))[0]
    return replace(made, status=DeliveryStatus.DELIVERING, attempts=attempts, seq=7)


@pytest.mark.parametrize(
    ("number", "status", "error", "target", "becomes", "due"),
    [
        (1, 200, None, TARGET, DeliveryStatus.DELIVERED, 0),
        (6, 204, None, TARGET, DeliveryStatus.DELIVERED, 0),
        (1, 500, "answered with 500", TARGET, DeliveryStatus.QUEUED, 2),
        (1, 302, "answered with 302", TARGET, DeliveryStatus.QUEUED, 2),
        (1, None, "no answer", TARGET, DeliveryStatus.QUEUED, 2),
        (6, None, "no answer", TARGET, DeliveryStatus.FAILED, 0),
        (6, None, "no answer", WITH_FAILOVER, DeliveryStatus.QUEUED, 0),
        (9, None, "no answer", WITH_FAILOVER, DeliveryStatus.FAILED, 0),
    ],
)
def test_what_an_attempt_makes_of_a_delivery(
    number: int,
    status: int | None,
    error: str | None,
    target: Target,
    becomes: DeliveryStatus,
    due: float,
) -> None:
    attempt = Attempt(number, target.url, NOON, 0.1, {}, status, error=error)
    came_of_it = outcome(
        one_delivery(number - 1), target, "mine", attempt, at(1), retries=Retries(), chance=0.5
    )
    assert (came_of_it.seq, came_of_it.claim) == (7, "mine")
    assert (came_of_it.status, came_of_it.due_at) == (becomes, at(1 + due))


# --- lanes -----------------------------------------------------------------------------------------------


def candidates(*subscribers: str) -> list[Candidate]:
    return [Candidate(number, one) for number, one in enumerate(subscribers)]


def begun(lanes: Lanes, *subscribers: str) -> list[str]:
    chosen = [one.subscriber for one in lanes.choose(candidates(*subscribers))]
    for one in chosen:
        lanes.begin(one)
    return chosen


def test_a_subscriber_has_some_lanes_and_no_more() -> None:
    lanes = Lanes()
    assert begun(lanes, *["a"] * 20, "b") == ["a"] * MAX_PER_SUBSCRIBER + ["b"]
    assert (lanes.full(), lanes.busy) == (["a"], MAX_PER_SUBSCRIBER + 1)
    lanes.end("a", succeeded=True)
    assert begun(lanes, "a", "a") == ["a"]


def test_one_that_fails_has_one_lane_until_it_answers_again() -> None:
    lanes = Lanes()
    begun(lanes, "a")
    lanes.end("a", succeeded=False)
    assert begun(lanes, "a", "a") == ["a"]
    assert lanes.full() == ["a"]
    lanes.end("a", succeeded=True)
    assert begun(lanes, "a", "a") == ["a", "a"]


def test_however_many_hang_half_of_the_lanes_is_for_those_that_work() -> None:
    lanes = Lanes()
    hanging = [f"hanging {number}" for number in range(MAX_AT_ONCE * 2)]
    for one in hanging:
        lanes.begin(one)
        lanes.end(one, succeeded=False)
    assert len(begun(lanes, *hanging)) == MAX_FAILING
    sound = [f"sound {number}" for number in range(MAX_AT_ONCE)]
    assert begun(lanes, *hanging, *sound) == sound[: MAX_AT_ONCE - MAX_FAILING]
    assert lanes.free == 0


# --- events ----------------------------------------------------------------------------------------------


def test_a_webhook_hears_of_the_events_that_it_chose_while_it_is_enabled() -> None:
    one = values.webhook(ACME, EventName.MEETING_ENDED)
    two = values.webhook(ACME, EventName.MEETING_ENDED, EventName.MEETING_STARTED)
    off = replace(values.webhook(ACME), enabled=False)
    assert subscribers([one, two, off], EventName.MEETING_ENDED) == [subscriber_of(one), subscriber_of(two)]
    assert subscribers([one, two, off], EventName.MEETING_STARTED) == [subscriber_of(two)]
    assert subscribers([one, two, off], EventName.SUMMARY) == []


def test_the_same_occurrence_has_the_same_id_and_no_other_has_it() -> None:
    told = values.occurrences(SESSION, peers=2)
    again = values.occurrences(SESSION, peers=2)
    elsewhere = values.occurrences(values.session(values.meeting(ACME)), peers=2)
    assert [event_id(one) for one in told] == [event_id(one) for one in again]
    assert len({event_id(one) for one in [*told, *elsewhere]}) == len(told) * 2


def test_two_subscribers_get_the_same_event_in_deliveries_of_their_own() -> None:
    one, two = (values.deliveries(SESSION, values.webhook(ACME)) for _ in range(2))
    assert [each.event_id for each in one] == [each.event_id for each in two]
    assert not {each.id for each in one} & {each.id for each in two}
    assert not {each.queue for each in one} & {each.queue for each in two}


def test_how_an_organization_hears_of_a_session() -> None:
    started, joined, left, ended = (json.loads(one.body) for one in values.deliveries(SESSION, HOOK))
    meeting = {
        "id": SESSION.meeting_id,
        "sessionId": SESSION.id,
        "title": "Weekly",
        "status": "LIVE",
        "createdAt": "2026-03-01T12:00:00.123Z",
        "startedAt": "2026-03-01T12:00:00.123Z",
        "organizedBy": {"id": ACME.id, "name": "Acme"},
    }
    participant = {
        "peerId": "peer_1",
        "userDisplayName": "Ada",
        "customParticipantId": "ada-1",
        "clientSpecificId": "ada-1",
        "joinedAt": "2026-03-01T12:00:01.123Z",
    }
    assert started == {"event": "meeting.started", "meeting": meeting}
    assert joined == {"event": "meeting.participantJoined", "meeting": meeting, "participant": participant}
    assert left == {
        "event": "meeting.participantLeft",
        "meeting": meeting,
        "participant": participant | {"leftAt": "2026-03-01T12:00:50.123Z"},
    }
    assert ended == {
        "event": "meeting.ended",
        "meeting": meeting | {"status": "ENDED", "endedAt": "2026-03-01T12:01:00.123Z"},
        "reason": "ALL_PARTICIPANTS_LEFT",
    }


HOOK = values.webhook(ACME)
ROOM = Subscriber("meeting:1", Shape.ROOM, target=TARGET)


def test_how_a_room_hears_of_a_session() -> None:
    told = [delivery(one, ROOM, Setting("Acme", None), NOON) for one in values.occurrences(SESSION)]
    bodies = [json.loads(one.body) for one in told if one is not None]
    where = {"session_id": SESSION.id, "room_id": SESSION.meeting_id}
    assert [(one["data"]["event_type"], one["data"]["payload"]) for one in bodies] == [
        ("video.room.session.started", where),
        ("video.room.participant.joined", where | {"participant_id": "peer_1"}),
        (
            "video.room.participant.left",
            where | {"participant_id": "peer_1", "duration_secs": 49, "left_reason": "left"},
        ),
        (
            "video.room.session.ended",
            where | {"duration_secs": 60, "ended_reason": "all_participants_left"},
        ),
    ]
    (first, *_), occurrences = bodies, values.occurrences(SESSION)
    assert {name: value for name, value in first["data"].items() if name != "payload"} == {
        "record_type": "event",
        "event_type": "video.room.session.started",
        "id": event_id(occurrences[0]),
        "occurred_at": "2026-03-01T12:00:00.123Z",
    }
    assert {one.event for one in told if one is not None} == set(ROOM_EVENTS)
    assert {one.event for one in values.deliveries(SESSION, HOOK)} == set(EVENTS)


def test_a_body_is_printed_as_javascript_would_print_it() -> None:
    """Receivers that verify what they parsed and printed again get the signed bytes."""
    title = 'Käse "&" </script> \u2028 \x7f \x01 \U0001f600 \\ / \t'
    setting = Setting(title, title)
    made = delivery(values.occurrences(SESSION)[0], subscriber_of(HOOK), setting, NOON)
    assert made is not None
    # What JSON.stringify does: no spaces, nothing escaped but what must be, \uXXXX in lower case.
    assert made.body == json.dumps(json.loads(made.body), ensure_ascii=False, separators=(",", ":"))
    assert '"title":"Käse \\"&\\" </script> \u2028 \x7f \\u0001 \U0001f600 \\\\ / \\t"' in made.body
