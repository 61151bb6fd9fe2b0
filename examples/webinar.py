"""The stage of a webinar, driven by a script: a viewer asks, a host grants, the viewer joins and leaves.

    python -m examples.webinar

Two participants speak the client protocol, and everything they ask and hear is printed. Media is synthetic:
the point is who may publish when, and that the server says so.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from examples.server import credentials, parser, run
from sfu.bot import Bot, BotOptions, Organization, RefusedError, VideoSpec
from sfu.webrtc.certificate import Certificate

CAMERA = VideoSpec((1,), packets_per_second=100.0)


async def ask(bot: Bot, name: str, kind: str, **fields: object) -> None:
    """Make a request, and print what was asked and what came of it."""
    try:
        result = await bot.signalling.request(kind, **fields)
    except RefusedError as error:
        print(f"{name:>7}: {kind:<14} -> refused: {error.name} ({error.code})")
    else:
        print(f"{name:>7}: {kind:<14} -> {result.get('status', 'done')}")


async def try_to_publish(bot: Bot, name: str) -> None:
    try:
        await bot.publish([CAMERA])
    except RefusedError as error:
        print(f"{name:>7}: publish        -> refused: {error.name} ({error.code})")
        bot.forget_media()
    else:
        print(f"{name:>7}: publish        -> on air")
        assert bot.publisher is not None
        bot.publisher.start()


async def hear(bot: Bot, name: str, kind: str, **wanted: object) -> None:
    """Wait for an event, and print it."""
    event = await bot.wait_for(
        lambda one: one["type"] == kind and all(one.get(key) == value for key, value in wanted.items()),
        f"the event {kind}",
    )
    told = {key: event[key] for key in ("status", "action", "reason", "publication_id") if event.get(key)}
    print(f"{name:>7}: hears {kind}: {told}")


async def webinar(arguments: argparse.Namespace) -> None:
    key = credentials(arguments)
    certificate = Certificate.generate(datetime.now(UTC))
    async with Organization(key) as organization:
        meeting = await organization.create_meeting("A webinar")
        host_token = await organization.create_participant(meeting, "Host", "webinar_presenter")
        guest_token = await organization.create_participant(meeting, "Guest", "webinar_viewer")
    host = Bot(key.base_url, host_token, BotOptions(certificate, auto_subscribe=True, ssrc_base=1000))
    guest = Bot(key.base_url, guest_token, BotOptions(certificate, ssrc_base=3000))
    try:
        await host.join()
        await guest.join()
        print(f"   host: is {host.state['me']['stage_status']}")
        print(f"  guest: is {guest.state['me']['stage_status']}")
        await try_to_publish(guest, "guest")
        await ask(guest, "guest", "stage_request")
        await hear(host, "host", "stage_requests")
        await ask(host, "host", "stage_grant", peer_ids=[guest.peer_id])
        await hear(guest, "guest", "stage_status", action="grant")
        await ask(guest, "guest", "stage_join")
        await try_to_publish(guest, "guest")
        await hear(host, "host", "publication_added")
        await ask(guest, "guest", "stage_leave")
        await hear(host, "host", "publication_removed")
        await ask(guest, "guest", "stage_leave")
    finally:
        await guest.leave()
        await host.leave()


def main() -> None:
    run(webinar(parser(__doc__).parse_args()))


if __name__ == "__main__":
    main()
