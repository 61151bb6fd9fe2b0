"""Targets on the way to a decrypted packet, and SCTP and data messages behind DTLS."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache

from sfu.data.message import DataMessage, parse_message
from sfu.errors import DataError, RtcpError, SctpError, StunError
from sfu.rtp.pipe_report import PipeReport, to_carried, to_rate, to_wish
from sfu.webrtc import stun
from sfu.webrtc.certificate import Certificate
from sfu.webrtc.dtls import DtlsEndpoint, DtlsRole
from sfu.webrtc.dtls_records import split_records
from sfu.webrtc.ice import username_fragment
from sfu.webrtc.sctp_guard import inspect
from tests.fuzz.target import Target, joined, parts

PASSWORD = b"a password of the right length"


def read_stun(data: bytes) -> None:
    """RFC 8489. Everything a check is asked for, too."""
    username_fragment(data)
    with suppress(StunError):
        message = stun.parse_stun(data)
        message.verify_integrity(PASSWORD)
        _ = message.unknown_attributes
        for value in ("username", "error_code", "mapped_address"):
            with suppress(StunError):
                getattr(message, value)


def stun_seeds() -> Sequence[bytes]:
    transaction = bytes(range(12))
    check = ((stun.USERNAME, b"node:client"), (stun.PRIORITY, bytes(4)), (stun.USE_CANDIDATE, b""))
    address = stun.encode_xor_address(("::1", 4000), transaction)
    return (
        stun.build_stun(stun.BINDING_REQUEST, transaction, check, key=PASSWORD),
        stun.build_stun(stun.BINDING_SUCCESS, transaction, ((stun.XOR_MAPPED_ADDRESS, address),)),
        stun.build_stun(
            stun.BINDING_ERROR, transaction, ((stun.ERROR_CODE, stun.encode_error(487, "Role Conflict")),)
        ),
    )


@cache
def _certificate(_owner: str) -> Certificate:
    return Certificate.generate(datetime.now(UTC))


def _endpoint(role: DtlsRole) -> DtlsEndpoint:
    other = "server" if role is DtlsRole.CLIENT else "client"
    own = "client" if role is DtlsRole.CLIENT else "server"
    fingerprints = [("sha-256", _certificate(other).fingerprint)]
    return DtlsEndpoint(_certificate(own), role, expected_fingerprints=fingerprints)


def shake_hands(data: bytes) -> None:
    """RFC 6347: datagrams before and during a handshake, then a client that means well.

    A stranger's records may delay nothing: the handshake that follows has to succeed (ASVS 17.2.6), as long
    as no record among them was a ClientHello, which the server cannot tell from its client's.
    """
    server = _endpoint(DtlsRole.SERVER)
    hello = False
    for datagram in parts(data):
        hello |= any(record[:1] == b"\x16" for record in split_records(datagram))
        server.handle_datagram(datagram)
        server.poll_datagrams()
    if hello:
        return
    client = _endpoint(DtlsRole.CLIENT)
    for _ in range(8):
        for datagram in client.poll_datagrams():
            server.handle_datagram(datagram)
        for datagram in server.poll_datagrams():
            client.handle_datagram(datagram)
    assert server.state.name == client.state.name == "CONNECTED"


def dtls_seeds() -> Sequence[bytes]:
    client, server = _endpoint(DtlsRole.CLIENT), _endpoint(DtlsRole.SERVER)
    flight = client.poll_datagrams()
    seeds = [joined(flight)]
    for datagram in flight:
        server.handle_datagram(datagram)
    seeds.append(joined(server.poll_datagrams()))
    # A fatal alert, application data and a heartbeat, all in the clear.
    plain = (b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28", b"\x17\xfe\xfd" + bytes(8) + b"\x00\x01x")
    return (*seeds, joined(plain), b"\x18\xfe\xfd" + bytes(10))


def read_sctp(data: bytes) -> None:
    with suppress(SctpError):
        inspect(data)


def sctp_seeds() -> Sequence[bytes]:
    header = b"\x13\x88\x13\x88" + bytes(8)
    init = b"\x01\x00\x00\x1c" + bytes(4) + b"\x00\x02\x00\x00" + b"\xff\xff\xff\xff" + bytes(4)
    parameter = b"\xc0\x00\x00\x04\x80\x08\x00\x06\xc0\x82\x00\x00"
    data = b"\x00\x03\x00\x15" + bytes(12) + b"hello\0\0\0"
    sack = b"\x03\x00\x00\x14" + bytes(8) + b"\x00\x01\x00\x00\x00\x02\x00\x04"
    return (header + init + parameter, header + data + sack, header + b"\xc0\x00\x00\x08" + bytes(4))


def read_data_message(data: bytes) -> None:
    with suppress(DataError):
        assert isinstance(parse_message(data), DataMessage)


def data_message_seeds() -> Sequence[bytes]:
    headers = (b'{"to": ["peer_1"], "topic": "cursor"}', b"{}")
    return tuple(len(header).to_bytes(2, "big") + header + b"payload" for header in headers)


def read_pipe_report(data: bytes) -> None:
    with suppress(RtcpError):
        for _, value in PipeReport.parse(data).entries:
            to_rate(value)
            for read in (to_wish, to_carried):
                with suppress(RtcpError):
                    read(value)


def pipe_report_seeds() -> Sequence[bytes]:
    return (b"\x81\xcc\x00\x04" + bytes(4) + b"RPIP" + bytes(8),)


TARGETS = (
    Target("stun", read_stun, stun_seeds),
    Target("dtls", shake_hands, dtls_seeds),
    Target("sctp", read_sctp, sctp_seeds),
    Target("data-message", read_data_message, data_message_seeds),
    Target("pipe-report", read_pipe_report, pipe_report_seeds),
)
