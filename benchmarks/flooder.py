"""A participant that sends as no client would, in a process of its own: `benchmarks.flood` starts it.

    python -m benchmarks.flooder KEY_FILE URL MEETING STREAM_ID SECONDS VALID RUBBISH

It joins, publishes a camera, says "ready", and waits for a line. Then it sends for SECONDS: VALID authentic
packets a second, and RUBBISH datagrams a second from the same socket: a third each that look like SRTP, STUN
and DTLS. One datagram per call, as from a network, not in trains. Prints how many of each as JSON.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from sfu.bot import Bot, BotOptions, Credentials, Organization, VideoSpec
from sfu.webrtc.certificate import Certificate

PAYLOAD = bytes(100)
RUBBISH = (
    b"\x80\x60" + os.urandom(110),
    b"\x00\x01\x00\x60" + os.urandom(108),
    b"\x17\xfe\xfd" + os.urandom(109),
)
TURN = 0.002
NICE = 5
"""Beyond that of the others' bots: it is to take no core from the server, or from them."""
SSRC_BASE = 9_000_000


async def flood(bot: Bot, seconds: float, valid: float, rubbish: float) -> dict[str, float]:
    """What was sent. Behind its rate it does not catch up: it sends what the machine lets it."""
    assert bot.publisher is not None
    publisher = bot.publisher
    (track,) = publisher.tracks
    (encoding,) = track.encodings
    channel = publisher.association.channel
    kinds = itertools.cycle(RUBBISH)
    sent = {"valid": 0, "rubbish": 0}
    begun = before = time.monotonic()
    while (now := time.monotonic()) - begun < seconds:
        elapsed, before = min(now - before, 10 * TURN), now
        for _ in range(round(valid * elapsed)):
            publisher.send_packet(encoding, PAYLOAD)
        for _ in range(round(rubbish * elapsed)):
            channel.send(next(kinds))
        sent["valid"] += round(valid * elapsed)
        sent["rubbish"] += round(rubbish * elapsed)
        await asyncio.sleep(TURN)
    return {**sent, "seconds": time.monotonic() - begun, "not_taken_by_the_socket": channel.dropped}


async def main() -> None:
    os.nice(NICE)
    key_file, url, meeting, stream_id, seconds, valid, rubbish = sys.argv[1:]
    async with Organization(Credentials.from_file(Path(key_file), url)) as organization:
        token = await organization.create_participant(meeting, "flooder", "group_call_participant")
    certificate = Certificate.generate(datetime.now(UTC))
    bot = Bot(url, token, BotOptions(certificate, batching=False, ssrc_base=SSRC_BASE))
    try:
        await bot.join()
        await bot.publish([VideoSpec((int(stream_id),), packets_per_second=50.0, payload_size=300)])
        assert bot.publisher is not None
        bot.publisher.start()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(json.dumps(await flood(bot, float(seconds), float(valid), float(rubbish))), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    finally:
        await bot.leave()


if __name__ == "__main__":
    asyncio.run(main())
