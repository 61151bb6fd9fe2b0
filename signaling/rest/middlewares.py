"""What happens around every request: an id, a measurement, security headers, and errors in the envelope.

Order, outermost first: request id -> metrics -> headers -> cross-origin (`signaling.rest.cors`) -> what is
left of a limit -> errors -> limit by address -> access (`signaling.rest.access`) -> limits by key and
organization (`signaling.rest.rate_limiting`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from signaling.errors import LimitExceededError, MethodNotAllowedError, NotFoundError, SignalingError
from signaling.ids import new_id
from signaling.metrics import Metrics
from signaling.rest.access import API_PREFIXES
from signaling.rest.operation import OperationTable
from signaling.rest.rendering import HOUSE, Rendering
from signaling.services.ports import Clock

log = structlog.get_logger(__name__)

_REQUEST_ID: Final = "X-Request-Id"
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SAFE_HOST: Final = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")
_HEADERS: Final = {
    "Server": "rostrum",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), autoplay=(self)",
}
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@web.middleware
async def request_id_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Takes the caller's `X-Request-Id` if it is harmless, else makes one; logs and the answer carry it."""
    given = request.headers.get(_REQUEST_ID, "")
    request_id = given if _SAFE_ID.fullmatch(given) else new_id("req")
    before = structlog.contextvars.bind_contextvars(request_id=request_id)
    try:
        response = await handler(request)
    finally:
        structlog.contextvars.reset_contextvars(**before)
    if not response.prepared:
        response.headers[_REQUEST_ID] = request_id
    return response


def metrics_middleware(metrics: Metrics, clock: Clock) -> Middleware:
    """Counts and times every request but the WebSocket, which lasts as long as a meeting."""

    @web.middleware
    async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = clock.monotonic()
        response = await handler(request)
        if not isinstance(response, web.WebSocketResponse):
            resource = request.match_info.route.resource
            metrics.observe_request(
                method=request.method if request.method in _METHODS else "other",
                route=resource.canonical if resource else "none",
                status=response.status,
                seconds=clock.monotonic() - started,
            )
        return response

    return measure


def headers_middleware(other_urls: Callable[[], Sequence[str]]) -> Middleware:
    """`other_urls`: of the servers that a page may be sent to by this one."""

    @web.middleware
    async def say(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if response.prepared:
            return response
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if response.content_type == "text/html":
            policy = content_security_policy(request.host, other_urls())
            response.headers.setdefault("Content-Security-Policy", policy)
        elif request.path.startswith(API_PREFIXES):
            response.headers.setdefault("Cache-Control", "no-store")
            nothing = "default-src 'none'; frame-ancestors 'none'"
            response.headers.setdefault("Content-Security-Policy", nothing)
        if request.secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response

    return say


def content_security_policy(host: str, other_urls: Sequence[str] = ()) -> str:
    """For pages: scripts only from this server, connections only to it and those that it sends people to."""
    hosts = [host, *(urlsplit(url).netloc for url in other_urls)]
    sockets = "".join(f" ws://{one} wss://{one}" for one in hosts if _SAFE_HOST.fullmatch(one))
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob: https:",
            "media-src 'self' blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            f"connect-src 'self'{sockets}",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'self'",
            "object-src 'none'",
        )
    )


def errors_middleware(
    table: OperationTable, renderings: Mapping[str, Rendering], base_url: str
) -> Middleware:
    """In the rendering of the operation; for a path that is none, by prefix. `base_url`: of this server."""

    @web.middleware
    async def catch(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except SignalingError as error:
            return rendering_of(request).failure(error, base_url)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            response = rendering_of(request).failure(_told(error), base_url)
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
            return response
        except Exception as error:
            if isinstance(error, ConnectionResetError) and _is_gone(request):
                log.debug("client_gone", method=request.method, route=_route(request))
            else:
                log.exception("request_failed", method=request.method, route=_route(request))
            return rendering_of(request).failure(SignalingError(), base_url)

    def rendering_of(request: web.Request) -> Rendering:
        operation = table.of(request)
        if operation is not None:
            return operation.rendering
        found = (one for prefix, one in renderings.items() if request.path.startswith(prefix))
        return next(found, HOUSE)

    return catch


def _is_gone(request: web.Request) -> bool:
    """Whoever asked."""
    return request.transport is None or request.transport.is_closing()


def _told(error: web.HTTPException) -> SignalingError:
    match error.status:
        case 404:
            return NotFoundError("There is no such path. /openapi.json has all that there are.")
        case 405:
            return MethodNotAllowedError()
        case 413:
            return LimitExceededError("The body is larger than 1 MiB. Send less.")
    named = {"http_status": error.status, "name": "HttpError"}
    refused: type[SignalingError] = type("HttpError", (SignalingError,), named)
    return refused(error.reason or "The request failed.")


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"
