"""Targets that are text: SDP from offer to answer, ICE fragments, and frames of the client protocol."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from sfu.errors import SdpError
from sfu.rtp.negotiation import choose_publish
from sfu.webrtc.description import LocalTransport, publish_answer
from sfu.webrtc.sdp import parse_sdp, to_sdp
from signaling.protocol.envelope import MalformedFrame, parse_request
from signaling.protocol.sdpfrag import FragmentError, parse_fragment
from tests.fuzz.target import Target
from tests.vectors import sdp

LOCAL = LocalTransport(
    ufrag="abcd",
    pwd="a password of the right length",
    fingerprint=":".join(["AB"] * 32),
    candidates=(),
)


def negotiate(data: bytes) -> None:
    """RFC 8866, 8829: an offer, what we choose of it, and our answer, which has to be readable again."""
    with suppress(SdpError):
        offer = parse_sdp(data.decode("utf-8", "surrogateescape"))
        parse_sdp(to_sdp(offer))
        chosen = {one.mid: parameters for one in offer.sections if (parameters := choose_publish(one))}
        parse_sdp(to_sdp(publish_answer(offer, chosen, LOCAL)))


def sdp_seeds() -> Sequence[bytes]:
    return tuple(sdp.read(name).encode() for name in sdp.NAMES)


def read_fragment(data: bytes) -> None:
    with suppress(FragmentError):
        parse_fragment(data.decode("utf-8", "replace"))


def fragment_seeds() -> Sequence[bytes]:
    return (
        b"a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
        b"a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0\r\n"
        b"a=end-of-candidates\r\n",
    )


def read_frame(data: bytes) -> None:
    with suppress(MalformedFrame):
        parse_request(data.decode("utf-8", "replace"))


def frame_seeds() -> Sequence[bytes]:
    return (
        b'{"id": 1, "type": "join", "token": "x", "device": "desktop"}',
        b'{"id": 2, "type": "publish", "offer": "v=0", "publications": [{"mid": "0", "source": "camera",'
        b' "kind": "video"}]}',
        b'{"id": 3, "type": "subscribe", "subscriptions": [{"publication_id": "p", "preferred": null}]}',
        b'{"id": 4, "type": "report_devices", "devices": [{"id": "a", "kind": "audioinput", "label": "b"}],'
        b' "used": ["a"]}',
    )


TARGETS = (
    Target("sdp", negotiate, sdp_seeds),
    Target("sdpfrag", read_fragment, fragment_seeds),
    Target("client-protocol", read_frame, frame_seeds),
)
