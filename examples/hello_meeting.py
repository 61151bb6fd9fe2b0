"""From the organization's key to links that people can open: a meeting and its participants by REST.

    python -m examples.hello_meeting --title "Monday" --name Ada --name Grace

The first participant is a host. Every link is for one person; open two of them in two windows.
"""

from __future__ import annotations

import argparse
import base64
from typing import Any

import aiohttp

from examples.server import credentials, parser, run
from sfu.bot import BotError, Credentials


async def post(
    http: aiohttp.ClientSession, key: Credentials, path: str, body: dict[str, Any]
) -> dict[str, Any]:
    """One REST call. Basic auth: the organization's id is the user, its API key the password."""
    pair = f"{key.organization_id}:{key.api_key}".encode()
    headers = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
    try:
        async with http.post(key.base_url + path, json=body, headers=headers) as response:
            envelope = await response.json()
    except aiohttp.ClientError as error:
        raise BotError(f"no answer from {key.base_url}: {error}") from error
    if not envelope["success"]:
        raise BotError(envelope["error"]["message"])
    data: dict[str, Any] = envelope["data"]
    return data


async def hello(arguments: argparse.Namespace) -> None:
    key = credentials(arguments)
    async with aiohttp.ClientSession() as http:
        meeting = await post(http, key, "/v2/meetings", {"title": arguments.title})
        print(f"meeting {meeting['id']}: {meeting['title']}")
        for number, name in enumerate(arguments.name or ["Ada", "Grace"]):
            participant = await post(
                http,
                key,
                f"/v2/meetings/{meeting['id']}/participants",
                {
                    "name": name,
                    "custom_participant_id": name.lower(),
                    "preset_name": "group_call_participant" if number else "group_call_host",
                },
            )
            print(f"{name}: {key.base_url}/meet/#token={participant['token']}")


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--title", default="Hello", help="title of the meeting")
    made.add_argument("--name", action="append", help="a participant; repeatable [Ada and Grace]")
    run(hello(made.parse_args()))


if __name__ == "__main__":
    main()
