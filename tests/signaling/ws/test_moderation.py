from __future__ import annotations

from dataclasses import replace

import pytest

from signaling.domain.targets import Targets
from signaling.errors import NoActiveSessionError
from tests.support.live_world import MEETING, ORGANIZATION, Refused, live_world


async def test_who_is_kicked_has_no_media_left_and_is_told() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        await other.publish("camera", "video")
        await host.request("kick", peer_ids=[other.peer_id])

        assert not world.node.producers
        assert not world.node.transports
        assert await other.hears("session_left", reason="kicked")
        assert await other.closed() == 4001
        assert await host.hears("peer_left", peer_id=other.peer_id, reason="kicked")


async def test_to_kick_needs_the_permission() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        for request, fields in (("kick", {"peer_ids": [host.peer_id]}), ("kick_all", {})):
            with pytest.raises(Refused) as refused:
                await other.request(request, **fields)
            assert refused.value.code == 2001
        assert not host.heard("session_left")


async def test_kick_all_ends_the_session_for_everybody() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        await host.request("kick_all")

        for client in (host, other):
            assert await client.hears("session_left", reason="ended")
            assert await client.closed() == 4002
        assert await world.live.active(MEETING) is None
        assert not world.node.routers


async def test_a_host_mutes_others_and_they_can_unmute() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        microphone = await other.publish("microphone", "audio")
        await host.request("mute_peer", peer_ids=[other.peer_id, "peer_gone"])

        assert world.node.producer_of("microphone").paused
        assert (await other.hears("publication_updated"))["publication"]["muted_by"] == "moderator"
        await other.request("unmute", publication_id=microphone)
        assert not world.node.producer_of("microphone").paused


async def test_to_mute_others_needs_the_permission() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        await host.publish("microphone", "audio")
        with pytest.raises(Refused) as refused:
            await other.request("mute_peer", peer_ids=[host.peer_id])
        assert refused.value.code == 2001
        assert not world.node.producer_of("microphone").paused


async def test_the_organization_kicks_by_participant() -> None:
    async with live_world() as world:
        person = await world.participant("group_call_participant")
        token = world.tokens.issue(person)
        tabs = [await (await world.socket()).join(token) for _ in range(2)]
        stays = await world.join()

        assert await world.live.kick(MEETING, Targets(participant_ids=(person.id,))) == [person]

        for tab in tabs:
            assert await tab.closed() == 4001
        view = await world.live.active(MEETING)
        assert view is not None
        assert view.live_participants == 1
        assert not stays.heard("session_left")


async def test_the_organization_mutes_by_custom_participant_id() -> None:
    async with live_world() as world:
        person = await world.participant("group_call_participant")
        client = await (await world.socket()).join(world.tokens.issue(person))
        await client.publish("microphone", "audio")

        named = Targets(custom_participant_ids=(person.custom_participant_id,))
        assert await world.live.mute(MEETING, named) == [person]
        assert world.node.producer_of("microphone").paused


async def test_all_but_some_are_kicked_and_the_session_goes_on() -> None:
    async with live_world() as world:
        stays, goes = await world.participant("group_call_host"), await world.participant("group_call_host")
        inside = await (await world.socket()).join(world.tokens.issue(stays))
        outside = await (await world.socket()).join(world.tokens.issue(goes))

        kicked = await world.live.kick(MEETING, Targets(everybody=True, exclude=(stays.id,)))

        assert kicked == [goes]
        assert await outside.closed() == 4001
        assert not inside.heard("session_left")


async def test_one_tab_alone_is_kicked_by_its_peer_id() -> None:
    async with live_world() as world:
        person = await world.participant("group_call_host")
        token = world.tokens.issue(person)
        one, other = [await (await world.socket()).join(token) for _ in range(2)]
        await world.live.kick(MEETING, Targets(peer_ids=(one.peer_id,)))
        assert await one.closed() == 4001
        assert not other.heard("session_left")


async def test_mute_all_may_be_undone_by_whom_it_mutes() -> None:
    async with live_world() as world:
        client = await world.join()
        voice = await client.publish("my-second-voice", "audio")
        assert await world.live.mute_all(MEETING, allow_unmute=True) == 1
        assert world.node.producer_of("my-second-voice").paused
        await client.request("unmute", publication_id=voice)
        assert not world.node.producer_of("my-second-voice").paused


async def test_mute_all_without_unmuting_holds_for_newcomers_and_under_other_names_until_it_is_lifted() -> (
    None
):
    async with live_world() as world:
        inside = await world.join()
        microphone = await inside.publish("microphone", "audio")
        await world.live.mute_all(MEETING, allow_unmute=False)
        newcomer = await world.join()

        for client, request, fields in (
            (inside, "unmute", {"publication_id": microphone}),
            (inside, "uncensor", {"peer_ids": [inside.peer_id]}),
            (newcomer, "publish", _offer("microphone")),
            (newcomer, "publish", _offer("my-voice")),
        ):
            if request == "uncensor":
                await client.request(request, **fields)
                continue
            with pytest.raises(Refused) as refused:
                await client.request(request, **fields)
            assert refused.value.name == "Censored"
        assert world.node.producer_of("microphone").paused

        await world.live.mute_all(MEETING, allow_unmute=True)
        await inside.request("unmute", publication_id=microphone)
        await newcomer.request("publish", **_offer("microphone"))


async def test_a_moderator_who_mutes_all_may_speak_and_let_others_speak() -> None:
    async with live_world() as world:
        host, guest, other = await world.join(), await world.join(), await world.join()
        await host.request("mute_all", allow_unmute=False)
        await host.publish("microphone", "audio")
        await host.request("uncensor", peer_ids=[guest.peer_id])
        await guest.publish("microphone", "audio")
        with pytest.raises(Refused) as refused:
            await other.publish("microphone", "audio")
        assert refused.value.name == "Censored"
        with pytest.raises(Refused) as not_permitted:
            await (await world.join("group_call_participant")).request("mute_all")
        assert not_permitted.value.code == 2001


async def test_who_is_censored_by_the_organization_cannot_lift_it_nor_come_around_it() -> None:
    async with live_world() as world:
        person = await world.participant("group_call_host")
        token = world.tokens.issue(person)
        client = await (await world.socket()).join(token)
        microphone = await client.publish("microphone", "audio")
        named = Targets(participant_ids=(person.id,))
        assert await world.live.censor(MEETING, named) == [person]

        other_tab = await (await world.socket()).join(token)
        await other_tab.request("uncensor", peer_ids=[client.peer_id, other_tab.peer_id])
        with pytest.raises(Refused):
            await client.request("unmute", publication_id=microphone)
        with pytest.raises(Refused):
            await other_tab.request("publish", **_offer("another-name"))

        assert await world.live.unmute(MEETING, named) == [person]
        assert world.node.producer_of("microphone").paused
        await client.request("unmute", publication_id=microphone)


async def test_to_unmute_all_lifts_everything() -> None:
    async with live_world() as world:
        client = await world.join()
        microphone = await client.publish("microphone", "audio")
        await world.live.mute_all(MEETING, allow_unmute=False)
        await world.live.unmute(MEETING, Targets(everybody=True))
        await client.request("unmute", publication_id=microphone)
        await (await world.join()).publish("microphone", "audio")


def _offer(source: str) -> dict[str, object]:
    return {"offer": "offer", "publications": [{"mid": "7", "source": source, "kind": "audio"}]}


async def test_without_a_session_there_is_nobody_to_kick() -> None:
    async with live_world() as world:
        with pytest.raises(NoActiveSessionError):
            await world.live.kick_all(MEETING)


async def test_a_removed_participant_is_put_out() -> None:
    async with live_world() as world:
        person = await world.participant("group_call_participant")
        client = await (await world.socket()).join(world.tokens.issue(person))
        async with world.store() as uow:
            await uow.participants.remove(person)
            await uow.commit()
        await world.live.participant_removed(person)

        assert await client.closed() == 4001


async def test_another_preset_and_name_of_a_participant_take_effect_at_once() -> None:
    async with live_world() as world:
        watching = await world.join("webinar_presenter")
        person = await world.participant("webinar_presenter")
        client = await (await world.socket()).join(world.tokens.issue(person))
        await client.publish("camera", "video")

        await world.live.participant_changed(replace(person, name="Ada", preset_name="webinar_viewer"))

        assert not world.node.producers
        assert (await client.hears("permissions_updated"))["preset_name"] == "webinar_viewer"
        assert (await watching.hears("peer_updated"))["peer"]["name"] == "Ada"
        assert (await client.hears("peer_updated"))["peer"]["name"] == "Ada"


async def test_the_view_counts_people_and_minutes() -> None:
    async with live_world() as world:
        one, _two = await world.join(), await world.join()
        await world.wait(120)
        await one.request("leave")
        await world.wait(60)

        view = await world.live.active(MEETING)
        assert view is not None
        assert (view.live_participants, view.max_concurrent_participants) == (1, 2)
        assert view.minutes_consumed == 2 + 3
        assert view.organization_id == ORGANIZATION


async def test_what_a_moderator_censors_its_owner_cannot_lift() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        microphone = await other.publish("microphone", "audio")
        await host.request("censor", peer_ids=[other.peer_id, "peer_gone"])

        assert world.node.producer_of("microphone").paused
        assert (await other.hears("publication_updated"))["publication"]["muted_by"] == "moderator"
        for client in (host, other):
            assert (await client.hears("peer_updated"))["peer"]["censored"] == ["microphone"]
        with pytest.raises(Refused) as refused:
            await other.request("unmute", publication_id=microphone)
        assert (refused.value.code, refused.value.name) == (9456, "Censored")
        assert world.node.producer_of("microphone").paused


async def test_what_its_owner_had_muted_stays_muted_under_censorship() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        microphone = await other.publish("microphone", "audio")
        await other.request("mute", publication_id=microphone)
        await host.request("censor", peer_ids=[other.peer_id])
        with pytest.raises(Refused) as refused:
            await other.request("unmute", publication_id=microphone)
        assert refused.value.name == "Censored"
        assert world.node.producer_of("microphone").paused


async def test_nothing_gets_around_a_censor_by_publishing_anew_or_coming_back() -> None:
    async with live_world() as world:
        host = await world.join()
        person = await world.participant("group_call_participant")
        token = world.tokens.issue(person)
        first = await (await world.socket()).join(token)
        microphone = await first.publish("microphone", "audio")
        await host.request("censor", peer_ids=[first.peer_id])
        await first.request("unpublish", publication_ids=[microphone])
        with pytest.raises(Refused) as again:
            await first.publish("microphone", "audio")
        assert again.value.name == "Censored"
        await first.publish("camera", "video")

        await first.request("leave")
        second = await (await world.socket()).join(token)
        assert second.joined["me"]["censored"] == ["microphone"]
        with pytest.raises(Refused) as elsewhere:
            await second.publish("microphone", "audio")
        assert elsewhere.value.name == "Censored"


async def test_who_is_allowed_again_decides_to_speak() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        microphone = await other.publish("microphone", "audio")
        await host.request("censor", peer_ids=[other.peer_id])
        await host.request("uncensor", peer_ids=[other.peer_id])
        assert world.node.producer_of("microphone").paused, "a microphone is not turned on from elsewhere"
        await other.request("unmute", publication_id=microphone)
        assert not world.node.producer_of("microphone").paused


async def test_to_censor_needs_the_permission_and_nobody_censors_themselves() -> None:
    async with live_world() as world:
        host, other = await world.join(), await world.join("group_call_participant")
        await host.publish("microphone", "audio")
        for request in ("censor", "uncensor"):
            with pytest.raises(Refused) as refused:
                await other.request(request, peer_ids=[host.peer_id])
            assert refused.value.code == 2001
        await host.request("censor", peer_ids=[host.peer_id])
        assert not world.node.producer_of("microphone").paused
