"""Session descriptions (RFC 8866, RFC 8829): the text clients and node exchange, as values.

Own code rather than a library's, because what comes in is hostile and what simulcast needs is usually
dropped. `parse_sdp` reads what browsers write and raises only `SdpError`; `to_sdp` prints what they expect.
Every description of ours is one BUNDLE over one transport (RFC 9143), so the transport is described once,
beside the m-sections; it is read from the first section of the bundle that is in use, or from the session.
"""

from __future__ import annotations

from sfu.errors import SdpError
from sfu.rtp.parameters import Codec, Direction, Extension, MediaSection, Rid, SsrcGroup
from sfu.webrtc.sdp_parser import parse_sdp
from sfu.webrtc.sdp_printer import Printer, to_sdp
from sfu.webrtc.session_description import SessionDescription, Setup

__all__ = [
    "Codec",
    "Direction",
    "Extension",
    "MediaSection",
    "Printer",
    "Rid",
    "SdpError",
    "SessionDescription",
    "Setup",
    "SsrcGroup",
    "parse_sdp",
    "to_sdp",
]
