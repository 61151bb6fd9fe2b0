"""A page of its own with end-to-end encryption: plain HTML, the SDK as built, and a passphrase.

    (cd web && npm run build:sdk)
    python -m examples.e2ee

Serves the page on 127.0.0.1 and hands out invitations to one meeting. The passphrase never leaves the
browser: this server gets a name from `page.js`, and the Rostrum server gets media that it cannot read.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from aiohttp import web

from examples.server import credentials, parser, run
from sfu.bot import Organization

HERE = Path(__file__).resolve().parent
SDK = HERE.parent.parent / "web" / "packages" / "core" / "dist"
MAX_NAME = 64


def make_app(organization: Organization, meeting_id: str, base_url: str) -> web.Application:
    """The page, the SDK, and an invitation for whoever asks for one."""

    async def index(_request: web.Request) -> web.StreamResponse:
        return web.FileResponse(HERE / "page" / "index.html")

    async def invitation(request: web.Request) -> web.Response:
        name = str((await request.json()).get("name", ""))[:MAX_NAME] or "Somebody"
        token = await organization.create_participant(meeting_id, name, "group_call_participant")
        return web.json_response({"token": token, "baseURI": base_url})

    app = web.Application()
    app.router.add_get("/", index)
    app.router.add_post("/invitation", invitation)
    app.router.add_static("/page", HERE / "page")
    app.router.add_static("/sdk", SDK)
    return app


async def serve(arguments: argparse.Namespace) -> None:
    key = credentials(arguments)
    async with Organization(key) as organization:
        meeting_id = await organization.create_meeting("End-to-end encrypted")
        runner = web.AppRunner(make_app(organization, meeting_id, key.base_url))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", arguments.port).start()
        print(f"open http://127.0.0.1:{arguments.port}/ in two windows, with the same passphrase in both")
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()


def main() -> None:
    if not (SDK / "rostrum.js").exists():
        sys.exit("The SDK is not built yet. Build it with: (cd web && npm run build:sdk)")
    made = parser(__doc__)
    made.add_argument("--port", type=int, default=8090, help="port of the page [8090]")
    run(serve(made.parse_args()))


if __name__ == "__main__":
    main()
