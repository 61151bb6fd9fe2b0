"""429 for whoever asks too often, and for everybody how much they may still ask.

    told (outermost) -> errors -> by address -> access -> by key and by organization

The headers are those of draft-ietf-httpapi-ratelimit-headers, of the limit that is nearest:
`RateLimit-Policy: "address";q=2000;w=60` and `RateLimit: "address";r=1999;t=1`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from signaling.errors import RateLimitedError
from signaling.rest.access import API_PREFIXES, SOCKET, speaking_caller
from signaling.rest.client_address import IpNetwork, address_of
from signaling.services.ports import Clock
from signaling.services.rate_limit import WINDOW, RateLimit, RateLimits, Standing

_STANDING: Final = web.RequestKey("rate limit", Standing)


@web.middleware
async def told_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    standing = request.get(_STANDING)
    if standing is not None and not response.prepared:
        response.headers["RateLimit-Policy"] = f'"{standing.name}";q={standing.limit};w={WINDOW:.0f}'
        response.headers["RateLimit"] = f'"{standing.name}";r={standing.remaining};t={standing.reset}'
    return response


def address_middleware(limits: RateLimits, trusted: Sequence[IpNetwork], clock: Clock) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        # the socket is limited by what is said on it (docs/protocol.md, section 12)
        limited = request.path.startswith(API_PREFIXES) and request.path != SOCKET
        if limits.address is not None and limited:
            _take(request, limits.address, address_of(request, trusted), clock)
        return await handler(request)

    return check


def key_middleware(limits: RateLimits, clock: Clock) -> Middleware:
    """Where a key speaks."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        caller = speaking_caller(request)
        if caller is not None:
            if limits.key is not None:
                _take(request, limits.key, caller.credential_id, clock)
            if limits.organization is not None:
                _take(request, limits.organization, caller.organization_id, clock)
        return await handler(request)

    return check


def _take(request: web.Request, limit: RateLimit, who: str, clock: Clock) -> None:
    """Raises `RateLimitedError`."""
    standing = limit.take(who, clock.monotonic())
    nearest = request.get(_STANDING)
    if nearest is None or standing.remaining <= nearest.remaining:
        request[_STANDING] = standing
    if standing.retry_after is not None:
        raise RateLimitedError(
            f"More than {standing.limit} requests a minute by one {limit.name}. Wait "
            f"{standing.retry_after} s before the next one.",
            retry_after=standing.retry_after,
        )
