"""WHIP and WHEP as a client sees them: SDP over HTTP, and aiortc as the WebRTC behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

from tests.support.aiortc_peer import CONFIGURATION, Received, drain, gather_loopback


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str
    headers: Mapping[str, str]
    links: tuple[str, ...] = ()


@dataclass
class HttpMedia:
    """Requests under one participant's token."""

    base_url: str
    token: str
    http: aiohttp.ClientSession = field(default_factory=aiohttp.ClientSession)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.close()

    async def call(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        """`headers` by name with underscores. Authorization is added."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent.setdefault("Authorization", f"Bearer {self.token}")
        async with self.http.request(
            method, self.base_url + path, data=None if body is None else body.encode(), headers=sent
        ) as response:
            links = tuple(response.headers.getall("Link", []))
            return Answer(response.status, await response.text(), response.headers, links)

    async def post(self, path: str, offer: str, **headers: str) -> Answer:
        return await self.call("POST", path, offer, **{"Content_Type": "application/sdp"} | headers)

    async def patch(self, path: str, fragment: str, etag: str, **headers: str) -> Answer:
        content = {"Content_Type": "application/trickle-ice-sdpfrag", "If_Match": etag}
        return await self.call("PATCH", path, fragment, **content | headers)


class HttpAiortc:
    """An aiortc client of one WHIP or WHEP session. `received` holds what it decodes, by kind."""

    def __init__(self, base_url: str, token: str) -> None:
        self.web = HttpMedia(base_url, token)
        self.connection = RTCPeerConnection(CONFIGURATION)
        self.received: dict[str, Received] = {}
        self.created: Answer | None = None

    async def publish(self, path: str, tracks: Sequence[MediaStreamTrack]) -> Answer:
        for track in tracks:
            self.connection.addTransceiver(track, direction="sendonly")
        return await self._exchange(path)

    async def view(self, path: str, kinds: Sequence[str] = ("audio", "video")) -> Answer:
        for kind in kinds:
            self.connection.addTransceiver(kind, direction="recvonly")
        answer = await self._exchange(path)
        for transceiver in self.connection.getTransceivers() if answer.status == 201 else ():
            received = self.received[transceiver.kind] = Received()
            received.task = asyncio.create_task(drain(transceiver.receiver.track, received))
        return answer

    async def end(self) -> Answer:
        assert self.created is not None
        return await self.web.call("DELETE", self.created.headers["Location"])

    async def close(self) -> None:
        """Without a word to the server over HTTP."""
        for received in self.received.values():
            if received.task is not None:
                received.task.cancel()
        await self.connection.close()
        await self.web.http.close()

    async def _exchange(self, path: str) -> Answer:
        connection = self.connection
        with gather_loopback():
            await connection.setLocalDescription(await connection.createOffer())
        answer = await self.web.post(path, connection.localDescription.sdp)
        if answer.status == 201:
            self.created = answer
            await connection.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        return answer


def roster(events: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Who is there by the events of a participant, by peer id."""
    present: dict[str, Mapping[str, Any]] = {}
    for event in events:
        if event["type"] in ("peer_joined", "peer_updated"):
            present[event["peer"]["peer_id"]] = event["peer"]
        elif event["type"] == "peer_left":
            present.pop(event["peer_id"], None)
    return present
