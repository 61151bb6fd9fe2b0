"""How the command line reaches a server: one that is named, the one of a data directory, or none yet.

With `--url` and a key it is that one. Otherwise `bootstrap.json` of the data directory says where the server
is and has its first key; if nobody answers there, the services are started in this process, on a port that
nobody is told, for as long as the command takes.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from signaling.config import Settings
from signaling.credentials import Credentials
from signaling.errors import InvalidInputError
from signaling.logging import configure_logging

_ALONE: Final[Mapping[str, Any]] = {
    "host": "127.0.0.1",
    "port": 0,
    "udp_port": 0,
    "workers": 0,
    "announce": (),
    "public_url": None,
    "tls_cert": None,
    "tls_key": None,
}
"""What a server is told that nobody else is to find."""
_TIMEOUT: Final = aiohttp.ClientTimeout(total=60, connect=5)


class RefusedError(Exception):
    """The server answered that it does not do it; the message is its own."""


class Api:
    """REST with one key."""

    def __init__(self, http: aiohttp.ClientSession, credentials: Credentials) -> None:
        self._http = http
        self._credentials = credentials

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The answer in its envelope. Raises `RefusedError`, and `InvalidInputError` where nobody answers."""
        who = self._credentials
        auth = aiohttp.encode_basic_auth(who.organization_id, who.api_key)
        try:
            async with self._http.request(
                method, who.base_url + path, params=query, json=body, headers={"Authorization": auth}
            ) as response:
                answer = json.loads(await response.read() or b"{}")
                refused = response.status >= 400
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise InvalidInputError(
                f"{who.base_url} does not answer: {error or type(error).__name__}"
            ) from None
        except ValueError:
            raise InvalidInputError(f"{who.base_url} is no Rostrum server: its answer is not JSON") from None
        if refused:
            raise RefusedError(_sentence(answer))
        return dict(answer)


def _sentence(answer: dict[str, Any]) -> str:
    """What an error says, in either envelope."""
    match answer:
        case {"error": {"message": str(sentence)}} | {"errors": [{"detail": str(sentence)}]}:
            return sentence
    return str(answer)


@asynccontextmanager
async def api_of(
    settings: Settings, *, url: str | None, api_key: str | None, organization: str | None
) -> AsyncIterator[tuple[Api, str]]:
    """With the id of the organization that it speaks for. Raises `InvalidInputError`."""
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as http:
        credentials = _credentials(settings.data_dir, url, api_key, organization)
        if url is not None or await _answers(http, credentials.base_url):
            yield Api(http, credentials), credentials.organization_id
            return
        async with _started(settings) as base_url:
            yield Api(http, credentials.at(base_url)), credentials.organization_id


def _credentials(
    data_dir: Path, url: str | None, api_key: str | None, organization: str | None
) -> Credentials:
    if url is not None and (api_key is None or organization is None):
        raise InvalidInputError("--url needs --api-key and --organization beside it")
    if url is not None and api_key is not None and organization is not None:
        return Credentials(organization, api_key, url.rstrip("/"))
    found = Credentials.read(data_dir)
    if found is None:
        raise InvalidInputError(
            f"there is no bootstrap.json in {data_dir}: name a server by --url, --api-key and --organization"
        )
    return Credentials(organization or found.organization_id, api_key or found.api_key, found.base_url)


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url + "/healthz"):
            return True
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


@asynccontextmanager
async def _started(settings: Settings) -> AsyncIterator[str]:
    """The services of this data directory, in this process. Raises `InvalidInputError`."""
    from sfu.client import find_survivors
    from signaling.app import WORKERS_FOLDER, Server

    survivors = await find_survivors(settings.data_dir / WORKERS_FOLDER)
    for survivor in survivors:
        survivor.release()
    if survivors:
        raise InvalidInputError("media workers of a server that was killed carry meetings: start it first")
    before = Credentials.read(settings.data_dir)
    configure_logging("error", settings.log_format)
    own = settings.model_copy(update=_ALONE)
    try:
        async with Server(own) as server:
            yield server.base_url
    finally:
        if before is not None:
            before.write(settings.data_dir)
