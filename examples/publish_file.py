"""A machine as a participant: aiortc joins a meeting and publishes a video file into it.

    python -m examples.publish_file --seconds 60

Makes a small film with PyAV (or takes `--file film.mp4`), creates a meeting, prints a link to watch it, joins
as "Projector" and plays. With `--meeting ID` it plays into a meeting that exists.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer

from examples.server import credentials, parser, run
from sfu.bot import BotError, Organization

WIDTH, HEIGHT, FRAMES_PER_SECOND = 480, 270, 25


def make_film(path: Path, seconds: int) -> None:
    """Write an MP4: a disc that wanders over a gradient that changes colour."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "ultrafast"}
        rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
        for number in range(seconds * FRAMES_PER_SECOND):
            turn = 2 * np.pi * number / (5 * FRAMES_PER_SECOND)
            picture = np.empty((HEIGHT, WIDTH, 3), dtype=np.uint8)
            picture[..., 0] = rows * 255 // HEIGHT
            picture[..., 1] = columns * 255 // WIDTH
            picture[..., 2] = 128 + int(127 * np.sin(turn))
            x, y = WIDTH / 2 + 150 * np.cos(turn), HEIGHT / 2 + 80 * np.sin(2 * turn)
            picture[(columns - x) ** 2 + (rows - y) ** 2 < 40**2] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


class Projector:
    """One participant on a WebSocket that publishes a player's tracks."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str) -> None:
        self._http = http
        self._url = base_url + "/v2/ws"
        self._next_id = 1
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))

    async def show(self, token: str, player: MediaPlayer, seconds: float) -> None:
        """Join, publish, stay for a while, leave."""
        async with self._http.ws_connect(self._url) as socket:
            try:
                joined = await self._request(socket, "join", token=token, device="bot")
                print(f"joined session {joined['session_id']} as {joined['peer_id']}")
                await self._publish(socket, player)
                await self._stay(socket, seconds)
                await self._request(socket, "leave")
            finally:
                await self._connection.close()

    async def _publish(self, socket: aiohttp.ClientWebSocketResponse, player: MediaPlayer) -> None:
        """Offer what the file has. Announce first, then offer: the server answers what it allows."""
        lines = []
        for track, source in ((player.video, "camera"), (player.audio, "microphone")):
            if track is not None:
                lines.append((self._connection.addTransceiver(track, direction="sendonly"), source))
        await self._connection.setLocalDescription(await self._connection.createOffer())
        published = await self._request(
            socket,
            "publish",
            offer=self._connection.localDescription.sdp,
            publications=[{"mid": line.mid, "source": source, "kind": line.kind} for line, source in lines],
        )
        answer = RTCSessionDescription(published["answer"], "answer")
        await self._connection.setRemoteDescription(answer)
        for item in published["publications"]:
            print(f"publishing {item['source']} as {item['codec']}")

    async def _request(
        self, socket: aiohttp.ClientWebSocketResponse, kind: str, **fields: object
    ) -> dict[str, Any]:
        """Send a request and wait for its response; the events in between are not for us."""
        number, self._next_id = self._next_id, self._next_id + 1
        await socket.send_json({"id": number, "type": kind, **fields})
        async for frame in socket:
            message = json.loads(frame.data)
            if message.get("id") == number:
                if not message["ok"]:
                    raise BotError(f"{kind}: {message['error']['name']}: {message['error']['message']}")
                return dict(message["result"])
        raise BotError("the server closed the socket")

    async def _stay(self, socket: aiohttp.ClientWebSocketResponse, seconds: float) -> None:
        """Keep reading, so that the server's events do not pile up."""
        try:
            async with asyncio.timeout(seconds):
                async for frame in socket:
                    event = json.loads(frame.data).get("event", {})
                    if event.get("type") == "peer_joined":
                        print(f"{event['peer']['name']} is here")
            raise BotError("the server closed the socket")
        except TimeoutError:
            print("the film is over")


async def publish_file(arguments: argparse.Namespace) -> None:
    key = credentials(arguments)
    async with Organization(key) as organization, aiohttp.ClientSession() as http:
        meeting = arguments.meeting or await organization.create_meeting("A film")
        viewer = await organization.create_participant(meeting, "Viewer", "group_call_participant")
        token = await organization.create_participant(meeting, "Projector", "group_call_host")
        print(f"watch: {key.base_url}/meet/#token={viewer}")
        with tempfile.TemporaryDirectory() as directory:
            film = arguments.file
            if film is None:
                film = Path(directory) / "film.mp4"
                make_film(film, seconds=10)
            player = MediaPlayer(str(film), loop=True)
            await Projector(http, key.base_url).show(token, player, arguments.seconds)


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--file", type=Path, help="a film to play [a generated one]")
    made.add_argument("--meeting", help="id of the meeting [a new one]")
    made.add_argument("--seconds", type=float, default=60.0, help="how long to play [60]")
    run(publish_file(made.parse_args()))


if __name__ == "__main__":
    main()
