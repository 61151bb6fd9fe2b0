"""GStreamer's packetizer for H.265, in a process of its own, for `tests.support.encode_rtp`.

Run by the system's Python, which has GStreamer's bindings. Reads a line of hex for each picture (H.265 annex
B), and prints one of JSON for each: the RTP payloads in hex.

    packetize.py BYTES_OF_PAYLOAD
"""

from __future__ import annotations

import json
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp  # noqa: E402, F401 - whose import gives appsrc and appsink their methods

RTP_HEADER = 12
PIPELINE = (
    "appsrc name=in format=time caps=video/x-h265,stream-format=byte-stream,alignment=au,framerate=30/1 "
    "! h265parse ! rtph265pay mtu={mtu} aggregate-mode=zero-latency ! appsink name=out sync=false"
)


def main() -> None:
    Gst.init(None)
    pipeline = Gst.parse_launch(PIPELINE.format(mtu=RTP_HEADER + int(sys.argv[1])))
    source, sink = pipeline.get_by_name("in"), pipeline.get_by_name("out")
    pipeline.set_state(Gst.State.PLAYING)
    for number, line in enumerate(sys.stdin):
        buffer = Gst.Buffer.new_wrapped(bytes.fromhex(line))
        buffer.pts = buffer.dts = number * Gst.SECOND // 30
        source.push_buffer(buffer)
    source.end_of_stream()
    payloads: list[str] = []
    while (sample := sink.pull_sample()) is not None:
        buffer = sample.get_buffer()
        packet = buffer.extract_dup(0, buffer.get_size())
        payloads.append(packet[RTP_HEADER:].hex())
        if packet[1] & 0x80:
            sys.stdout.write(json.dumps(payloads) + "\n")
            payloads = []
    pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main()
