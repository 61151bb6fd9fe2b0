"""GStreamer's webrtcbin as an encoder (WHIP) or a player (WHEP), in a process of its own.

Run by the system's Python, which has GStreamer's bindings; it imports nothing of ours. Prints one JSON object
a line: what the server answered, the connection's states, and twice a second what was received. Ends, with a
DELETE of its session, when its standard input does.

    client.py publish URL TOKEN {VP8,H264,H265}
    client.py play URL TOKEN {VP8,H264,H265}
"""

from __future__ import annotations

import json
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstVideo", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

ENCODERS = {
    "VP8": "vp8enc deadline=1 cpu-used=8 target-bitrate=400000 keyframe-max-dist=600 ! rtpvp8pay pt=96",
    "H264": "openh264enc bitrate=400000 gop-size=600 complexity=low "
    "! video/x-h264,profile=constrained-baseline ! rtph264pay pt=96 config-interval=-1 "
    "aggregate-mode=zero-latency",
    # The packetizer sends the parameter sets with IDR pictures only, and not with CRA ones.
    "H265": "x265enc bitrate=400 key-int-max=600 tune=zerolatency speed-preset=ultrafast "
    "option-string=open-gop=0 "
    "! video/x-h265,profile=main ! rtph265pay pt=96 config-interval=-1 aggregate-mode=zero-latency",
}
PUBLISH = (
    "videotestsrc is-live=true pattern=smpte ! video/x-raw,width=320,height=240,framerate=20/1 "
    "! videoconvert ! {encoder} ! application/x-rtp,media=video,encoding-name={codec},payload=96{parameters} "
    "! webrtcbin name=peer bundle-policy=max-bundle "
    "audiotestsrc is-live=true freq=440 ! audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay pt=111 "
    "! application/x-rtp,media=audio,encoding-name=OPUS,payload=111 ! peer."
)
PARAMETERS = {
    "H264": ",packetization-mode=(string)1,profile-level-id=(string)42e01f",
    "H265": ",profile-id=(string)1,tier-flag=(string)0,level-id=(string)93,tx-mode=(string)SRST",
}
FEEDBACK = ",rtcp-fb-nack=true,rtcp-fb-nack-pli=true,rtcp-fb-ccm-fir=true"
VIDEO = "application/x-rtp,media=video,clock-rate=90000,payload=96,encoding-name={codec}{parameters}"
AUDIO = (
    "application/x-rtp,media=audio,clock-rate=48000,payload=111,encoding-name=OPUS,encoding-params=(string)2"
)
PLAY = {
    "VP8": "rtpvp8depay ! vp8dec",
    "H264": "rtph264depay ! h264parse ! openh264dec",
    "H265": "rtph265depay ! h265parse ! video/x-h265,stream-format=byte-stream ! libde265dec",
    "OPUS": "rtpopusdepay ! opusdec",
}


def say(**fields: Any) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


class Client:
    def __init__(self, role: str, url: str, token: str, codec: str) -> None:
        self.role, self.url, self.token, self.codec = role, url, token, codec
        self.location = ""
        self.frames = {"video": 0, "audio": 0}
        self.keyed = 0
        parameters = PARAMETERS.get(codec, "")
        if role == "publish":
            text = PUBLISH.format(encoder=ENCODERS[codec], codec=codec, parameters=parameters)
            self.pipeline = Gst.parse_launch(text)
            self.peer = self.pipeline.get_by_name("peer")
        else:
            self.pipeline = Gst.Pipeline()
            self.peer = Gst.ElementFactory.make("webrtcbin", "peer")
            self.peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
            self.pipeline.add(self.peer)
        # libnice leaves loopback out when it gathers. The agent is kept: the property of GStreamer 1.22 gives
        # it without a reference of ours, so that to let go of it would end it.
        self.agent = self.peer.get_property("ice-agent")
        self.agent.emit("add-local-ip-address", "127.0.0.1")
        self.peer.connect("notify::ice-connection-state", self._state)
        self.peer.connect("notify::ice-gathering-state", self._gathered)
        self.peer.connect("pad-added", self._pad)
        if role == "play":
            receive = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            for caps in (AUDIO, VIDEO.format(codec=codec, parameters=parameters) + FEEDBACK):
                self.peer.emit("add-transceiver", receive, Gst.Caps.from_string(caps))

    def start(self) -> None:
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _bus, message: say(error=str(message.parse_error())))
        self.pipeline.set_state(Gst.State.PLAYING)
        GLib.timeout_add(20, self._offer)
        GLib.timeout_add(500, self._report)

    def _offer(self) -> bool:
        """Once its encoders are ready: before that the offer lacks the SSRCs."""
        if any(pad.get_current_caps() is None for pad in self.peer.sinkpads):
            return True
        self.peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self._offered))
        return False

    def _offered(self, promise: Any) -> None:
        promise.wait()
        self.reply = promise.get_reply()  # owns the offer
        offer = self.reply.get_value("offer")
        self.peer.emit("set-local-description", offer, Gst.Promise.new())

    def _gathered(self, *_: Any) -> None:
        state = self.peer.get_property("ice-gathering-state")
        if state == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            threading.Thread(target=self._exchange, daemon=True).start()

    def _exchange(self) -> None:
        offer = self.peer.get_property("local-description").sdp.as_text()
        request = urllib.request.Request(
            self.url,
            offer.encode(),
            {"Content-Type": "application/sdp", "Authorization": f"Bearer {self.token}"},
        )
        try:
            with urllib.request.urlopen(request) as response:
                answer = response.read()
                self.location = urllib.parse.urljoin(self.url, response.headers["Location"])
                say(status=response.status)
        except urllib.error.HTTPError as error:
            say(status=error.code, body=error.read().decode(), offer=offer)
            return
        _, message = GstSdp.SDPMessage.new_from_text(answer.decode())
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.peer.emit("set-remote-description", description, Gst.Promise.new())

    def _pad(self, _peer: Any, pad: Any) -> None:
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        caps = pad.get_current_caps() or pad.query_caps(None)
        structure = caps.get_structure(0)
        media, name = structure.get_string("media"), structure.get_string("encoding-name")
        chain = Gst.parse_bin_from_description(
            f"queue ! {PLAY[name]} ! fakesink name=sink sync=false signal-handoffs=true", True
        )
        chain.get_by_name("sink").connect("handoff", self._decoded, media)
        self.pipeline.add(chain)
        chain.sync_state_with_parent()
        pad.link(chain.get_static_pad("sink"))

    def _decoded(self, _sink: Any, _buffer: Any, _pad: Any, media: str) -> None:
        self.frames[media] += 1

    def _state(self, *_: Any) -> None:
        say(ice=self.peer.get_property("ice-connection-state").value_nick)

    def _report(self) -> bool:
        say(frames=self.frames)
        return True

    def end(self) -> None:
        if self.location:
            request = urllib.request.Request(
                self.location, method="DELETE", headers={"Authorization": f"Bearer {self.token}"}
            )
            try:
                urllib.request.urlopen(request).close()
            except urllib.error.HTTPError as error:
                say(deleted=error.code)
        self.pipeline.set_state(Gst.State.NULL)


def main() -> None:
    Gst.init(None)
    say(version=".".join(str(number) for number in Gst.version()[:3]))
    client = Client(*sys.argv[1:5])
    loop = GLib.MainLoop()

    def watch_input() -> None:
        sys.stdin.read()
        GLib.idle_add(loop.quit)

    threading.Thread(target=watch_input, daemon=True).start()
    client.start()
    loop.run()
    client.end()


if __name__ == "__main__":
    main()
