"""What of a publisher sends, and when its packets left."""

from __future__ import annotations

from datetime import UTC, datetime

from sfu.bots.association import AssociationOptions, ClientAssociation
from sfu.bots.departures import Departures
from sfu.bots.publish import PublishTransport
from sfu.webrtc.certificate import Certificate
from sfu.webrtc.srtp import OutboundSrtp
from sfu.webrtc.srtp_profile import SrtpProfile
from tests.support.wait import wait_until


def publisher(departures: Departures | None = None) -> PublishTransport:
    association = ClientAssociation(AssociationOptions(Certificate.generate(datetime.now(UTC))))
    association.outbound = OutboundSrtp(SrtpProfile.AEAD_AES_128_GCM, bytes(16), bytes(12))
    return PublishTransport(association, ssrc_base=1000, departures=departures)


async def test_sound_and_picture_start_and_stop_apart() -> None:
    transport = publisher()
    (camera,) = transport.add_video([1]).encodings
    (microphone,) = transport.add_audio(2).encodings
    transport.start(only="audio")
    assert (camera.running, microphone.running) == (False, True)
    transport.start()
    assert (camera.running, microphone.running) == (True, True)
    transport.stop(only="video")
    assert (camera.running, microphone.running) == (False, True)
    transport.stop()
    assert (camera.running, microphone.running) == (False, False)


def test_every_packet_of_a_burst_left_when_the_burst_did() -> None:
    departures = Departures()
    transport = publisher(departures)
    (camera,) = transport.add_video([1], packets_per_second=100.0).encodings
    transport._send_burst(camera, camera.frames.next_frame(1), marker=True)
    moments = {departures.when(1, counter) for counter in range(camera.packets_sent)}
    assert camera.packets_sent == 4
    assert len(moments) == 1
    assert None not in moments
    assert departures.when(1, camera.packets_sent) is None


def test_of_a_plan_the_frame_at_the_end_does_not_count() -> None:
    transport = publisher()
    (camera,) = transport.add_video([1], packets_per_second=400.0).encodings
    (microphone,) = transport.add_audio(2).encodings
    assert (camera.planned(10.0), microphone.planned(10.0)) == (249 * 16, 499)
    assert microphone.planned(0.01) == 0


async def test_who_heeds_what_is_wanted_sends_nothing_else() -> None:
    transport = publisher()
    track = transport.add_video([1, 2], packets_per_second=400.0)
    track.publication_id = "pub"
    transport.set_wanted("pub", [False, True])
    transport.set_wanted("another", [False, False])
    low, high = track.encodings
    transport.start()
    await wait_until(lambda: high.packets_sent >= 32, "what is wanted")
    assert low.packets_sent == 0
    transport.set_wanted("pub", [True, True])
    await wait_until(lambda: low.packets_sent > 0, "what is wanted again")
    transport.stop()
