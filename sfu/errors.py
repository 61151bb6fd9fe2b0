"""Everything that can go wrong in the media node, as one tree.

    SfuError
    ├── ParseError              bytes or text from outside that are not what they claim to be
    │   ├── StunError
    │   ├── RtpError
    │   ├── RtcpError
    │   ├── CodecError          a payload descriptor
    │   ├── SctpError           a packet that must not reach the SCTP stack
    │   ├── DataError           a data channel message without a proper header
    │   └── SdpError
    ├── DtlsError               a handshake that cannot go on
    ├── SrtpError               a packet that does not authenticate, or was seen before
    ├── NodeCommandError        a command of signaling that was refused
    │   └── NotFoundError       ... because it names an object that is not there
    ├── NodeLostError           the node went away
    ├── DoorError               a worker's door, or who is at it, is not to be trusted
    └── IllegalMoveError        a state machine was moved where its table has no way

Wrong input raises; a broken invariant asserts. `code` is stable and goes over the wire, the message is for a
human and says what to do.
"""

from __future__ import annotations


class SfuError(Exception):
    code = "sfu_error"


class ParseError(SfuError):
    code = "parse_error"


class StunError(ParseError):
    code = "bad_stun"


class RtpError(ParseError):
    code = "bad_rtp"


class RtcpError(ParseError):
    code = "bad_rtcp"


class CodecError(ParseError):
    code = "bad_payload"


class SctpError(ParseError):
    code = "bad_sctp"


class DataError(ParseError):
    code = "bad_data"


class SdpError(ParseError):
    code = "bad_sdp"


class DtlsError(SfuError):
    code = "dtls_failed"


class SrtpError(SfuError):
    code = "srtp_failed"


class NodeCommandError(SfuError):
    code = "command_failed"

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class NotFoundError(NodeCommandError):
    def __init__(self, noun: str, object_id: str) -> None:
        super().__init__(f"{noun}_not_found", f"there is no {noun} {object_id!r} on this node")


class NodeLostError(SfuError):
    code = "node_lost"


class DoorError(SfuError):
    code = "door"


class IllegalMoveError(SfuError):
    code = "illegal_move"
