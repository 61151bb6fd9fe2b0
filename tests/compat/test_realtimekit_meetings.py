"""`cloudflare`: apps, meetings and participants of RealtimeKit."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.compat.conftest import Kit

shows = partial(pytest.mark.shows, "cloudflare")

WORDS: dict[str, Any] = {
    "ai_config": {
        "summarization": {"summary_type": "interview", "text_format": "plain_text", "word_limit": 300},
        "transcription": {"keywords": ["SFU"], "language": "de", "profanity_filter": True},
    },
    "live_stream_on_start": False,
    "persist_chat": True,
    "record_on_start": True,
    "recording_config": {
        "audio_config": {"channel": "mono", "codec": "MP3", "export_file": True},
        "file_name_prefix": "weekly",
        "live_streaming_config": {"rtmp_url": "rtmp://live.example.org/app/key"},
        "max_seconds": 3600,
        "realtimekit_bucket_config": {"enabled": True},
        "video_config": {
            "codec": "VP8",
            "export_file": True,
            "height": 360,
            "width": 640,
            "watermark": {
                "position": "right top",
                "size": {"height": 32, "width": 64},
                "url": "https://example.org/logo.png",
            },
        },
    },
    "session_keep_alive_time_in_secs": 120,
    "summarize_on_end": True,
    "title": "Weekly",
    "transcribe_on_end": True,
}
"""Everything that can be said of a meeting, but for a storage (see `DEVIATIONS`)."""


@shows("apps.post")
async def test_an_app_is_made_and_has_meetings_of_its_own(kit: Kit) -> None:
    account = kit.app["account_id"]
    made = kit.wire.filled(await kit.api.apps.post(account_id=account, name="staging"))
    assert made.data and made.data.app and made.data.app.id
    assert made.data.app.name == "staging"
    there = {"account_id": account, "app_id": made.data.app.id}
    meeting = await kit.api.meetings.create(**there, title="only here")
    assert meeting.data
    assert [one.id for one in (await kit.api.meetings.get(**there)).data] == [meeting.data.id]
    with pytest.raises(kit.cloudflare.NotFoundError):
        await kit.api.meetings.get_meeting_by_id(meeting.data.id, **kit.app)


@shows("apps.get")
async def test_apps_are_listed_with_the_default_one_by_the_name_of_the_account(kit: Kit) -> None:
    account = kit.app["account_id"]
    made = [await kit.api.apps.post(account_id=account, name=f"listed {number}") for number in range(3)]
    answer = kit.wire.filled(
        await kit.api.apps.get(account_id=account, search="listed", sort_order="ASC", per_page=2, page_no=1)
    )
    assert answer.data and answer.paging
    assert [one.name for one in answer.data] == ["listed 0", "listed 1"]
    assert (answer.paging.total_count, answer.paging.start_offset, answer.paging.end_offset) == (3, 1, 2)
    assert {one.data.app.id for one in made if one.data and one.data.app} > {one.id for one in answer.data}
    newest = await kit.api.apps.get(account_id=account, search="listed", sort_order="DESC", per_page=1)
    assert newest.data and [one.name for one in newest.data] == ["listed 2"]
    everything = await kit.api.apps.get(account_id=account, per_page=100)
    assert everything.data and account in {one.id for one in everything.data}


@shows("meetings.create")
async def test_a_meeting_keeps_all_that_it_is_created_with(kit: Kit) -> None:
    answer = kit.wire.filled(await kit.api.meetings.create(**kit.app, **WORDS))
    assert answer.success and answer.data
    assert answer.data.status == "ACTIVE"
    shown = answer.data.to_dict(mode="json")
    assert_within(WORDS, shown)
    again = await kit.api.meetings.get_meeting_by_id(answer.data.id, **kit.app)
    assert again.data and again.data.to_dict() == answer.data.to_dict()


@shows("meetings.get")
async def test_meetings_are_listed_by_status_and_title_and_time(kit: Kit) -> None:
    made = [await kit.api.meetings.create(**kit.app, **(WORDS | {"title": f"listed {n}"})) for n in range(3)]
    first, second, third = (one.data for one in made)
    assert first and second and third
    await kit.api.meetings.update_meeting_by_id(second.id, **kit.app, status="INACTIVE")
    answer = kit.wire.filled(await kit.api.meetings.get(**kit.app, search="listed", status="ACTIVE"))
    assert {one.id for one in answer.data} == {first.id, third.id}
    assert (answer.paging.total_count, answer.paging.start_offset, answer.paging.end_offset) == (2, 1, 2)
    early = await kit.api.meetings.get(**kit.app, search="listed", end_time=first.created_at, page_no=1)
    assert [one.id for one in early.data] == [first.id]
    last = await kit.api.meetings.get(**kit.app, search="listed", start_time=third.created_at, per_page=1)
    assert [one.id for one in last.data] == [third.id]


@shows("meetings.get_meeting_by_id")
async def test_a_meeting_is_found_by_its_id_and_no_other(kit: Kit) -> None:
    made = await kit.api.meetings.create(**kit.app, **WORDS)
    assert made.data
    answer = kit.wire.filled(await kit.api.meetings.get_meeting_by_id(made.data.id, **kit.app, name="Weekly"))
    assert answer.data and answer.data.to_dict() == made.data.to_dict()
    with pytest.raises(kit.cloudflare.NotFoundError) as refused:
        await kit.api.meetings.get_meeting_by_id("00000000-0000-4000-8000-000000000000", **kit.app)
    assert refused.value.body and "error" in str(refused.value.body)


@shows("meetings.update_meeting_by_id")
async def test_what_an_update_leaves_out_stays_as_it_is(kit: Kit) -> None:
    made = await kit.api.meetings.create(**kit.app, **WORDS)
    assert made.data
    answer = kit.wire.filled(
        await kit.api.meetings.update_meeting_by_id(
            made.data.id, **kit.app, title="Monthly", status="INACTIVE"
        )
    )
    assert answer.data
    assert (answer.data.title, answer.data.status) == ("Monthly", "INACTIVE")
    before, after = made.data.to_dict(), answer.data.to_dict()
    changed = {key for key in before if before[key] != after[key]}
    assert changed <= {"title", "status", "updated_at"}


@shows("meetings.replace_meeting_by_id")
async def test_what_a_replacement_leaves_out_takes_its_default(kit: Kit) -> None:
    made = await kit.api.meetings.create(**kit.app, **WORDS)
    assert made.data
    words = WORDS | {"title": "Replaced"}
    del words["persist_chat"], words["session_keep_alive_time_in_secs"]
    answer = kit.wire.filled(await kit.api.meetings.replace_meeting_by_id(made.data.id, **kit.app, **words))
    assert answer.data
    assert (answer.data.id, answer.data.created_at) == (made.data.id, made.data.created_at)
    assert (answer.data.title, answer.data.persist_chat) == ("Replaced", None)
    assert answer.data.session_keep_alive_time_in_secs is None, "then the level above decides"


def assert_within(part: Any, whole: Any) -> None:
    """Every key of `part` is in `whole` with that value."""
    if isinstance(part, dict):
        for key, value in part.items():
            assert key in whole, f"{key} is not in {whole}"
            assert_within(value, whole[key])
    else:
        assert part == whole
