"""Cross-origin access to WHIP and WHEP: players and encoders are pages of anybody.

Any origin may call, since no browser adds credentials by itself: what admits is the token that the page puts
into its request.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

OPEN_PREFIXES: Final = ("/v2/whip/", "/v2/whep/", "/v2/whip-sessions/", "/v2/whep-sessions/")
"""Where a participant's token speaks instead of an organization's key, from any origin."""

_HEADERS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, ETag, Link, Retry-After, Accept-Patch",
}
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "86400",
}


@web.middleware
async def cors_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors too must be readable by the page."""
    response = await handler(request)
    if request.path.startswith(OPEN_PREFIXES) and not response.prepared:
        response.headers.update(_HEADERS)
        if request.method == "OPTIONS":
            response.headers.update(_PREFLIGHT)
    return response
