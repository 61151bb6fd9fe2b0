"""The URLs that this server is reached by, and whether they lead to one."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from signaling.config import Settings
from signaling.doctor.report import Finding, fail, ok

ANSWERS_WITHIN: Final = 5.0
"""Seconds."""
HEALTH: Final = "/healthz"


@dataclass(frozen=True, slots=True)
class UrlsCheck:
    """Those that were configured. Each is asked where a server runs on the data directory; else its name is
    looked up."""

    settings: Settings
    runs: bool

    async def look(self) -> Sequence[Finding]:
        settings = self.settings
        given = {
            "public URL": settings.public_url,
            "server URL": settings.server_url,
            "internal URL": settings.internal_url,
        }
        return [await self._look_at(name, url) for name, url in given.items() if url is not None]

    async def _look_at(self, name: str, url: str) -> Finding:
        if self.runs:
            return judge_answer(name, url, await _asked(url))
        parts = urlsplit(url)
        host = parts.hostname or ""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                host, parts.port or parts.scheme, type=socket.SOCK_STREAM
            )
        except OSError as error:
            return judge_name(name, url, host, (), error.strerror or str(error))
        return judge_name(name, url, host, [str(one[4][0]) for one in found], None)


@dataclass(frozen=True, slots=True)
class Answered:
    """`status` None: nobody answered, and `said` is why. Else `said` is the version, and empty for what is no
    server of ours."""

    status: int | None
    said: str


def judge_answer(name: str, url: str, answer: Answered) -> Finding:
    advice = "correct it, or the proxy before the server, or what a firewall lets through"
    if answer.status is None:
        return fail(name, f"{url} does not answer: {answer.said}", advice)
    if not answer.said:
        return fail(name, f"{url} leads to something else, which answers {answer.status}", advice)
    return ok(name, f"{url} leads to a server of version {answer.said}")


def judge_name(name: str, url: str, host: str, addresses: Sequence[str], problem: str | None) -> Finding:
    """`addresses` are the name's; `problem` is why there are none."""
    if problem is not None:
        return fail(name, f"{url}: {host} is not known here: {problem}", "correct it, or add the name to DNS")
    if name == "internal URL" and all(ipaddress.ip_address(one).is_loopback for one in addresses):
        advice = "name an address that the other servers reach"
        return fail(name, f"{url} leads every server to itself", advice)
    return ok(name, f"{url} is {', '.join(dict.fromkeys(addresses))}; it is asked once the server runs")


async def _asked(url: str) -> Answered:
    timeout = aiohttp.ClientTimeout(total=ANSWERS_WITHIN)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(url + HEALTH, allow_redirects=False) as response,
        ):
            try:
                body = await response.json()
            except (ValueError, aiohttp.ContentTypeError):
                body = None
            version = body.get("version") if isinstance(body, dict) else None
            return Answered(response.status, str(version or ""))
    except TimeoutError:
        return Answered(None, f"nothing within {ANSWERS_WITHIN:.0f} s")
    except (aiohttp.ClientError, OSError) as error:
        return Answered(None, str(error) or type(error).__name__)
