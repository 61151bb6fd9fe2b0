"""A participant whose WebRTC is aiortc's: an independent client, with real codecs, jitter buffers and DTLS.

It speaks the client protocol like a browser: one connection to publish on (it offers), one to subscribe with
(it answers), and takes what it is offered. aiortc leaves loopback out when it gathers addresses;
`gather_loopback` makes it use nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial

import aioice.ice
import aiortc
import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from sfu.bot import BotError
from sfu.bots.signalling import Message, Signalling
from tests.support.compat import note_version
from tests.support.wait import wait_until

note_version("aiortc", aiortc.__version__)

CONFIGURATION = RTCConfiguration(iceServers=[])
Rewrite = Callable[[str], str]


@contextlib.contextmanager
def gather_loopback() -> Iterator[None]:
    """While this is open, aiortc gathers 127.0.0.1 and nothing else."""
    original = aioice.ice.get_host_addresses
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
    try:
        yield
    finally:
        aioice.ice.get_host_addresses = original


class ColorTrack(MediaStreamTrack):
    """Video in one colour (Y, U, V) with a white bar that moves, so that no two frames are alike."""

    kind = "video"

    def __init__(self, yuv: tuple[int, int, int], *, width: int = 320, height: int = 240) -> None:
        super().__init__()
        self.yuv = yuv
        self.frames = 0
        self._width = width
        self._height = height
        self._begun: float | None = None

    async def recv(self) -> av.VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        loop = asyncio.get_running_loop()
        if self._begun is None:
            self._begun = loop.time()
        await asyncio.sleep(max(0.0, self._begun + self.frames / 20 - loop.time()))
        picture = np.empty((self._height * 3 // 2, self._width), dtype=np.uint8)
        picture[: self._height] = self.yuv[0]
        bar = self.frames * 4 % self._width
        picture[: self._height // 8, bar : bar + 8] = 235
        chroma = picture[self._height :].reshape(2, -1)
        chroma[0], chroma[1] = self.yuv[1], self.yuv[2]
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = self.frames * 4500
        frame.time_base = Fraction(1, 90_000)
        self.frames += 1
        return frame


class ToneTrack(MediaStreamTrack):
    """A sine, 48 kHz mono, in frames of 20 ms."""

    kind = "audio"

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self._hertz = hertz
        self._position = 0
        self._begun: float | None = None

    async def recv(self) -> av.AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        loop = asyncio.get_running_loop()
        if self._begun is None:
            self._begun = loop.time()
        await asyncio.sleep(max(0.0, self._begun + self._position / 48_000 - loop.time()))
        times = (self._position + np.arange(960)) / 48_000
        samples = (8000 * np.sin(2 * np.pi * self._hertz * times)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 48_000
        frame.pts = self._position
        frame.time_base = Fraction(1, 48_000)
        self._position += 960
        return frame


@dataclass(slots=True)
class Received:
    """What came of one publication, decoded. `last_video` is YUV 4:2:0, `last_audio` the latest samples."""

    frames: int = 0
    last_video: np.ndarray | None = None
    last_audio: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int16))
    task: asyncio.Task[None] | None = None

    def mean_yuv(self) -> tuple[float, float, float] | None:
        """Mean colour of the last picture below its bar."""
        if self.last_video is None:
            return None
        rows = self.last_video.shape[0] * 2 // 3
        chroma = self.last_video[rows:].reshape(2, -1)
        luma = self.last_video[rows // 4 : rows]
        return float(luma.mean()), float(chroma[0].mean()), float(chroma[1].mean())

    def loudest_hertz(self) -> float | None:
        """The strongest frequency of the last half second; None while there is not that much sound."""
        if len(self.last_audio) < 24_000 or np.abs(self.last_audio).max() < 100:
            return None
        samples = self.last_audio[-24_000:].astype(np.float64)
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
        return float(spectrum.argmax() * 48_000 / len(samples))


@dataclass(frozen=True, slots=True)
class DataReceived:
    label: str
    sender: str
    topic: str
    payload: bytes


class AiortcPeer:
    """One participant. `received` holds what it gets, by publication id, `messages` what came as data."""

    def __init__(self, base_url: str, *, rewrite: Rewrite | None = None) -> None:
        self.received: dict[str, Received] = {}
        self.publications: dict[str, Message] = {}
        self.messages: list[DataReceived] = []
        self.channels: dict[str, RTCDataChannel] = {}
        self.peer_id = ""
        self.events: list[Message] = []
        self.problems: list[str] = []
        self.publish_connection: RTCPeerConnection | None = None
        self.subscribe_connection: RTCPeerConnection | None = None
        self.signalling = Signalling(base_url, self._handle_event)
        self._base_url = base_url
        self._resume_token = ""
        self._rewrite = rewrite or (lambda sdp: sdp)
        self._todo: asyncio.Queue[Message] = asyncio.Queue()
        self._worker: asyncio.Task[None] | None = None

    async def join(self, token: str) -> Message:
        """Join; what others have published already is subscribed to at once."""
        await self.signalling.open()
        state = await self.signalling.join(token)
        self.peer_id = state["peer_id"]
        self._resume_token = state["resume_token"]
        self._worker = asyncio.create_task(self._work())
        for publication in state["publications"]:
            self._todo.put_nowait({"type": "publication_added", "publication": publication})
        return state

    async def resume(self) -> None:
        """On a new socket, after the old one was lost; connections and channels stay."""
        await self.signalling.close()
        last_seq = self.signalling.last_seq
        self.signalling = Signalling(self._base_url, self._handle_event)
        await self.signalling.open()
        resumed = await self.signalling.resume(self._resume_token, last_seq)
        self._resume_token = resumed["resume_token"]

    async def open_data(self) -> None:
        """Make both data channels; what comes on them is kept in `messages`."""
        connection = self._publishing()
        self.channels = {
            "reliable": connection.createDataChannel("reliable"),
            "lossy": connection.createDataChannel("lossy", ordered=False, maxRetransmits=0),
        }
        for label, channel in self.channels.items():
            channel.on("message", partial(self._handle_message, label))
        await self._negotiate([])
        await wait_until(
            lambda: all(channel.readyState == "open" for channel in self.channels.values()),
            lambda: f"open data channels, {[one.readyState for one in self.channels.values()]}",
        )

    def send(
        self, payload: bytes, *, label: str = "reliable", to: list[str] | None = None, topic: str = ""
    ) -> None:
        """One data message, with the header of the protocol."""
        header = json.dumps({"topic": topic} if to is None else {"to": to, "topic": topic}).encode()
        self.channels[label].send(len(header).to_bytes(2, "big") + header + payload)

    def _handle_message(self, label: str, data: bytes | str) -> None:
        assert isinstance(data, bytes), "data messages are binary"
        end = 2 + int.from_bytes(data[:2], "big")
        header = json.loads(data[2:end])
        self.messages.append(DataReceived(label, header["from"], header["topic"], data[end:]))

    async def publish(self, tracks: Sequence[tuple[MediaStreamTrack, str]]) -> list[Message]:
        """Publish tracks under their sources; gives the publications."""
        connection = self._publishing()
        transceivers = [
            (connection.addTransceiver(track, direction="sendonly"), source) for track, source in tracks
        ]
        return await self._negotiate(transceivers)

    def _publishing(self) -> RTCPeerConnection:
        if self.publish_connection is None:
            self.publish_connection = RTCPeerConnection(CONFIGURATION)
        return self.publish_connection

    async def _negotiate(self, transceivers: Sequence[tuple[RTCRtpTransceiver, str]]) -> list[Message]:
        connection = self._publishing()
        with gather_loopback():
            await connection.setLocalDescription(await connection.createOffer())
        result = await self.signalling.request(
            "publish",
            offer=connection.localDescription.sdp,
            publications=[
                {"mid": transceiver.mid, "source": source, "kind": transceiver.kind}
                for transceiver, source in transceivers
            ],
        )
        answer = RTCSessionDescription(self._rewrite(result["answer"]), "answer")
        await connection.setRemoteDescription(answer)
        return list(result["publications"])

    async def unsubscribe(self, publication_id: str) -> None:
        await self.signalling.request("unsubscribe", publication_ids=[publication_id])

    async def close(self) -> None:
        """Close everything without saying goodbye. Idempotent."""
        tasks = [self._worker, *(one.task for one in self.received.values())]
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
        for connection in (self.publish_connection, self.subscribe_connection):
            if connection is not None:
                await connection.close()
        await self.signalling.close()

    # --- inside ----------------------------------------------------------------------------------------

    def _handle_event(self, event: Message) -> None:
        self.events.append(event)
        if event["type"] in ("publication_added", "subscribe_offer"):
            self._todo.put_nowait(event)

    async def _work(self) -> None:
        while True:
            event = await self._todo.get()
            try:
                if event["type"] == "subscribe_offer":
                    await self._answer(event)
                else:
                    publication = event["publication"]
                    self.publications[publication["publication_id"]] = publication
                    wanted = [{"publication_id": publication["publication_id"]}]
                    await self.signalling.request("subscribe", subscriptions=wanted)
            except BotError as error:
                self.problems.append(f"{event['type']}: {error}")

    async def _answer(self, event: Message) -> None:
        if self.subscribe_connection is None:
            self.subscribe_connection = RTCPeerConnection(CONFIGURATION)
        connection = self.subscribe_connection
        offer = RTCSessionDescription(self._rewrite(event["offer"]), "offer")
        await connection.setRemoteDescription(offer)
        with gather_loopback():
            await connection.setLocalDescription(await connection.createAnswer())
        await self.signalling.request(
            "subscribe_answer", version=event["version"], answer=connection.localDescription.sdp
        )
        by_mid = {transceiver.mid: transceiver for transceiver in connection.getTransceivers()}
        for item in event["mids"]:
            if item["publication_id"] not in self.received:
                self._receive(item["publication_id"], by_mid[item["mid"]])

    def _receive(self, publication_id: str, transceiver: RTCRtpTransceiver) -> None:
        received = self.received[publication_id] = Received()
        received.task = asyncio.create_task(drain(transceiver.receiver.track, received))


async def drain(track: MediaStreamTrack, received: Received) -> None:
    """Take decoded frames until the track ends."""
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        received.frames += 1
        if isinstance(frame, av.VideoFrame):
            received.last_video = frame.to_ndarray(format="yuv420p")
        elif isinstance(frame, av.AudioFrame):
            samples = frame.to_ndarray().reshape(-1)[:: len(frame.layout.channels)]
            received.last_audio = np.concatenate((received.last_audio, samples))[-48_000:]
