"""Redundant audio in real browsers: sent, kept, stripped, added; and what it is good for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from tests.e2e.cast import Cast
from tests.e2e.eventually import eventually
from tests.e2e.person import Json, Person
from tests.e2e.pictures import ADA, GRACE, LINUS, Look
from tests.support.relay import Impairment, UdpRelay

pytestmark = pytest.mark.alone

REFUSE_RED = """
(() => {
  const createAnswer = RTCPeerConnection.prototype.createAnswer;
  RTCPeerConnection.prototype.createAnswer = function (...options) {
    const codecs = RTCRtpReceiver.getCapabilities("audio").codecs;
    for (const each of this.getTransceivers()) {
      if (each.receiver.track.kind !== "audio") continue;
      each.setCodecPreferences(codecs.filter(({ mimeType }) => mimeType !== "audio/red"));
    }
    return createAnswer.apply(this, options);
  };
})();
"""
"""A receiver that does not know redundant audio."""

SEND_PLAIN = """
(() => {
  const original = RTCRtpTransceiver.prototype.setCodecPreferences;
  RTCRtpTransceiver.prototype.setCodecPreferences = function (codecs) {
    return original.call(this, codecs.filter(({ mimeType }) => mimeType !== "audio/red"));
  };
})();
"""
"""A sender that does not."""

THROUGH_RELAY = """
(() => {
  const rewrite = (sdp) => sdp
    .replace(/^a=candidate:\\S+ \\d tcp .*\\r\\n/gim, "")
    .replace(/^(a=candidate:\\S+ \\d udp \\d+) \\S+ \\d+/gim, "$1 %s %d");
  const original = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
    return original.call(this, { type, sdp: type === "offer" ? rewrite(sdp) : sdp });
  };
})();
"""
"""What is received comes through a relay; what is sent does not."""

LOSSY = Impairment(loss=0.15, delay=0.01)

OpenRelay = Callable[[int], UdpRelay]


@pytest_asyncio.fixture(loop_scope="session")
async def open_relay(cast: Cast) -> AsyncIterator[OpenRelay]:
    async with AsyncExitStack() as stack:

        def open_one(seed: int) -> UdpRelay:
            relay = UdpRelay.open(("127.0.0.1", cast.server.udp_ports[0]), seed=seed)
            stack.callback(relay.close)
            return relay

        yield open_one


async def _enter(cast: Cast, look: Look, *scripts: str) -> Person:
    person = await cast.invite(look)
    for script in scripts:
        await person.page.add_init_script(script)
    await person.join()
    return person


def _payload(before: Json, after: Json) -> float:
    """Mean bytes of an Opus payload on the wire between two reports, of a sender or a receiver.

    The browser's `codecId` names Opus whether it travels in redundant packets or not; their size tells.
    """
    way = "Sent" if "packetsSent" in after else "Received"
    packets = after[f"packets{way}"] - before.get(f"packets{way}", 0)
    return float(after[f"bytes{way}"] - before.get(f"bytes{way}", 0)) / max(1, packets)


async def _sent(person: Person) -> Json:
    reports = await person.reports("publisher", "outbound-rtp")
    return next(one for one in reports if one["kind"] == "audio")


async def _payload_from_now(report: Callable[[], Awaitable[Json]]) -> float:
    """Over the next 50 packets."""
    before = await report()
    way = "packetsSent" if "packetsSent" in before else "packetsReceived"
    after = await eventually(
        report, lambda now: now[way] >= before[way] + 50, f"50 more packets after {before[way]}"
    )
    return _payload(before, after)


async def _hears(person: Person, other: Person) -> None:
    await eventually(
        lambda: person.pitch_of(other),
        lambda pitch: pitch is not None and abs(pitch - other.look.hertz) < 40,
        f"{person.look.name} hears {other.look.name} at {other.look.hertz} Hz",
    )


@pytest.mark.shows("Chromium", "publish RED", "subscribe RED", "subscribe Opus")
async def test_redundant_audio_is_kept_for_one_and_stripped_for_another(cast: Cast) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await _enter(cast, GRACE)
    linus = await _enter(cast, LINUS, REFUSE_RED)
    await asyncio.gather(_hears(grace, ada), _hears(linus, ada))
    sent, kept, stripped = await asyncio.gather(
        _payload_from_now(lambda: _sent(ada)),
        _payload_from_now(lambda: grace.received(ada, "microphone")),
        _payload_from_now(lambda: linus.received(ada, "microphone")),
    )
    assert sent > 1.6 * stripped, f"redundancy was sent: {sent:.0f} bytes, {stripped:.0f} stripped"
    assert kept > 1.6 * stripped, f"redundancy was kept: {kept:.0f} bytes, {stripped:.0f} stripped"


@pytest.mark.shows("Chromium", "publish Opus", "subscribe RED")
async def test_a_receiver_that_loses_packets_gets_redundancy_the_publisher_did_not_send(
    cast: Cast, open_relay: OpenRelay
) -> None:
    ada = await _enter(cast, ADA, SEND_PLAIN)
    relay = open_relay(3)
    grace = await _enter(cast, GRACE, THROUGH_RELAY % relay.address)
    await _hears(grace, ada)
    plain, sent = await asyncio.gather(
        _payload_from_now(lambda: grace.received(ada, "microphone")), _payload_from_now(lambda: _sent(ada))
    )
    assert plain < 1.3 * sent
    relay.impair(down=LOSSY)
    await eventually(
        lambda: _payload_from_now(lambda: grace.received(ada, "microphone")),
        lambda payload: payload > 1.6 * plain,
        f"redundancy, so packets larger than {plain:.0f} bytes, for a receiver that loses 15 %",
        timeout=40,
    )
    await _hears(grace, ada)


async def test_redundancy_hides_most_of_the_loss(cast: Cast, open_relay: OpenRelay) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    with_red, without = open_relay(5), open_relay(5)
    grace = await _enter(cast, GRACE, THROUGH_RELAY % with_red.address)
    linus = await _enter(cast, LINUS, THROUGH_RELAY % without.address, REFUSE_RED)
    await _hears(grace, ada)
    await _hears(linus, ada)
    marks = [await _concealed(person, ada) for person in (grace, linus)]
    for relay in (with_red, without):
        relay.impair(down=LOSSY)
    shares = [
        await eventually(
            lambda person=person, mark=mark: _share_since(person, ada, mark),  # type: ignore[misc]
            lambda share: share is not None,
            "eight seconds of sound",
            timeout=40,
        )
        for person, mark in zip((grace, linus), marks, strict=True)
    ]
    redundant, plain = shares
    assert redundant is not None
    assert plain is not None
    print(f"concealed with redundancy {redundant:.1%}, without {plain:.1%}")  # noqa: T201
    assert plain > 0.05, "without redundancy the loss is heard"
    # Beside what is lost, a busy machine makes up for what comes late, in both pages alike.
    assert plain - redundant > LOSSY.loss / 3


async def _concealed(person: Person, other: Person) -> tuple[float, float]:
    """Samples made up for what did not come, but for silence; and all samples."""
    report = await person.received(other, "microphone")
    made_up = report.get("concealedSamples", 0) - report.get("silentConcealedSamples", 0)
    return made_up, report.get("totalSamplesReceived", 0)


async def _share_since(person: Person, other: Person, mark: tuple[float, float]) -> float | None:
    made_up, heard = await _concealed(person, other)
    if heard - mark[1] < 8 * 48_000:
        return None
    return (made_up - mark[0]) / (heard - mark[1])
