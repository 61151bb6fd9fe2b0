"""One attempt at a delivery: a POST to an address that was checked, within its time, and what came back.

Whatever the other side does ends as an `Attempt`: it may be slow, send without end, redirect, or speak
something else than HTTP. Nothing of it is kept beyond a bound, and nothing of it is decompressed.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import aiohttp

from signaling.domain.webhook import Target
from signaling.domain.webhook_delivery import MAX_RESPONSE, Attempt, Delivery
from signaling.services.ports import Clock
from signaling.webhooks.addresses import AddressPolicy, AddressRefusedError, CheckedResolver, Lookup
from signaling.webhooks.key_ring import WebhookKeyRing
from signaling.webhooks.signing import signed_headers

MAX_HEADERS: Final = 32
MAX_HEADER_VALUE: Final = 256
MAX_ERROR: Final = 300
KEEP_ALIVE: Final = 15.0
"""Seconds for which a connection waits for the next delivery to the same endpoint."""


class HttpSender:
    """Make one inside the loop, end with `close`."""

    def __init__(
        self,
        policy: AddressPolicy,
        keys: WebhookKeyRing,
        clock: Clock,
        *,
        version: str,
        lookup: Lookup | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls`: other than what the system trusts."""
        self._policy = policy
        self._keys = keys
        self._clock = clock
        self._agent = f"Rostrum-Webhooks/{version}"
        connector = aiohttp.TCPConnector(
            resolver=CheckedResolver(policy, lookup),
            limit=0,  # the lanes bound it
            keepalive_timeout=KEEP_ALIVE,
            ssl=tls if tls is not None else True,
        )
        self._http = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        await self._http.close()

    async def send(self, delivery: Delivery, target: Target, url: str, number: int) -> Attempt:
        started_at, began = self._clock.now(), self._clock.monotonic()
        headers = signed_headers(delivery, number, self._keys.signing, started_at)
        headers |= {"user-agent": self._agent, "accept-encoding": "identity"}
        exchange = _Exchange()
        error: str | None = None
        try:
            checked = self._policy.parse(url)
            async with asyncio.timeout(target.timeout):
                await self._exchange(exchange, checked, delivery.body.encode(), headers)
        except TimeoutError:
            # An answer whose body does not end is an answer.
            error = None if exchange.status is not None else f"no answer within {target.timeout} s"
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            error = _said(failure)
        if error is None:
            error = _complaint(exchange.status)
        return _attempt(number, url, started_at, self._clock.monotonic() - began, headers, exchange, error)

    async def _exchange(
        self, exchange: _Exchange, url: object, body: bytes, headers: Mapping[str, str]
    ) -> None:
        request = self._http.post(
            url,  # type: ignore[arg-type]
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(),
        )
        async with request as response:
            exchange.status = response.status
            exchange.headers = _bounded(response.headers)
            while len(exchange.body) <= MAX_RESPONSE:
                more = await response.content.read(MAX_RESPONSE + 1 - len(exchange.body))
                if not more:
                    return
                exchange.body += more
            response.close()  # there is more than anybody wants to read


class _Exchange:
    """What is known of an answer so far."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] | None = None
        self.body = b""


def _attempt(
    number: int,
    url: str,
    started_at: datetime,
    duration: float,
    headers: Mapping[str, str],
    exchange: _Exchange,
    error: str | None,
) -> Attempt:
    body = exchange.body[:MAX_RESPONSE].decode(errors="replace").replace("\0", "\ufffd")
    return Attempt(
        number=number,
        url=url,
        started_at=started_at,
        duration=duration,
        request_headers=headers,
        status=exchange.status,
        response_headers=exchange.headers,
        response_body=None if exchange.status is None else body,
        error=error,
    )


def _complaint(status: int | None) -> str | None:
    """What is wrong with an answer."""
    if status is None or 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"answered with {status}; redirects are not followed"
    return f"answered with {status}"


def _said(failure: BaseException) -> str:
    """One line, for the log that the organization reads."""
    inner: BaseException | None = failure
    while inner is not None:
        if isinstance(inner, AddressRefusedError):
            return f"refused: {inner}"[:MAX_ERROR]
        inner = inner.__cause__ or inner.__context__
    kind = {
        aiohttp.ClientConnectorDNSError: "the name was not found",
        aiohttp.ClientSSLError: "TLS failed",
        aiohttp.ClientConnectorError: "no connection",
        aiohttp.ServerDisconnectedError: "the connection was closed before an answer",
        aiohttp.ClientResponseError: "what was answered is not HTTP",
    }
    if isinstance(failure, aiohttp.ClientConnectorCertificateError):
        return "the certificate is not trusted"
    said = next((text for one, text in kind.items() if isinstance(failure, one)), "failed")
    first = next(iter(str(failure).splitlines()), type(failure).__name__)
    return _as_text(f"{said}: {first}"[:MAX_ERROR])


def _bounded(headers: Mapping[str, str]) -> dict[str, str]:
    kept = list(headers.items())[:MAX_HEADERS]
    return {_as_text(name): _as_text(value[:MAX_HEADER_VALUE]) for name, value in kept}


def _as_text(value: str) -> str:
    """What can be kept and shown: headers may have bytes in them that are no text."""
    return value.encode(errors="surrogateescape").decode(errors="replace").replace("\0", "\ufffd")
