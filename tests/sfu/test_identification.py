"""Which producer a publisher's packets belong to, where some of them say too little."""

from __future__ import annotations

import os
import struct

from sfu.identification import Identification
from sfu.producer import Producer
from sfu.rtp.parameters import Codec, PublishParameters
from sfu.speakers import SpeakerDetector
from sfu.webrtc.srtp import InboundSrtp, OutboundSrtp, SrtpProfile
from tests.sfu.forwarding.world import vp8

VP8 = Codec("video/VP8", 96, 90000)
RTX = 97
PROFILE = SrtpProfile.AEAD_AES_128_GCM


class Client:
    """Declares an SSRC for each of its m-lines, and names none of them in its packets."""

    def __init__(self) -> None:
        key, salt = os.urandom(PROFILE.key_length), os.urandom(PROFILE.salt_length)
        self.outbound = OutboundSrtp(PROFILE, key, salt)
        self.identification = Identification(SpeakerDetector())
        self.identification.inlet.inbound = InboundSrtp(PROFILE, key, salt)
        self._sequence = 0

    def publish(self, name: str, *, mid: str, ssrc: int) -> Producer:
        producer = Producer(
            producer_id=name,
            transport_id="tp",
            mid=mid,
            source="camera",
            kind="video",
            codec=VP8,
            rids=(),
            ssrc=ssrc,
            paused=False,
        )
        parameters = PublishParameters(VP8, rtx_payload_type=RTX, ssrc=ssrc, rtx_ssrc=ssrc + 1)
        self.identification.add(producer, parameters)
        return producer

    def send(self, ssrc: int, *, payload_type: int = 96, payload: bytes | None = None) -> None:
        self._sequence += 1
        header = struct.pack("!BBHII", 0x80, payload_type, self._sequence, 0, ssrc)
        body = vp8(key=True) if payload is None else payload
        self.identification.inlet.handle_rtp([self.outbound.seal_rtp(header, body, self._sequence)], 1.0)


def packets(producer: Producer) -> int:
    return sum(encoding.stream.packets for encoding in producer.encodings)


def test_what_is_sent_on_after_its_producer_ended_is_nothing_of_another_m_line() -> None:
    client = Client()
    client.publish("first", mid="0", ssrc=10)
    client.send(10)
    client.identification.forget("first")
    second = client.publish("second", mid="1", ssrc=20)
    client.send(10)
    client.send(11, payload_type=RTX, payload=b"\x00\x01" + vp8())
    client.send(20)
    client.send(10)
    client.send(20)
    assert packets(second) == 2
    assert second.encodings[0].stream.ssrc == 20
    assert client.identification.inlet.unidentified == 3


def test_what_is_sent_on_is_of_the_next_producer_on_its_m_line() -> None:
    client = Client()
    client.publish("first", mid="0", ssrc=10)
    client.identification.forget("first")
    again = client.publish("again", mid="0", ssrc=20)
    client.send(10)
    assert packets(again) == 1
