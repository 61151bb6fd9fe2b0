from __future__ import annotations

from signaling.auth.turn import IceServerList
from tests.support.live_world import live_world, until

SERVERS = IceServerList(
    stun_urls=("stun:stun.example.org",),
    turn_urls=("turn:turn.example.org",),
    secret="a secret of the tests",
    ttl=3600,
)


async def test_everybody_joins_with_turn_credentials_of_their_own() -> None:
    async with live_world(ice_servers=SERVERS) as world:
        host, other = await world.join(), await world.join("group_call_participant")
        stun, turn = host.joined["ice_servers"]
        assert stun == {"urls": ["stun:stun.example.org"], "username": None, "credential": None}
        assert turn["urls"] == ["turn:turn.example.org"]
        assert turn["credential"]
        assert turn["username"] != other.joined["ice_servers"][1]["username"]


async def test_credentials_are_renewed_by_an_event_long_before_they_expire() -> None:
    async with live_world(ice_servers=SERVERS) as world:
        host = await world.join()
        before = host.joined["ice_servers"][1]
        await world.wait(1799)
        assert not host.heard("ice_servers")
        await world.wait(2)

        event = await host.hears("ice_servers")
        after = event["ice_servers"][1]
        assert event["ttl"] == 3600
        assert after["credential"] != before["credential"]
        assert ends_at(after) == ends_at(before) + 1801
        await world.wait(1801)
        await until(lambda: len(host.heard("ice_servers")) == 2, "the second renewal")


async def test_a_peer_that_was_away_resumes_with_fresh_credentials_and_hears_no_stale_ones() -> None:
    async with live_world(ice_servers=SERVERS) as world:
        host, other = await world.join(), await world.join("group_call_participant")
        await world.wait(1790)
        await host.lose()
        await other.hears("peer_updated")
        await world.wait(20)
        again = await world.resume(host)

        assert ends_at(again.joined["ice_servers"][1]) == ends_at(host.joined["ice_servers"][1]) + 1810
        assert not again.heard("ice_servers")


async def test_credentials_can_be_asked_for() -> None:
    async with live_world(ice_servers=SERVERS) as world:
        host = await world.join()
        await world.wait(100)
        given = await host.request("get_ice_servers")
        assert given["ttl"] == 3600
        assert ends_at(given["ice_servers"][1]) == ends_at(host.joined["ice_servers"][1]) + 100


async def test_who_left_is_sent_nothing_any_more() -> None:
    async with live_world(ice_servers=SERVERS) as world:
        host, other = await world.join(), await world.join("group_call_participant")
        await other.request("leave")
        await host.hears("peer_left")
        await world.wait(1801)
        await host.hears("ice_servers")
        assert not other.heard("ice_servers")


async def test_without_servers_in_the_settings_clients_get_none() -> None:
    async with live_world() as world:
        host = await world.join()
        assert host.joined["ice_servers"] == []
        assert await host.request("get_ice_servers") == {"ice_servers": [], "ttl": None}


def ends_at(server: dict[str, str]) -> int:
    return int(server["username"].partition(":")[0])
