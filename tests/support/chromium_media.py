"""Chromium sending a moving picture to a node in this process, and receiving it from there again.

No meeting, no signaling: a page with two peer connections, driven by hand, so that a test can say exactly
what is encoded, and look at the node's own state while it is forwarded.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Page, async_playwright

from sfu.config import NodeConfig
from sfu.control import messages as m
from sfu.control.in_process import InProcessLink
from sfu.producer import Producer
from tests.e2e.browsers import FLAGS, find_chromium
from tests.support.compat import note_version
from tests.support.wait import PATIENCE

Json = dict[str, Any]
SDK: Final = Path("web/packages/core/dist/rostrum.js")
"""Made by `npm run build:sdk` in web/."""

_PAGE = """
const DESCRIPTOR = "dependency-descriptor-rtp-header-extension";

const grain = (seed, width, height) => {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  let state = 1 + seed;
  for (let n = 0; n < image.data.length; n += 1) {
    state = (state * 48271) % 2147483647;
    image.data[n] = n % 4 === 3 ? 48 : state % 256;
  }
  context.putImageData(image, 0, 0);
  return canvas;
};

window.publish = async ({ mimeType, profile, width, height, encodings, hint, busy }) => {
  const canvas = document.createElement("canvas");
  canvas.width = width; canvas.height = height;
  const context = canvas.getContext("2d");
  let count = 0;
  const noise = busy ? [1, 2, 3, 4, 5].map((seed) => grain(seed, 160, 90)) : null;
  const draw = () => {
    count += 1;
    context.fillStyle = `hsl(${count % 360} 60% 40%)`;
    context.fillRect(0, 0, width, height);
    if (noise) context.drawImage(noise[count % noise.length], 0, 0, width, height);
    context.fillStyle = "white";
    for (let n = 0; n < 12; n += 1)
      context.fillRect((count * (3 + n) + 37 * n) % width, (n * height) / 12, width / 12, height / 14);
  };
  draw();
  setInterval(draw, 33);
  const track = canvas.captureStream(30).getVideoTracks()[0];
  if (hint) track.contentHint = hint;
  const pc = (window.publisher = new RTCPeerConnection());
  const transceiver = pc.addTransceiver(track, { direction: "sendonly", sendEncodings: encodings });
  const all = RTCRtpSender.getCapabilities("video").codecs;
  const wanted = (codec) => codec.mimeType === mimeType && (!profile || codec.sdpFmtpLine?.includes(profile));
  if (!all.some(wanted)) return null;
  transceiver.setCodecPreferences([...all.filter(wanted), ...all.filter((codec) => !wanted(codec))]);
  if (transceiver.getHeaderExtensionsToNegotiate) {
    const extensions = transceiver.getHeaderExtensionsToNegotiate();
    for (const one of extensions) if (one.uri.includes(DESCRIPTOR)) one.direction = "sendrecv";
    transceiver.setHeaderExtensionsToNegotiate(extensions);
  }
  await pc.setLocalDescription();
  return pc.localDescription.sdp;
};

window.subscribe = async (sdp) => {
  let pc = window.subscriber;
  if (!pc) {
    pc = window.subscriber = new RTCPeerConnection();
    window.widths = [];
    pc.ontrack = ({ track }) => {
      const video = document.createElement("video");
      video.muted = true; video.autoplay = true;
      video.srcObject = new MediaStream([track]);
      document.body.append(video);
    };
  }
  await pc.setRemoteDescription({ type: "offer", sdp });
  await pc.setLocalDescription();
  return pc.localDescription.sdp;
};

// As a player by WHEP that asks for the dependency descriptor.
window.view = async () => {
  const pc = (window.viewer = new RTCPeerConnection());
  const transceiver = pc.addTransceiver("video", { direction: "recvonly" });
  const extensions = transceiver.getHeaderExtensionsToNegotiate();
  for (const one of extensions) if (one.uri.includes(DESCRIPTOR)) one.direction = "sendrecv";
  transceiver.setHeaderExtensionsToNegotiate(extensions);
  pc.ontrack = ({ track }) => {
    const video = document.createElement("video");
    video.muted = true; video.autoplay = true;
    video.srcObject = new MediaStream([track]);
    document.body.append(video);
  };
  await pc.setLocalDescription();
  return pc.localDescription.sdp;
};

window.setWanted = async (wanted) => {
  const sender = publisher.getSenders()[0];
  const parameters = sender.getParameters();
  parameters.encodings.forEach((encoding, index) => (encoding.active = wanted[index] ?? true));
  await sender.setParameters(parameters);
};

// The time of each frame that comes out of the decoder, in milliseconds.
window.watch = async () => {
  const track = subscriber.getReceivers()[0].track.clone();
  const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
  window.frames_at = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    frames_at.push(performance.timeOrigin + performance.now());
    value.close();
  }
};

window.report = async (side, type) => {
  const all = [...(await window[side].getStats()).values()];
  return all.filter((one) => one.type === type);
};
"""


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """This browser cannot do what was asked of it."""


class ChromiumMedia:
    """One page, and the node with its router. `producer` is there once published."""

    def __init__(self, page: Page, link: InProcessLink) -> None:
        self.page = page
        self.link = link
        self.producer: Producer | None = None
        self.events: list[m.Event] = []
        self._tasks: set[asyncio.Future[Any]] = set()
        self._follows_wanted = False
        link.on_event(self._handle_event)

    async def publish(
        self,
        mime: str,
        encodings: list[Json],
        *,
        width: int = 640,
        height: int = 360,
        profile: str | None = None,
        hint: str | None = None,
        busy: bool = False,
    ) -> Producer:
        """Raises `Refused` where the browser cannot encode that. A `busy` picture takes what bits it gets."""
        try:
            offer = await self.page.evaluate(
                "(wanted) => publish(wanted)",
                {
                    "mimeType": mime,
                    "profile": profile,
                    "width": width,
                    "height": height,
                    "encodings": encodings,
                    "hint": hint,
                    "busy": busy,
                },
            )
        except Exception as error:
            raise Refused(str(error)) from error
        if offer is None:
            raise Refused(f"this Chromium cannot encode {mime}")
        camera = m.Grant(source="camera", kind="video")
        await self.link.request(
            m.CreateTransport(router_id="r", transport_id="tp", direction="publish", grants=(camera,))
        )
        spec = m.ProducerSpec(producer_id="pr", mid="0", source="camera", kind="video")
        reply = await self.link.request(m.HandleOffer(transport_id="tp", sdp=offer, producers=(spec,)))
        assert isinstance(reply, m.Answered)
        await self.page.evaluate(
            "(sdp) => publisher.setRemoteDescription({ type: 'answer', sdp })", reply.sdp
        )
        self.producer = self.link.node.producers["pr"]
        return self.producer

    async def subscribe(
        self, preferred: m.LayerSpec | None = None, *, through: Callable[[str], str] = str
    ) -> None:
        """`through` is applied to the node's offer: a relay's `rewrite`, for example."""
        await self.link.request(m.CreateTransport(router_id="r", transport_id="ts", direction="subscribe"))
        spec = m.ConsumerSpec(consumer_id="cs", producer_id="pr", preferred=preferred)
        await self.link.request(m.Consume(transport_id="ts", consumers=(spec,)))
        offer = await self._next_offer()
        answer = await self.page.evaluate("(sdp) => subscribe(sdp)", through(offer.sdp))
        await self.link.request(m.HandleAnswer(transport_id="ts", version=offer.version, sdp=answer))

    async def view(self) -> None:
        """Receive it once more, by the page's own offer (WHEP), which asks for the dependency descriptor."""
        offer = await self.page.evaluate("view()")
        await self.link.request(
            m.CreateTransport(router_id="r", transport_id="tv", direction="subscribe", client_offers=True)
        )
        spec = m.ConsumerSpec(consumer_id="cv", producer_id="pr", mid="0")
        reply = await self.link.request(m.HandleViewOffer(transport_id="tv", sdp=offer, consumers=(spec,)))
        assert isinstance(reply, m.ViewAnswered)
        await self.page.evaluate("(sdp) => viewer.setRemoteDescription({ type: 'answer', sdp })", reply.sdp)

    async def prefer(self, spatial: int, temporal: int) -> None:
        layer = m.LayerSpec(spatial=spatial, temporal=temporal)
        await self.link.request(m.SetPreferredLayer(consumer_id="cs", preferred=layer))

    def follow_wanted(self) -> None:
        """Stop layers at the publisher while nobody receives them, as the web client does."""
        self._follows_wanted = True

    async def keep_playout_delay(self) -> None:
        """Let received media wait for repairs as the web client does: by its SDK, built before."""
        await self.page.evaluate(
            """async (sdk) => {
              const { keepPlayoutDelay, browserClock } = await import(`data:text/javascript;base64,${sdk}`);
              keepPlayoutDelay(subscriber, browserClock);
            }""",
            b64encode(SDK.read_bytes()).decode(),
        )

    async def watch(self) -> None:
        """Note from now on when frames come out of the decoder."""
        await self.page.evaluate("() => void watch()")

    async def frame_times(self) -> list[float]:
        """Seconds since the epoch of each frame since the last call."""
        times: list[float] = await self.page.evaluate("() => frames_at.splice(0)")
        return [at / 1000 for at in times]

    async def received(self, by: str = "subscriber") -> Json:
        """`by`: the "viewer" is the connection that `view` makes."""
        reports: list[Json] = await self.page.evaluate("(by) => report(by, 'inbound-rtp')", by)
        return reports[0] if reports else {}

    async def sent(self) -> list[Json]:
        reports: list[Json] = await self.page.evaluate("report('publisher', 'outbound-rtp')")
        return reports

    def _handle_event(self, event: m.Event) -> None:
        self.events.append(event)
        if self._follows_wanted and isinstance(event, m.LayersWanted) and not self.page.is_closed():
            task = asyncio.ensure_future(self.page.evaluate("(all) => setWanted(all)", list(event.encodings)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _next_offer(self) -> m.OfferReady:
        async with asyncio.timeout(PATIENCE):
            while True:
                for position, event in enumerate(self.events):
                    if isinstance(event, m.OfferReady):
                        del self.events[position]
                        return event
                await asyncio.sleep(0.01)


@asynccontextmanager
async def chromium_media() -> AsyncIterator[ChromiumMedia]:
    """In a browser of its own."""
    async with plain_chromium() as browser, media_in(browser) as media:
        yield media


@asynccontextmanager
async def plain_chromium() -> AsyncIterator[Browser]:
    """Without a camera: one that is for pages of `media_in`."""
    executable = find_chromium()
    assert executable is not None, "there is no Chromium on the PATH"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def media_in(browser: Browser) -> AsyncIterator[ChromiumMedia]:
    """With a node and a page of its own, in a context that nothing else has."""
    note_version("Chromium", browser.version)
    link = await InProcessLink.start(NodeConfig("nd_test", hosts=("127.0.0.1",), udp_port=0))
    await link.request(m.CreateRouter(router_id="r"))
    page = await browser.new_page()
    try:
        await page.evaluate(f"() => {{{_PAGE}}}")
        yield ChromiumMedia(page, link)
    finally:
        await page.close()
        await link.close()
