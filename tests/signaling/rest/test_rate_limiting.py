from __future__ import annotations

from pathlib import Path

import pytest

from signaling.services.rate_limit import RateLimits
from signaling.testing import MemoryStore
from tests.signaling.rest.world import rest_world

pytestmark = pytest.mark.usefixtures("time_stands_still")


@pytest.mark.asvs("2.4.1")
async def test_an_address_is_refused_before_anybody_looks_who_it_is(tmp_path: Path) -> None:
    limits = RateLimits.per_minute(address=3, key=0, organization=0)
    async with rest_world(tmp_path, MemoryStore(), rate_limits=limits) as world:
        assert (await world.call("GET", "/v2/meetings")).headers["RateLimit"].startswith('"address";r=2;t=')
        assert (await world.call("GET", "/v2/meetings", auth=None)).status == 401
        last = await world.call("GET", "/v2/meetings/nothing")
        assert (last.status, last.headers["RateLimit-Policy"]) == (404, '"address";q=3;w=60')
        forwarded = {"headers": {"X-Forwarded-For": "198.51.100.9"}}
        for options in ({}, {"auth": None}, forwarded):
            refused = await world.call("GET", "/v2/meetings", **options)
            assert (refused.status, refused.error["name"]) == (429, "RateLimited")
            assert 1 <= int(refused.headers["Retry-After"]) <= 20
            assert refused.headers["RateLimit"].startswith('"address";r=0;t=')
        assert (await world.call("GET", "/healthz")).status == 200


async def test_behind_a_proxy_that_is_configured_each_client_counts_alone(tmp_path: Path) -> None:
    limits = RateLimits.per_minute(address=1, key=0, organization=0)
    async with rest_world(tmp_path, MemoryStore(), rate_limits=limits, trusted=["127.0.0.0/8"]) as world:
        for client, status in (("198.51.100.1", 200), ("198.51.100.2", 200), ("198.51.100.1", 429)):
            answer = await world.call("GET", "/v2/meetings", headers={"X-Forwarded-For": client})
            assert answer.status == status


@pytest.mark.asvs("2.4.1")
async def test_a_key_and_its_organization_are_counted_once_they_are_known(tmp_path: Path) -> None:
    limits = RateLimits.per_minute(address=0, key=2, organization=100)
    async with rest_world(tmp_path, MemoryStore(), rate_limits=limits) as world:
        assert (await world.call("GET", "/v2/meetings", auth="Bearer nobody:nothing")).status == 401
        statuses = [(await world.call("GET", "/v2/meetings")).status for _ in range(3)]
        assert statuses == [200, 200, 429]
        bearer = f"Bearer {world.organization_id}:{world.api_key}"
        assert (await world.call("GET", "/v2/meetings", auth=bearer)).status == 429, "it is the same key"
        rival = await world.other_organization()
        assert (await world.call("GET", "/v2/meetings", auth=rival)).status == 200


@pytest.mark.asvs("2.4.1")
async def test_an_organization_has_one_limit_for_all_of_its_keys(tmp_path: Path) -> None:
    limits = RateLimits.per_minute(address=0, key=100, organization=2)
    async with rest_world(tmp_path, MemoryStore(), rate_limits=limits) as world:
        statuses = [(await world.call("GET", "/v2/presets")).status for _ in range(3)]
        assert statuses == [200, 200, 429]
