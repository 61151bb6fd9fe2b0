from __future__ import annotations

import jwt

from signaling.auth.tokens import AUDIENCE
from tests.signaling.rest.world import World


async def test_whoever_wants_may_verify_tokens_with_the_published_keys(world: World) -> None:
    meeting = await world.meeting()
    token = (await world.participant(meeting["id"]))["token"]
    async with world.http.get(world.url + "/.well-known/jwks.json") as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "public, max-age=30"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        published = jwt.PyJWKSet.from_dict(await answer.json())
    key = published[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key.key, algorithms=["EdDSA"], audience=AUDIENCE)
    assert claims["meeting_id"] == meeting["id"]
