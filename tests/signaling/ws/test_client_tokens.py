"""Client tokens: whoever has one comes in, for as long as it says, until it is taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
import pytest

from signaling.auth.client_tokens import CLIENT_AUDIENCE, JwtClientTokens
from signaling.auth.keyring import KeyRing
from signaling.auth.keys import SigningKey
from signaling.auth.tokens import JwtTokens
from signaling.domain.client_token import resource_of
from signaling.domain.targets import Targets
from signaling.errors import (
    ForbiddenError,
    InvalidTokenError,
    NotFoundError,
    ValidationFailedError,
)
from signaling.services.client_tokens import ClientTokenService
from signaling.services.invitation import InvitationService
from signaling.services.levels import House
from signaling.services.participants import ParticipantService
from signaling.testing import FakeClock, FakeLiveSessions
from tests.support.live_world import (
    MEETING,
    ORGANIZATION,
    LiveWorld,
    Refused,
    WsClient,
    live_world,
)

PRESET = "group_call_participant"


@dataclass
class Tokens:
    """A world that takes real tokens, and who makes them."""

    world: LiveWorld
    ring: KeyRing
    of_participants: JwtTokens
    service: ClientTokenService

    async def pair(self, **ttls: int) -> tuple[str, str]:
        """A join token and its refresh token."""
        made = await self.service.generate_join_client_token(ORGANIZATION, MEETING, **ttls)
        return made.join.token, made.refresh.token

    async def join(self, token: str, **fields: Any) -> WsClient:
        return await (await self.world.socket()).join(token, **fields)

    async def refused(self, token: str) -> str:
        with pytest.raises(Refused) as refusal:
            await self.join(token)
        return refusal.value.name

    async def remove(self, participant_id: str) -> None:
        """As any server would."""
        store, clock = self.world.store, self.world.clock
        service = ParticipantService(store, FakeLiveSessions(), self.of_participants, clock, House())
        await service.remove(ORGANIZATION, MEETING, participant_id)

    async def pass_time(self, seconds: float) -> None:
        await self.world.wait(seconds)


@pytest.fixture
async def tokens() -> AsyncIterator[Tokens]:
    clock = FakeClock()
    ring = KeyRing.of(SigningKey.generate(), clock)
    real = JwtTokens(ring, clock, timedelta(hours=24))
    async with live_world(tokens=real, clock=clock) as world:
        made_by = JwtClientTokens(ring, clock)
        service = ClientTokenService(world.store, made_by, clock, guest_preset=PRESET)
        yield Tokens(world, ring, real, service)


async def test_a_pair_is_good_for_as_long_as_was_asked(tokens: Tokens) -> None:
    now = tokens.world.clock.now()
    made = await tokens.service.generate_join_client_token(ORGANIZATION, MEETING)
    assert (made.join.expires_at - now, made.refresh.expires_at - now) == (
        timedelta(seconds=600),
        timedelta(seconds=3600),
    )
    made = await tokens.service.generate_join_client_token(
        ORGANIZATION, MEETING, token_ttl_secs=10, refresh_token_ttl_secs=86_400
    )
    claims = jwt.decode(made.join.token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 10
    assert claims["grants"] == [
        {"actions": ["join"], "resources": [f"telnyx:video:rooms:{MEETING}"], "subjects": [claims["sub"]]}
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token_ttl_secs", 9),
        ("token_ttl_secs", 3601),
        ("refresh_token_ttl_secs", 59),
        ("refresh_token_ttl_secs", 86_401),
    ],
)
async def test_no_other_times_are_granted(tokens: Tokens, name: str, value: int) -> None:
    with pytest.raises(ValidationFailedError) as refusal:
        await tokens.pair(**{name: value})
    assert refusal.value.field == name


async def test_there_are_none_for_a_room_of_somebody_else(tokens: Tokens) -> None:
    with pytest.raises(NotFoundError):
        await tokens.service.generate_join_client_token("another", MEETING)


async def test_whoever_joins_with_one_is_a_participant_from_then_on_and_the_same_again(
    tokens: Tokens,
) -> None:
    token, refresh = await tokens.pair()
    first = await tokens.join(token, name="Ada", context='{"seat": 4}')
    again = await tokens.service.refresh_client_token(refresh)
    second = await tokens.join(again.token)
    me, other = (one.joined["me"] for one in (first, second))
    assert (me["name"], other["name"]) == ("Ada", "Ada")
    assert me["participant_id"] == other["participant_id"]
    assert me["peer_id"] != other["peer_id"]
    async with tokens.world.store(reading=True) as uow:
        participant = await uow.participants.get(ORGANIZATION, MEETING, me["participant_id"])
        rows = await uow.sessions.attendances(first.joined["session_id"])
    assert participant is not None
    assert participant.preset_name == PRESET
    assert {row.peer_id: row.context for row in rows} == {
        me["peer_id"]: '{"seat": 4}',
        other["peer_id"]: None,
    }


async def test_each_token_is_good_for_its_own_action_only(tokens: Tokens) -> None:
    token, refresh = await tokens.pair()
    assert await tokens.refused(refresh) == "InvalidToken"
    with pytest.raises(InvalidTokenError):
        await tokens.service.refresh_client_token(token)
    of_participant = tokens.of_participants.issue(await tokens.world.participant(PRESET))
    with pytest.raises(InvalidTokenError):
        await tokens.service.refresh_client_token(of_participant)
    with pytest.raises(ForbiddenError):
        await tokens.service.refresh_client_token(refresh, meeting_id="another")


@pytest.mark.parametrize(
    "change",
    [
        {"actions": ["join", "refresh"]},
        {"actions": ["refresh"]},
        {"actions": []},
        {"resources": ["telnyx:video:rooms:*"]},
        {"resources": [MEETING]},
        {"resources": [resource_of(MEETING), resource_of("another")]},
        {"subjects": ["somebody else"]},
        {"subjects": []},
        {"more": True},
    ],
    ids=str,
)
async def test_a_grant_that_is_not_for_this_is_refused_though_signed(
    tokens: Tokens, change: dict[str, Any]
) -> None:
    token, _ = await tokens.pair()
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["aud"] == CLIENT_AUDIENCE
    forged = tokens.ring.sign(claims | {"grants": [claims["grants"][0] | change]})
    assert await tokens.refused(forged) == "InvalidToken"
    assert await tokens.refused(tokens.ring.sign(claims | {"grants": claims["grants"] * 2})) == "InvalidToken"


async def test_a_token_that_is_over_neither_joins_nor_refreshes(tokens: Tokens) -> None:
    token, refresh = await tokens.pair(token_ttl_secs=10, refresh_token_ttl_secs=60)
    tokens.world.clock.advance(10)
    assert await tokens.refused(token) == "InvalidToken"
    tokens.world.clock.advance(49)
    await tokens.service.refresh_client_token(refresh)
    tokens.world.clock.advance(1)
    with pytest.raises(InvalidTokenError, match="expired"):
        await tokens.service.refresh_client_token(refresh)


async def test_a_removed_participant_comes_back_with_none_of_its_tokens(tokens: Tokens) -> None:
    token, refresh = await tokens.pair()
    client = await tokens.join(token)
    participant_id = client.joined["me"]["participant_id"]
    await tokens.remove(participant_id)
    assert await tokens.refused(token) == "InvalidToken"
    with pytest.raises(InvalidTokenError, match="revoked"):
        await tokens.service.refresh_client_token(refresh)
    async with tokens.world.store(reading=True) as uow:
        assert await uow.participants.get(ORGANIZATION, MEETING, participant_id) is None


async def test_a_subject_can_be_revoked_before_anybody_joined_with_it(tokens: Tokens) -> None:
    token, refresh = await tokens.pair()
    subject = jwt.decode(token, options={"verify_signature": False})["sub"]
    await tokens.service.revoke(ORGANIZATION, subject)
    await tokens.service.revoke(ORGANIZATION, subject)
    assert await tokens.refused(token) == "InvalidToken"
    with pytest.raises(InvalidTokenError):
        await tokens.service.refresh_client_token(refresh)


async def test_revocations_are_kept_until_the_last_token_is_over_and_no_longer(tokens: Tokens) -> None:
    token, _ = await tokens.pair()
    subject = jwt.decode(token, options={"verify_signature": False})["sub"]
    await tokens.service.revoke(ORGANIZATION, subject)
    for seconds, there in ((86_400 + 3600, True), (601, False)):
        tokens.world.clock.advance(seconds)
        await tokens.service.revoke(ORGANIZATION, "another")
        async with tokens.world.store(reading=True) as uow:
            assert await uow.revoked_subjects.has(ORGANIZATION, subject) is there


async def test_who_has_not_sent_another_token_in_time_is_put_out(tokens: Tokens) -> None:
    of_participant = await tokens.join(tokens.of_participants.issue(await tokens.world.participant(PRESET)))
    token, _ = await tokens.pair(token_ttl_secs=60)
    guest = await tokens.join(token)
    await tokens.pass_time(59)
    assert not guest.heard("session_left")
    await tokens.pass_time(1)
    assert (await guest.hears("session_left"))["reason"] == "timed_out"
    assert await guest.closed() == 4005
    await of_participant.hears("peer_left", peer_id=guest.peer_id, reason="timeout")
    assert not of_participant.heard("session_left")


async def test_another_token_in_time_lets_one_stay(tokens: Tokens) -> None:
    token, refresh = await tokens.pair(token_ttl_secs=60)
    guest = await tokens.join(token)
    await tokens.pass_time(50)
    again = await tokens.service.refresh_client_token(refresh, token_ttl_secs=60)
    await guest.request("update_token", token=again.token)
    await tokens.pass_time(59)
    assert not guest.heard("session_left")
    await tokens.pass_time(1)
    assert await guest.closed() == 4005


async def test_who_waits_to_be_admitted_shows_another_token_in_time_too(tokens: Tokens) -> None:
    await tokens.world.change_preset(PRESET, {"permissions": {"waiting_room_type": "SKIP_ON_ACCEPT"}})
    (token, _), (first, refresh) = await tokens.pair(token_ttl_secs=60), await tokens.pair(token_ttl_secs=60)
    late, guest = await tokens.join(token), await tokens.join(first)
    await tokens.pass_time(50)
    again = await tokens.service.refresh_client_token(refresh, token_ttl_secs=60)
    await guest.request("update_token", token=again.token)
    await tokens.pass_time(10)
    assert (await late.hears("session_left"))["reason"] == "timed_out"
    assert await late.closed() == 4005
    await tokens.world.live.admit(MEETING, Targets(everybody=True))
    await guest.hears("admitted")
    await tokens.pass_time(50)
    assert await guest.closed() == 4005


async def test_neither_somebody_elses_token_nor_a_revoked_one_lets_one_stay(tokens: Tokens) -> None:
    token, refresh = await tokens.pair()
    guest = await tokens.join(token)
    for other in ((await tokens.pair())[0], refresh, "junk"):
        with pytest.raises(Refused) as refusal:
            await guest.request("update_token", token=other)
        assert refusal.value.name == "InvalidToken"
    await tokens.service.revoke(ORGANIZATION, guest.joined["me"]["participant_id"])
    with pytest.raises(Refused):
        await guest.request("update_token", token=token)


async def test_who_only_looks_at_the_invitation_is_made_nothing(tokens: Tokens) -> None:
    token, _ = await tokens.pair()
    store, clock = tokens.world.store, tokens.world.clock
    invitations = InvitationService(store, tokens.world.live, tokens.of_participants, clock, House())
    invitation = await invitations.read(token)
    assert (invitation.preset.name, invitation.meeting.id) == (PRESET, MEETING)
    async with store(reading=True) as uow:
        assert (await uow.participants.list(ORGANIZATION, MEETING))[1] == 0
    await tokens.join(token, name="Ada")
    assert (await invitations.read(token)).participant.name == "Ada"


async def test_the_time_of_a_token_survives_a_restart(tokens: Tokens) -> None:
    token, _ = await tokens.pair(token_ttl_secs=60)
    guest = await tokens.join(token)
    await tokens.world.die()
    async with live_world(after=tokens.world, tokens=tokens.of_participants) as world:
        again = await world.resume(guest, snapshot=True)
        await world.wait(59)
        assert not again.heard("session_left")
        await world.wait(1)
        assert await again.closed() == 4005
