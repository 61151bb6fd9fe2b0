from __future__ import annotations

import gzip
from typing import Any

import pytest

from tests.signaling.rest.world import ON_BOTH, World

pytestmark = ON_BOTH


async def test_a_meeting_says_nothing_that_it_was_not_told(world: World) -> None:
    answer = await world.call("POST", "/v2/meetings", {"title": "Weekly"})
    assert answer.status == 201
    made = answer.data
    assert made["title"] == "Weekly"
    assert made["status"] == "ACTIVE"
    for name in ("record_on_start", "persist_chat", "session_keep_alive_time_in_secs", "recording_config"):
        assert made[name] is None, name
    assert made["created_at"].endswith("Z")
    assert (await world.call("GET", f"/v2/meetings/{made['id']}")).data == made


async def test_everything_that_is_set_comes_back(world: World) -> None:
    body = {
        "title": "All",
        "preferred_region": "eu-central-1",
        "record_on_start": True,
        "live_stream_on_start": True,
        "persist_chat": True,
        "summarize_on_end": True,
        "session_keep_alive_time_in_secs": 5,
        "loudest_audio": 3,
        "recording_config": {"max_seconds": 60, "video_config": {"codec": "VP8", "width": 640}},
        "ai_config": {"transcription": {"language": "de"}, "summarization": {"word_limit": 150}},
    }
    made = (await world.call("POST", "/v2/meetings", body)).data
    for name in (
        "title",
        "preferred_region",
        "record_on_start",
        "session_keep_alive_time_in_secs",
        "loudest_audio",
    ):
        assert made[name] == body[name]
    assert made["recording_config"]["video_config"]["codec"] == "VP8"
    assert made["ai_config"]["summarization"]["word_limit"] == 150


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": 5}, "title"),
        ({"titel": "x"}, "titel"),
        ({"preferred_region": "moon"}, "preferred_region"),
        ({"record_on_start": "perhaps"}, "record_on_start"),
        ({"loudest_audio": -1}, "loudest_audio"),
        ({"status": "INACTIVE"}, "status"),
        ({"recording_config": {"max_seconds": 59}}, "recording_config.max_seconds"),
        ({"ai_config": {"summarization": {"word_limit": 1001}}}, "ai_config.summarization.word_limit"),
    ],
)
async def test_a_wrong_field_is_named(world: World, body: dict[str, Any], field: str) -> None:
    answer = await world.call("POST", "/v2/meetings", body)
    assert answer.status == answer.error["code"] == 422
    assert answer.error["field"] == field
    assert field in answer.error["message"]


async def test_a_patch_changes_what_it_names_and_tells_the_session(world: World) -> None:
    made = await world.meeting(title="Weekly", record_on_start=True)
    answer = await world.call("PATCH", f"/v2/meetings/{made['id']}", {"status": "INACTIVE", "title": None})
    assert answer.data == made | {
        "status": "INACTIVE",
        "title": None,
        "updated_at": answer.data["updated_at"],
    }
    assert (await world.call("GET", f"/v2/meetings/{made['id']}")).data == answer.data
    assert world.live.calls == [("meeting_changed", made["id"])]


async def test_a_patch_merges_objects_and_takes_back_what_it_sets_to_null(world: World) -> None:
    config = {"max_seconds": 60, "video_config": {"codec": "VP8"}}
    made = await world.meeting(record_on_start=True, recording_config=config)
    patch = {
        "record_on_start": None,
        "recording_config": {"max_seconds": None, "video_config": {"width": 640}},
    }
    answer = await world.call("PATCH", f"/v2/meetings/{made['id']}", patch)
    assert answer.data["record_on_start"] is None
    assert answer.data["recording_config"] == {"video_config": {"codec": "VP8", "width": 640}}


async def test_a_patch_refuses_null_where_there_must_be_a_value(world: World) -> None:
    made = await world.meeting()
    answer = await world.call("PATCH", f"/v2/meetings/{made['id']}", {"list_policy": None})
    assert answer.error["field"] == "list_policy"


async def test_a_unique_name_is_taken_once_by_making_and_by_changing(world: World) -> None:
    made = await world.meeting(unique_name="ward-7")
    again = await world.call("POST", "/v2/meetings", {"unique_name": "ward-7"})
    assert (again.status, again.error["field"]) == (422, "unique_name")
    other = await world.meeting()
    changed = await world.call("PATCH", f"/v2/meetings/{other['id']}", {"unique_name": "ward-7"})
    assert (changed.status, changed.error["field"]) == (422, "unique_name")
    assert other["short"] != made["short"] and len(made["short"]) == 12


async def test_webhooks_of_a_meeting_are_kept(world: World) -> None:
    hooks = {
        "webhook_event_url": "https://example.test/in",
        "webhook_event_failover_url": "https://other.test/in",
        "webhook_timeout_secs": 30,
    }
    made = await world.meeting(**hooks)
    assert {name: made[name] for name in hooks} == hooks
    wrong = await world.call("POST", "/v2/meetings", {"webhook_timeout_secs": 31})
    assert wrong.error["field"] == "webhook_timeout_secs"


async def test_an_unknown_meeting_is_not_found(world: World) -> None:
    answer = await world.call("GET", "/v2/meetings/00000000-0000-0000-0000-000000000000")
    assert (answer.status, answer.error["name"]) == (404, "NotFound")


async def test_the_list_is_paged_and_searched(world: World) -> None:
    titles = [f"Meeting {n}" for n in range(3)]
    for title in titles:
        await world.meeting(title=title)
    first = await world.call("GET", "/v2/meetings?per_page=2&page_no=1&search=Meeting")
    found = [meeting["title"] for meeting in first.data]
    total = first.body["paging"]["total_count"]
    assert found == ["Meeting 2", "Meeting 1"]
    assert first.body["paging"] == {"total_count": total, "start_offset": 1, "end_offset": 2}
    second = await world.call("GET", "/v2/meetings?per_page=2&page_no=2&search=Meeting")
    assert second.data[0]["title"] == "Meeting 0"
    assert second.body["paging"]["start_offset"] == 3
    empty = await world.call("GET", "/v2/meetings?search=nothing")
    assert empty.body["paging"] == {"total_count": 0, "start_offset": 0, "end_offset": 0}


@pytest.mark.parametrize("query", ["per_page=0", "per_page=101", "page_no=-1", "start_time=yesterday"])
async def test_wrong_queries_are_named(world: World, query: str) -> None:
    answer = await world.call("GET", f"/v2/meetings?{query}")
    assert answer.status == 422
    assert answer.error["field"] == query.partition("=")[0]


async def test_times_filter_with_and_without_an_offset(world: World) -> None:
    await world.meeting(title="Now")
    for since in ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00+02:00", "2020-01-01"):
        answer = await world.call("GET", f"/v2/meetings?search=Now&start_time={since}")
        assert len(answer.data) == 1, since
    assert (await world.call("GET", "/v2/meetings?end_time=2020-01-01")).data == []


async def test_text_with_a_nul_in_it_is_refused_on_every_database(world: World) -> None:
    answer = await world.call("POST", "/v2/meetings", {"title": "a\0b"})
    assert (answer.status, answer.error["name"]) == (400, "InvalidInput")
    assert (await world.call("POST", "/v2/meetings", {"title": r"a\u0000b"})).data["title"] == r"a\u0000b"
    assert (await world.call("GET", "/v2/meetings/%00")).status in (400, 404)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_time_beyond_all_times_is_a_wrong_field(world: World, time: str) -> None:
    for path in ("meetings", "sessions", "webhook-deliveries"):
        for field in ("start_time", "end_time"):
            answer = await world.call("GET", f"/v2/{path}?{field}={time}")
            assert (answer.status, answer.error["field"]) == (422, field)
    answer = await world.call(
        "POST", "/v2/api-keys", {"name": "late", "expires_at": "9999-12-31T23:59:59-14:00"}
    )
    assert (answer.status, answer.error["field"]) == (422, "expires_at")


@pytest.mark.parametrize(
    "body",
    [
        rb'{"email": "a@example.org", "password": "\ud800"}',
        b'{"email": "a@example.org", "password": "\xed\xa0\x80"}',
        '{"email": "a@example.org", "password": "\\u0000"}'.encode("utf-16"),
        b'{"email": "a@example.org", "password": NaN}',
        b'{"email": "a@example.org", "password": 1e999}',
        b'{"email": "a@example.org", "password": ' + 64 * b'{"a":' + b"1" + 64 * b"}" + b"}",
    ],
    ids=["escaped surrogate", "bare surrogate", "UTF-16", "NaN", "infinite", "deep"],
)
async def test_what_no_json_of_ours_may_have_is_refused_before_anybody_sees_it(
    world: World, body: bytes
) -> None:
    answer = await world.call("POST", "/v2/auth/login", data=body)
    assert (answer.status, answer.error["name"]) == (400, "InvalidInput")


async def test_a_body_that_is_not_compressed_as_it_says_is_refused(world: World) -> None:
    headers, packed = {"Content-Encoding": "gzip"}, gzip.compress(b'{"title": "Packed"}')
    made = await world.call("POST", "/v2/meetings", data=packed, headers=headers)
    assert made.data["title"] == "Packed"
    answer = await world.call("POST", "/v2/auth/login", auth=None, data=b"{}", headers=headers)
    assert (answer.status, answer.error["name"]) == (400, "InvalidInput")


async def test_json_of_many_shallow_objects_is_taken(world: World) -> None:
    """And whole surrogate pairs, which is how JSON escapes what is beyond the first plane."""
    diff = {str(number): {"a": []} for number in range(200)} | {"smile": "\N{GRINNING FACE}"}
    preset = {"name": "many", "config": {"view_type": "GROUP_CALL"}, "ui": {"config_diff": diff}}
    made = await world.call("POST", "/v2/presets", preset)
    assert made.status == 201 and made.data["ui"]["config_diff"] == diff


async def test_a_nul_in_a_query_is_a_wrong_field(world: World) -> None:
    answer = await world.call("GET", "/v2/meetings?search=%00")
    assert (answer.status, answer.error["field"]) == (422, "search")


async def test_put_leaves_nothing_of_what_there_was_but_its_ids(world: World) -> None:
    made = await world.meeting(title="Weekly", unique_name="w", max_participants=5, persist_chat=True)
    path = f"/v2/meetings/{made['id']}"
    answer = await world.call("PUT", path, {"title": "Daily", "status": "INACTIVE", "max_participants": 7})
    assert answer.data == made | {
        "title": "Daily",
        "status": "INACTIVE",
        "unique_name": None,
        "max_participants": 7,
        "persist_chat": None,
        "updated_at": answer.data["updated_at"],
    }
    assert (await world.call("GET", path)).data == answer.data
    stale = await world.call("PUT", path, {}, headers={"If-Match": '"1"'})
    assert stale.status == 412


async def test_a_deleted_meeting_is_not_there_any_more_and_its_name_is_free(world: World) -> None:
    made = await world.meeting(unique_name="ward-7", title="Gone")
    person = await world.participant(made["id"])
    path = f"/v2/meetings/{made['id']}"
    assert (await world.call("DELETE", path)).data["id"] == made["id"]
    assert world.live.calls == [("meeting_removed", made["id"])]
    for method, below in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/open"),
        ("POST", "/close"),
        ("GET", "/effective-config"),
        ("POST", f"/participants/{person['id']}/token"),
    ):
        body = {"title": "x"} if method == "PATCH" else None
        assert (await world.call(method, path + below, body)).status == 404, (method, below)
    invitation = await world.call("GET", "/v2/invitation", auth=f"Bearer {person['token']}")
    assert invitation.status == 404
    assert (await world.call("GET", "/v2/meetings?search=Gone")).data == []
    assert (await world.meeting(unique_name="ward-7"))["id"] != made["id"]


async def test_to_open_begins_a_session_once_and_to_close_ends_it(world: World) -> None:
    made = await world.meeting(title="Weekly")
    path = f"/v2/meetings/{made['id']}"
    opened = await world.call("POST", path + "/open")
    assert opened.data["associated_id"] == made["id"]
    assert (await world.call("POST", path + "/open", {"configuration": {}})).data["id"] == opened.data["id"]
    closed = await world.call("POST", path + "/close")
    assert closed.data == {"action": "close", "kicked_participants_count": 0}
    assert (await world.call("POST", path + "/close")).data["kicked_participants_count"] == 0
    await world.call("PATCH", path, {"status": "INACTIVE"})
    assert (await world.call("POST", path + "/open")).error["name"] == "MeetingInactive"


async def test_what_a_server_lets_nobody_set_is_refused(world: World) -> None:
    answer = await world.call("POST", "/v2/meetings", {"max_participants": 100_001})
    assert answer.error["field"] == "max_participants"
    assert (await world.call("POST", "/v2/meetings", {"unit_id": "nowhere"})).error["field"] == "unit_id"


async def test_a_url_that_no_webhook_would_be_sent_to_is_refused(world: World) -> None:
    meeting = await world.meeting()
    for field in ("webhook_event_url", "webhook_event_failover_url"):
        for url in ("http://example.test/in", "https://127.0.0.1/in", "https://u:p@example.test/"):
            refused = await world.call("POST", "/v2/meetings", {field: url})
            assert (refused.status, refused.error["field"]) == (422, field)
            changed = await world.call("PATCH", f"/v2/meetings/{meeting['id']}", {field: url})
            assert (changed.status, changed.error["field"]) == (422, field)
