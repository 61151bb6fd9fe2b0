from __future__ import annotations

from typing import Any

import pytest

from signaling.domain.webhook import MAX_WEBHOOKS, EventName
from signaling.domain.webhook_delivery import Attempt, DeliveryStatus, Outcome
from signaling.ids import new_uuid
from tests.signaling import values
from tests.signaling.rest.world import ON_BOTH, World

BODY = {
    "name": "ours",
    "url": "https://hooks.example/x?key=1",
    "events": ["meeting.started", "meeting.ended"],
}


async def webhook(world: World, **besides: Any) -> dict[str, Any]:
    made: dict[str, Any] = (await world.call("POST", "/v2/webhooks", BODY | besides)).data
    return made


async def delivered(
    world: World, delivery_id: str, *, status: DeliveryStatus = DeliveryStatus.DELIVERED
) -> None:
    """As the deliverer would do it."""
    now = values.at(10**9)
    async with world.database() as uow:
        (due,) = await uow.deliveries.candidates(now, full=[], each=8)
        (mine,) = await uow.deliveries.claim([due], now, claim="test", margin=5)
        assert mine.delivery.id == delivery_id
        attempt = Attempt(1, mine.target.url, now, 0.1, {"a": "b"}, 200, {"c": "d"}, "thanks")
        await uow.deliveries.settle([Outcome(due.seq, "test", attempt, status, now)])
        await uow.commit()


@ON_BOTH
async def test_a_webhook_is_created_read_changed_and_removed(world: World) -> None:
    answer = await world.call("POST", "/v2/webhooks", BODY)
    made = answer.data
    assert (answer.status, answer.headers["ETag"]) == (201, '"1"')
    assert {name: made[name] for name in BODY} == BODY
    assert made.keys() == BODY.keys() | {
        "id",
        "enabled",
        "failover_url",
        "timeout_secs",
        "created_at",
        "updated_at",
    }
    assert (made["enabled"], made["failover_url"], made["timeout_secs"]) == (True, None, None)
    path = f"/v2/webhooks/{made['id']}"
    assert (await world.call("GET", path)).data == made
    listed = await world.call("GET", "/v2/webhooks")
    assert (listed.data, listed.body["paging"]["total_count"]) == ([made], 1)

    patched = await world.call("PATCH", path, {"enabled": False, "events": ["meeting.ended"] * 2})
    assert (patched.data["enabled"], patched.data["events"]) == (False, ["meeting.ended"])
    assert patched.data["url"] == BODY["url"]
    full = BODY | {"name": "other", "failover_url": "https://backup.example/", "timeout_secs": 30}
    replaced = await world.call("PUT", path, full)
    assert {name: replaced.data[name] for name in full} == full
    assert replaced.data["enabled"] is True, "what a PUT does not say takes its default"
    assert (await world.call("PUT", path, BODY)).data["failover_url"] is None

    assert (await world.call("DELETE", path)).data["id"] == made["id"]
    assert (await world.call("GET", path)).status == 404


async def test_every_event_can_be_subscribed_to(world: World) -> None:
    made = await webhook(world, events=[str(one) for one in EventName])
    assert made["events"] == [str(one) for one in EventName]


@pytest.mark.parametrize(
    ("besides", "field"),
    [
        ({"url": "http://hooks.example/"}, "url"),
        ({"url": "https://user:secret@hooks.example/"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "url"),
        ({"url": "nonsense"}, "url"),
        ({"url": ""}, "url"),
        ({"failover_url": "https://127.0.0.1/"}, "failover_url"),
        ({"events": []}, "events"),
        ({"events": ["meeting.unknown"]}, "events.0"),
        ({"name": ""}, "name"),
        ({"name": "x" * 257}, "name"),
        ({"timeout_secs": 31}, "timeout_secs"),
        ({"timeout_secs": -1}, "timeout_secs"),
        ({"secret": "mine"}, "secret"),
    ],
)
async def test_what_no_webhook_can_be_is_refused_by_its_field(
    world: World, besides: dict[str, Any], field: str
) -> None:
    made = await webhook(world)
    for method, path, body in (
        ("POST", "/v2/webhooks", BODY | besides),
        ("PUT", f"/v2/webhooks/{made['id']}", BODY | besides),
        ("PATCH", f"/v2/webhooks/{made['id']}", besides),
    ):
        answer = await world.call(method, path, body)
        assert (answer.status, answer.error["field"]) == (422, field)
        assert "secret@" not in str(answer.body)
    assert (await world.call("GET", f"/v2/webhooks/{made['id']}")).data == made


async def test_an_organization_has_no_more_webhooks_than_it_may(world: World) -> None:
    for _ in range(MAX_WEBHOOKS):
        await webhook(world)
    assert (await world.call("POST", "/v2/webhooks", BODY)).status == 409


async def test_a_change_of_what_was_changed_since_is_refused(world: World) -> None:
    path = f"/v2/webhooks/{(await webhook(world))['id']}"
    await world.call("PATCH", path, {"name": "newer"})
    for method, body in (("PATCH", {"name": "x"}), ("PUT", BODY), ("DELETE", None)):
        assert (await world.call(method, path, body, headers={"If-Match": '"1"'})).status == 412
    assert (await world.call("GET", path)).data["name"] == "newer"


@ON_BOTH
async def test_a_webhook_asked_for_twice_with_one_key_is_made_once(world: World) -> None:
    key = {"Idempotency-Key": "k1"}
    first, again = [await world.call("POST", "/v2/webhooks", BODY, headers=key) for _ in range(2)]
    assert again.data == first.data
    assert (await world.call("GET", "/v2/webhooks")).body["paging"]["total_count"] == 1


@ON_BOTH
async def test_a_test_event_is_queued_and_is_found_in_the_log_with_its_attempts(world: World) -> None:
    made = await webhook(world)
    path = f"/v2/webhooks/{made['id']}"
    answer = await world.call("POST", f"{path}/test")
    queued = answer.data
    assert (answer.status, queued["event"], queued["status"]) == (201, "webhook.test", "QUEUED")
    assert queued["next_attempt_at"] is not None
    await delivered(world, queued["id"])

    (listed,) = (await world.call("GET", f"{path}/deliveries")).data
    assert (listed["id"], listed["status"], listed["attempts"]) == (queued["id"], "DELIVERED", 1)
    assert listed["next_attempt_at"] is None
    for where in (f"{path}/deliveries/{queued['id']}", f"/v2/webhook-deliveries/{queued['id']}"):
        found = (await world.call("GET", where)).data
        assert {name: found[name] for name in listed} == listed
        assert f'{{"event":"webhook.test","webhook":{{"id":"{made["id"]}"' in found["request_body"]
        (attempt,) = found["log"]
        assert (attempt["number"], attempt["status"], attempt["duration_ms"]) == (1, 200, 100)
        assert (attempt["url"], attempt["response_body"]) == (BODY["url"], "thanks")
        assert (attempt["request_headers"], attempt["response_headers"]) == ({"a": "b"}, {"c": "d"})


@ON_BOTH
async def test_what_is_finished_is_sent_again_as_the_same_event(world: World) -> None:
    made = await webhook(world)
    path = f"/v2/webhooks/{made['id']}"
    first = (await world.call("POST", f"{path}/test")).data
    resend = f"{path}/deliveries/{first['id']}/resend"
    assert (await world.call("POST", resend)).status == 409, "it is still to be delivered"
    await delivered(world, first["id"], status=DeliveryStatus.FAILED)
    answer = await world.call("POST", resend)
    again = answer.data
    assert (answer.status, again["status"], again["attempts"]) == (201, "QUEUED", 0)
    assert (again["event_id"], again["resent_from"]) == (first["event_id"], first["id"])
    assert again["id"] != first["id"]
    bodies = {
        (await world.call("GET", f"/v2/webhook-deliveries/{one['id']}")).data["request_body"]
        for one in (first, again)
    }
    assert len(bodies) == 1
    await world.call("PATCH", path, {"enabled": False})
    elsewhere = f"/v2/webhook-deliveries/{first['id']}/resend"
    assert (await world.call("POST", elsewhere)).status == 409
    assert (await world.call("POST", f"{path}/test")).status == 409
    discarded = (await world.call("GET", f"{path}/deliveries?status=DISCARDED")).data
    assert [one["id"] for one in discarded] == [again["id"]]


@ON_BOTH
async def test_the_log_is_filtered_and_a_deleted_webhooks_is_still_there(world: World) -> None:
    one, two = await webhook(world), await webhook(world)
    ids = [(await world.call("POST", f"/v2/webhooks/{each['id']}/test")).data["id"] for each in (one, two)]
    for query, found in (
        ("", ids[::-1]),
        (f"?webhook_id={one['id']}", ids[:1]),
        ("?event=webhook.test&status=QUEUED", ids[::-1]),
        ("?event=meeting.started", []),
        (f"?session_id={new_uuid()}", []),
        ("?start_time=2100-01-01T00:00:00Z", []),
        ("?end_time=2100-01-01T00:00:00Z&per_page=1", ids[1:]),
    ):
        answer = await world.call("GET", f"/v2/webhook-deliveries{query}")
        assert [each["id"] for each in answer.data] == found, query
    first = (await world.call("GET", f"/v2/webhook-deliveries/{ids[0]}")).data
    by_event = (await world.call("GET", f"/v2/webhook-deliveries?search={first['event_id']}")).data
    assert [each["id"] for each in by_event] == ids[:1]
    assert (await world.call("GET", f"/v2/webhooks/{two['id']}/deliveries/{ids[0]}")).status == 404
    assert (await world.call("GET", "/v2/webhook-deliveries?status=nonsense")).status == 422
    await world.call("DELETE", f"/v2/webhooks/{one['id']}")
    (gone,) = (await world.call("GET", f"/v2/webhook-deliveries?webhook_id={one['id']}")).data
    assert gone["status"] == "DISCARDED"
    assert (await world.call("GET", f"/v2/webhooks/{one['id']}/deliveries")).status == 404


async def test_the_public_keys_are_there_for_everybody(world: World) -> None:
    answer = await world.call("GET", "/.well-known/webhooks.json", auth=None)
    assert answer.status == 200
    assert answer.body["publicKey"].startswith("-----BEGIN PUBLIC KEY-----")
    assert len(answer.body["keys"]) == 2
