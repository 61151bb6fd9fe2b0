"""WHIP and WHEP over HTTP, with a media node by hand: what is answered, and whom it brings in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from sfu.control import messages as node
from signaling.auth.turn import IceServerList
from signaling.services.live.http_sessions import BURST, MAX_PER_PARTICIPANT
from tests.support.http_media import Answer, HttpMedia
from tests.support.live_world import MEETING, LiveWorld, live_world, until

WHIP, WHEP = f"/v2/whip/{MEETING}", f"/v2/whep/{MEETING}"
FRAGMENT = "a=ice-ufrag:abcd\r\na=ice-pwd:" + "p" * 24 + "\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
CANDIDATE = "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\n"


def offer(*lines: str, direction: str = "sendonly") -> str:
    """`lines` are kinds; mids count from 0."""
    sections = (
        f"m={kind} 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}\r\na={direction}\r\n"
        for mid, kind in enumerate(lines)
    )
    return "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n" + "".join(sections)


PUBLISH, VIEW = offer("audio", "video"), offer("audio", "video", direction="recvonly")


@pytest.fixture
async def world() -> AsyncIterator[LiveWorld]:
    async with live_world() as world:
        yield world


async def client(world: LiveWorld, preset: str = "group_call_host") -> HttpMedia:
    token = world.tokens.issue(await world.participant(preset))
    return HttpMedia(str(world.server.make_url("")).rstrip("/"), token, world.http)


def connect(world: LiveWorld, direction: str, state: node.TransportStateName = "connected") -> None:
    """The media connection of the latest transport in that direction changes."""
    transport = [one for one in world.node.transports.values() if one.direction == direction][-1]
    world.node.emit(node.TransportStateChanged(transport_id=transport.id, state=state))


def name_of(answer: Answer) -> tuple[int, str]:
    return answer.status, json.loads(answer.text)["error"]["name"]


# --- publishing ----------------------------------------------------------------------------------------


async def test_a_post_publishes_and_its_session_can_be_ended(world: LiveWorld) -> None:
    host = await world.join()
    encoder = await client(world)
    answer = await encoder.post(WHIP, PUBLISH)
    assert answer.status == 201
    assert answer.headers["Content-Type"] == "application/sdp"
    assert answer.headers["ETag"].startswith('"')
    assert answer.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag"
    assert answer.text == f"answer to {PUBLISH}"
    joined = await host.hears("peer_joined")
    assert (joined["peer"]["device"], joined["peer"]["connection"]) == ("whip", "detached")
    await until(lambda: len(host.heard("publication_added")) == 2, "both publications")
    sources = [one["publication"]["source"] for one in host.heard("publication_added")]
    assert sorted(sources) == ["camera", "microphone"]

    connect(world, "publish")
    assert (await host.hears("peer_updated"))["peer"]["connection"] == "connected"

    location = answer.headers["Location"]
    assert (await encoder.call("DELETE", location)).status == 200
    await host.hears("peer_left", reason="left")
    assert not world.node.transports
    assert name_of(await encoder.call("DELETE", location)) == (404, "NotFound")


async def test_lines_are_given_sources_in_order_and_a_screen_by_name(world: LiveWorld) -> None:
    encoder = await client(world)
    assert (await encoder.post(WHIP, offer("video", "audio", "video", "audio", "video"))).status == 201
    specs = [(one.spec.mid, one.spec.source) for one in world.node.producers.values()]
    assert specs == [("0", "camera"), ("1", "microphone"), ("2", "screen"), ("3", "screen_audio")]
    other = await client(world, "group_call_participant")
    assert (await other.post(f"{WHIP}?source=screen", PUBLISH)).status == 413, "one screen at a time"
    assert name_of(await other.post(f"{WHIP}?source=kitchen", PUBLISH)) == (400, "InvalidInput")


async def test_presets_hold_and_who_may_not_publish_leaves_no_trace(world: LiveWorld) -> None:
    host = await world.join()
    viewer = await client(world, "webinar_viewer")
    assert name_of(await viewer.post(WHIP, PUBLISH)) == (403, "PermissionDenied")
    world.node.undecodable = {"1"}
    encoder = await client(world)
    assert name_of(await encoder.post(WHIP, PUBLISH)) == (422, "Unsupported")
    await until(lambda: len(host.heard("peer_left")) == 2, "both left")
    assert not world.node.transports


async def test_a_moderator_mutes_and_kicks_an_encoder_like_anybody(world: LiveWorld) -> None:
    host = await world.join()
    encoder = await client(world, "group_call_participant")
    answer = await encoder.post(WHIP, PUBLISH)
    peer_id = (await host.hears("peer_joined"))["peer"]["peer_id"]
    await host.request("mute_peer", peer_ids=[peer_id], sources=["microphone"])
    assert world.node.producer_of("microphone").paused
    await host.request("kick", peer_ids=[peer_id])
    assert not world.node.producers
    assert (await encoder.call("DELETE", answer.headers["Location"])).status == 404


async def test_a_narrower_preset_ends_what_an_encoder_may_no_longer_send(world: LiveWorld) -> None:
    host = await world.join()
    encoder = await client(world, "group_call_participant")
    await encoder.post(WHIP, PUBLISH)
    nothing = {"can_produce": "NOT_ALLOWED"}
    await world.change_preset(
        "group_call_participant", {"permissions": {"media": {"video": nothing, "audio": nothing}}}
    )
    assert not world.node.producers
    await host.hears("peer_left", reason="left")


async def test_an_encoder_is_gone_when_its_connection_does_not_come_back(world: LiveWorld) -> None:
    host = await world.join()
    encoder = await client(world)
    await encoder.post(WHIP, PUBLISH)
    connect(world, "publish")
    await host.hears("peer_updated")
    await world.wait(60)
    assert not host.heard("peer_left")
    connect(world, "publish", "disconnected")
    await until(lambda: len(host.heard("peer_updated")) == 2, "that it is detached")
    await world.wait(29)
    assert not host.heard("peer_left")
    await world.wait(2)
    await host.hears("peer_left", reason="timeout")


async def test_an_encoder_that_never_connects_is_put_out(world: LiveWorld) -> None:
    host = await world.join()
    await (await client(world)).post(WHIP, PUBLISH)
    await world.wait(31)
    await host.hears("peer_left", reason="timeout")


async def test_a_failed_connection_ends_the_peer_at_once(world: LiveWorld) -> None:
    host = await world.join()
    encoder = await client(world)
    answer = await encoder.post(WHIP, PUBLISH)
    connect(world, "publish", "failed")
    await host.hears("peer_left", reason="left")
    assert (await encoder.call("DELETE", answer.headers["Location"])).status == 404


async def test_an_encoder_that_comes_back_replaces_what_is_left_of_it(world: LiveWorld) -> None:
    host = await world.join()
    encoder = await client(world)
    first = await encoder.post(WHIP, PUBLISH)
    connect(world, "publish")
    await host.hears("peer_updated")
    second = await encoder.post(WHIP, PUBLISH)
    assert second.status == 201
    assert not host.heard("peer_left"), "the first one is connected and stays"
    connect(world, "publish", "disconnected")
    await until(lambda: len(host.heard("peer_updated")) >= 1, "news")
    assert (await encoder.post(WHIP, PUBLISH)).status == 201
    await until(lambda: len(host.heard("peer_left")) == 1, "the lost one is gone")
    assert (await encoder.call("DELETE", second.headers["Location"])).status == 404
    assert (await encoder.call("DELETE", first.headers["Location"])).status == 200


async def test_the_loss_of_the_node_ends_encoders_and_players(world: LiveWorld) -> None:
    host = await world.join()
    await (await client(world)).post(WHIP, PUBLISH)
    assert (await (await client(world)).post(WHEP, VIEW)).status == 201
    world.node.die()
    await until(lambda: len(host.heard("peer_left")) == 2, "both left")


# --- watching ------------------------------------------------------------------------------------------


async def test_a_player_needs_somebody_to_watch(world: LiveWorld) -> None:
    player = await client(world, "webinar_viewer")
    answer = await player.post(WHEP, VIEW)
    assert name_of(answer) == (409, "NotPublished")
    assert answer.headers["Retry-After"] == "2"
    host = await world.join()
    assert name_of(await player.post(WHEP, VIEW)) == (409, "NotPublished")
    assert not host.heard("peer_joined")


async def test_a_player_follows_whoever_speaks(world: LiveWorld) -> None:
    one, other = await world.join(), await world.join()
    for peer in (one, other):
        await peer.publish("camera", "video", "0")
        await peer.publish("microphone", "audio", "1")
    player = await client(world, "webinar_viewer")
    assert (await player.post(WHEP, VIEW)).status == 201

    def watched() -> set[str]:
        return {world.node.producers[one.producer_id].transport_id for one in world.node.consumers.values()}

    transports = {spec.transport_id for spec in world.node.producers.values()}
    assert len(transports) == 2 and len(watched()) == 1
    before = watched()
    speaking = next(
        one
        for one in world.node.producers.values()
        if one.spec.source == "microphone" and one.transport_id not in before
    )
    router_id = next(iter(world.node.routers))
    speakers = (node.Speaker(producer_id=speaking.id, level=20),)
    world.node.emit(node.SpeakersChanged(router_id=router_id, speakers=speakers, dominant=speaking.id))

    def mids() -> set[str | None]:
        return {one.mid for one in world.node.consumers.values()}

    await until(
        lambda: watched() == transports - before and mids() == {"0", "1"}, "the other one on both lines"
    )


async def test_players_of_one_participant_show_as_many_videos_as_its_preset_allows(world: LiveWorld) -> None:
    await world.change_preset(
        "webinar_viewer", {"config": {"max_video_streams": {"mobile": 1, "desktop": 1}}}
    )
    host = await world.join()
    await host.publish("camera", "video", "0")
    player = await client(world, "webinar_viewer")
    first = await player.post(WHEP, VIEW)
    assert first.status == 201
    assert name_of(await player.post(WHEP, offer("video", direction="recvonly"))) == (413, "LimitExceeded")
    await host.publish("microphone", "audio", "1")
    assert (await player.post(WHEP, VIEW)).status == 201, "the sound alone"

    def watched() -> list[str]:
        sources = {one.id: one.spec.source for one in world.node.producers.values()}
        return sorted(sources[one.producer_id] for one in world.node.consumers.values())

    await until(
        lambda: watched() == ["camera", "microphone", "microphone"], "one picture, two times the sound"
    )
    another = await client(world, "webinar_viewer")
    assert (await another.post(WHEP, offer("video", direction="recvonly"))).status == 201, "not its player"

    await player.call("DELETE", first.headers["Location"])
    await until(lambda: watched() == ["camera", "camera", "microphone"], "the other player's turn")


async def test_a_player_keeps_watching_a_participant_who_publishes_again(world: LiveWorld) -> None:
    speaker = await world.join()
    camera = await speaker.publish("camera", "video", "0")
    player = await client(world)
    participant = speaker.joined["me"]["participant_id"]
    assert (await player.post(f"{WHEP}/{participant}/camera", VIEW)).status == 201
    assert len(world.node.consumers) == 1
    await speaker.request("unpublish", publication_ids=[camera])
    assert not world.node.consumers
    await speaker.publish("camera", "video", "1")
    await until(lambda: len(world.node.consumers) == 1, "the camera again")
    await speaker.publish("microphone", "audio", "2")
    await until(lambda: len(world.node.consumers) == 2, "the sound with it")
    assert {one.mid for one in world.node.consumers.values()} == {"0", "1"}
    assert name_of(await player.post(f"{WHEP}/nobody/camera", VIEW)) == (409, "NotPublished")


async def test_a_player_without_the_codec_is_told_so(world: LiveWorld) -> None:
    speaker = await world.join()
    await speaker.publish("camera", "video")
    world.node.undecodable = {"1"}
    player = await client(world)
    assert name_of(await player.post(WHEP, VIEW)) == (406, "NotAcceptable")
    await speaker.hears("peer_left", reason="left")
    assert name_of(await player.post(WHEP, PUBLISH)) == (400, "InvalidInput")


async def test_who_leaves_the_stage_is_watched_no_more(world: LiveWorld) -> None:
    presenter = await world.join("webinar_presenter")
    await presenter.publish("camera", "video")
    assert (await (await client(world)).post(WHEP, VIEW)).status == 201
    assert world.node.consumers
    await presenter.request("stage_leave")
    assert not world.node.consumers


# --- what lasts ----------------------------------------------------------------------------------------


async def test_candidates_trickle_under_the_etag_and_ice_restarts_under_a_star(world: LiveWorld) -> None:
    encoder = await client(world)
    made = await encoder.post(WHIP, PUBLISH)
    location, etag = made.headers["Location"], made.headers["ETag"]
    assert (await encoder.patch(location, FRAGMENT + CANDIDATE, etag)).status == 204
    assert len(world.node.heard(node.HandleCandidate)) == 1
    assert name_of(await encoder.patch(location, CANDIDATE, '"other"')) == (412, "PreconditionFailed")
    restarted = await encoder.patch(location, FRAGMENT, "*")
    assert restarted.status == 200
    assert restarted.headers["Content-Type"] == "application/trickle-ice-sdpfrag"
    assert restarted.text.splitlines() == [
        "a=ice-lite", "a=ice-options:trickle", "a=ice-ufrag:ours", "a=ice-pwd:" + "p" * 24,
        "m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0", "a=candidate:1", "a=end-of-candidates",
    ]  # fmt: skip
    (told,) = world.node.heard(node.HandleIceRestart)
    assert isinstance(told, node.HandleIceRestart) and (told.ufrag, told.pwd) == ("abcd", "p" * 24)
    assert (await encoder.patch(location, CANDIDATE, etag)).status == 412
    assert (await encoder.patch(location, CANDIDATE, restarted.headers["ETag"])).status == 204


async def test_a_patch_that_is_none_is_refused(world: LiveWorld) -> None:
    encoder = await client(world)
    made = await encoder.post(WHIP, PUBLISH)
    location, etag = made.headers["Location"], made.headers["ETag"]
    assert (await encoder.patch(location, FRAGMENT, "")).status == 428
    assert (await encoder.patch(location, FRAGMENT, etag, Content_Type="application/json")).status == 415
    for wrong in ("", "nonsense", "a=ice-ufrag:abcd\r\n", "a=candidate:\r\n", CANDIDATE * 65):
        assert (await encoder.patch(location, wrong, etag)).status == 400
    assert (await encoder.patch(location, CANDIDATE, "*")).status == 400


async def test_a_session_is_its_participants_alone(world: LiveWorld) -> None:
    encoder, other = await client(world), await client(world)
    made = await encoder.post(WHIP, PUBLISH)
    location, etag = made.headers["Location"], made.headers["ETag"]
    assert (await other.call("DELETE", location)).status == 404
    assert (await other.patch(location, CANDIDATE, etag)).status == 404
    assert (await encoder.call("DELETE", location, Authorization="Bearer nonsense")).status == 401
    assert (await encoder.call("DELETE", location.replace("whip", "whep"))).status == 404
    assert (await encoder.call("DELETE", location)).status == 200


@pytest.mark.parametrize("path", [WHIP, WHEP])
async def test_a_post_that_is_none_is_refused(world: LiveWorld, path: str) -> None:
    encoder = await client(world)
    assert (await encoder.post(path, PUBLISH, Content_Type="text/plain")).status == 415
    for wrong in (
        "",
        "v=1",
        "v=0\r\n",
        "v=0\r\nm=audio\r\n",
        "v=0\r\nm=application 9 x y\r\n",
        "v=0\r\n" * 3,
    ):
        assert (await encoder.post(path, wrong)).status == 400
    assert (await encoder.post(path, "v=0\r\n" + "a=x\r\n" * 20_000)).status == 413
    assert (await encoder.post(path, PUBLISH, Authorization="Bearer nonsense")).status == 401
    assert (await encoder.post(path, PUBLISH, Authorization="")).status == 401
    assert (await encoder.post(path.replace(MEETING, "other"), PUBLISH)).status == 403
    assert (await encoder.call("GET", path)).status == 405


async def test_requests_and_sessions_of_one_participant_have_a_limit(world: LiveWorld) -> None:
    encoder = await client(world)
    statuses = [(await encoder.post(WHIP, "v=1")).status for _ in range(BURST + 1)]
    assert statuses == [400] * BURST + [429]
    assert (await (await client(world)).post(WHIP, "v=1")).status == 400
    players = await client(world)
    await (await world.join()).publish("microphone", "audio")
    for _ in range(MAX_PER_PARTICIPANT):
        world.clock.advance(1)
        assert (await players.post(WHEP, VIEW)).status == 201
    world.clock.advance(1)
    assert name_of(await players.post(WHEP, VIEW)) == (413, "LimitExceeded")


@pytest.mark.parametrize("path", [WHIP, WHEP, f"{WHEP}/somebody/camera", "/v2/whip-sessions/x"])
async def test_pages_of_any_origin_may_ask(world: LiveWorld, path: str) -> None:
    page = await client(world)
    allowed = await page.call("OPTIONS", path, Authorization="", Origin="https://example.org")
    assert allowed.status == 204
    assert allowed.headers["Access-Control-Allow-Origin"] == "*"
    assert "If-Match" in allowed.headers["Access-Control-Allow-Headers"]
    assert allowed.headers.get("Accept-Post") == (None if "sessions" in path else "application/sdp")
    refused = await page.post(path, "nonsense", Origin="https://example.org")
    assert refused.status in (400, 405)
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert "Location" in refused.headers["Access-Control-Expose-Headers"]


async def test_ice_servers_come_as_links() -> None:
    servers = IceServerList(
        stun_urls=("stun:stun.example.org",), turn_urls=("turn:turn.example.org",), secret="s", ttl=60
    )
    async with live_world(ice_servers=servers) as world:
        answer = await (await client(world)).post(WHIP, PUBLISH)
    stun, turn = answer.links
    assert stun == '<stun:stun.example.org>; rel="ice-server"'
    assert turn.startswith('<turn:turn.example.org>; rel="ice-server"; username="')
    assert turn.endswith('; credential-type="password"')


async def test_a_full_server_answers_503_with_a_time_to_come_back(world: LiveWorld) -> None:
    host = await client(world)
    assert (await host.post(WHIP, PUBLISH)).status == 201
    full = node.NodeLoad(cpu=0.95, packets_per_second=1.0, routers=1, transports=2, counters={})
    world.node.emit(full)
    for path, text in ((WHIP, PUBLISH), (WHEP, VIEW)):
        answer = await (await client(world)).post(path, text)
        assert name_of(answer) == (503, "Overloaded")
        assert 5 <= int(answer.headers["Retry-After"]) <= 15
