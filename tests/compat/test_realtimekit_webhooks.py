"""`cloudflare`: the webhooks of RealtimeKit, and the figures by day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.compat.conftest import Kit, joined
from tests.support.wait import wait_until_async

if TYPE_CHECKING:
    from cloudflare.types.realtime_kit.webhook_create_webhook_response import Data as Webhook

shows = partial(pytest.mark.shows, "cloudflare")

URL = "https://hooks.example.org/rostrum"


async def created(kit: Kit) -> Webhook:
    made = await kit.api.webhooks.create_webhook(
        **kit.app, name="ours", url=URL, events=["meeting.started", "meeting.ended"], enabled=False
    )
    return made.data


@shows("webhooks.create_webhook")
async def test_a_webhook_may_be_for_every_event_that_the_sdk_knows(kit: Kit) -> None:
    events = [
        *("meeting.started", "meeting.ended", "meeting.participantJoined", "meeting.participantLeft"),
        *("meeting.chatSynced", "recording.statusUpdate", "livestreaming.statusUpdate"),
        *("meeting.transcript", "meeting.summary"),
    ]
    answer = kit.wire.filled(
        await kit.api.webhooks.create_webhook(**kit.app, name="all", url=URL, events=events, enabled=False)  # type: ignore[arg-type]
    )
    one = answer.data
    assert (one.name, one.url, sorted(one.events), one.enabled) == ("all", URL, sorted(events), False)


@shows("webhooks.get_webhooks")
async def test_webhooks_are_listed(kit: Kit) -> None:
    one = await created(kit)
    answer = kit.wire.filled(await kit.api.webhooks.get_webhooks(**kit.app))
    assert [each.to_dict() for each in answer.data if each.id == one.id] == [one.to_dict()]


@shows("webhooks.get_webhook_by_id")
async def test_a_webhook_is_found_by_its_id(kit: Kit) -> None:
    one = await created(kit)
    answer = kit.wire.filled(await kit.api.webhooks.get_webhook_by_id(one.id, **kit.app))
    assert answer.data.to_dict() == one.to_dict()


@shows("webhooks.edit_webhook")
async def test_an_edit_leaves_alone_what_it_does_not_name(kit: Kit) -> None:
    one = await created(kit)
    answer = kit.wire.filled(
        await kit.api.webhooks.edit_webhook(one.id, **kit.app, events=["meeting.participantLeft"])
    )
    assert answer.data.events == ["meeting.participantLeft"]
    assert (answer.data.name, answer.data.url, answer.data.enabled) == (one.name, one.url, one.enabled)


@shows("webhooks.replace_webhook")
async def test_a_webhook_is_replaced(kit: Kit) -> None:
    one = await created(kit)
    answer = kit.wire.filled(
        await kit.api.webhooks.replace_webhook(
            one.id, **kit.app, name="other", url=URL + "/other", events=["meeting.started"], enabled=False
        )
    )
    assert (answer.data.id, answer.data.name, answer.data.url) == (one.id, "other", URL + "/other")


@shows("webhooks.delete_webhook")
async def test_a_webhook_is_deleted(kit: Kit) -> None:
    one = await created(kit)
    answer = kit.wire.filled(await kit.api.webhooks.delete_webhook(one.id, **kit.app))
    assert answer.data.id == one.id
    with pytest.raises(kit.cloudflare.NotFoundError):
        await kit.api.webhooks.get_webhook_by_id(one.id, **kit.app)


@shows("analytics.get_org_analytics")
async def test_a_session_counts_on_its_day(kit: Kit) -> None:
    made = await kit.api.meetings.create(**kit.app, session_keep_alive_time_in_secs=0)
    assert made.data
    one = await kit.api.meetings.add_participant(
        made.data.id, **kit.app, custom_participant_id="counted", preset_name="group_call_participant"
    )
    assert one.data
    async with joined(kit.server, one.data.token):
        pass

    today = datetime.now(UTC).date()

    async def counted() -> bool:
        # Over midnight the session may be on either day.
        answer = kit.wire.filled(
            await kit.api.analytics.get_org_analytics(
                **kit.app, start_date=str(today), end_date=str(today + timedelta(days=1))
            )
        )
        assert answer.data and answer.data.session_stats and answer.data.recording_stats
        stats = answer.data.session_stats
        assert stats.day_stats is not None
        assert sum(day.total_sessions or 0 for day in stats.day_stats) == stats.sessions_count
        return bool(stats.sessions_count)

    await wait_until_async(counted, lambda: f"no session is counted in {kit.wire.body}")
