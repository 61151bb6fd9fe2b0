"""Whether the system's Python can drive GStreamer's webrtcbin; ends with what is missing."""

from __future__ import annotations

ELEMENTS = (
    *("webrtcbin", "nicesrc", "dtlsenc", "srtpenc", "rtpvp8pay", "rtph264pay", "rtph265pay", "rtpopuspay"),
    *("vp8enc", "vp8dec", "openh264enc", "openh264dec", "h264parse", "opusenc", "opusdec"),
    *("x265enc", "libde265dec", "h265parse"),
)


def main() -> None:
    import gi

    for name in ("Gst", "GstSdp", "GstWebRTC"):
        gi.require_version(name, "1.0")
    from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: F401 - that they can be had is the question

    Gst.init(None)
    missing = [name for name in ELEMENTS if Gst.ElementFactory.find(name) is None]
    if missing:
        raise SystemExit("no element " + ", ".join(missing))


if __name__ == "__main__":
    main()
