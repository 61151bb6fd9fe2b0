"""SRTP against the numbers printed in RFC 3711 appendix B and RFC 7714 sections 16 and 17."""

from __future__ import annotations

import pytest

from sfu.webrtc.srtp import OutboundSrtp, SrtpProfile
from sfu.webrtc.srtp_gcm import GcmInbound, GcmOutbound
from sfu.webrtc.srtp_profile import SessionKeys, derive_key

# RFC 3711 appendix B.3; the RTCP keys of the same master are not printed there but well known.
MASTER_KEY = bytes.fromhex("e1f97a0d3e018be0d64fa32c06de4139")
MASTER_SALT = bytes.fromhex("0ec675ad498afeebb6960b3aabe6")

# RFC 7714: "Gallia est omnis divisa in partes tres", with the salt "Quid pro quo".
KEY = bytes(range(32))
SALT = b"Quid pro quo"
RTP_HEADER = bytes.fromhex("8040f17b8041f8d35501a0b2")
RTP_PAYLOAD = b"Gallia est omnis divisa in partes tres"
RTP_SSRC, RTP_SEQUENCE = 0x5501A0B2, 0xF17B
SEALED_RTP = {
    16: "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
    "899d7f27beb16a9152cf765ee4390cce",
    32: "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b"
    "7aa3db36dfffd6b0f9bb7878d7a76c13",
}
RTCP = bytes.fromhex(
    "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"
)
RTCP_INDEX = 0x5D4
SEALED_RTCP = {
    16: "81c8000d4d617273"
    "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb927"
    "5bc84aa45896cf4d2fc5abf87245d9eade800005d4",
    32: "81c8000d4d617273"
    "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6f"
    "ad1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
}
TAGGED_RTCP = RTCP + bytes.fromhex("841dd9683dd78ec92ae58790125f62b3000005d4")
both_key_sizes = pytest.mark.parametrize("size", [16, 32])


def session_keys(size: int) -> SessionKeys:
    """The vectors begin behind key derivation: these are session keys."""
    return SessionKeys(KEY[:size], SALT, KEY[:size], SALT)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (0x00, "c61e7a93744f39ee10734afe3ff7a087"),
        (0x01, "cebe321f6ff7716b6fd4ab49af256a156d38baa4"),
        (0x02, "30cbbc08863d8c85d49db34a9ae1"),
        (0x03, "4c1aa45a81f73d61c800bbb00fbb1eaa"),
        (0x04, "8d54534feb49ae8e7993a6bd0b844fc323a93dfd"),
        (0x05, "9581c7ad87b3e530bf3e4454a8b3"),
    ],
)
def test_keys_are_derived_as_in_rfc_3711_appendix_b3(label: int, expected: str) -> None:
    assert derive_key(MASTER_KEY, MASTER_SALT, label, len(expected) // 2).hex() == expected


def test_aes_cm_seals_the_packet_of_libsrtps_own_test() -> None:
    header = bytes.fromhex("800f1234decafbadcafebabe")
    sealed = OutboundSrtp(SrtpProfile.AES128_CM_SHA1_80, MASTER_KEY, MASTER_SALT).seal_rtp(
        header, b"\xab" * 16, 0x1234
    )
    assert sealed == header + bytes.fromhex("4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb")


@both_key_sizes
def test_rtp_is_sealed_as_in_rfc_7714_section_16(size: int) -> None:
    out = GcmOutbound(session_keys(size))
    assert out.seal_rtp(RTP_HEADER, RTP_PAYLOAD, RTP_SEQUENCE) == RTP_HEADER + bytes.fromhex(SEALED_RTP[size])
    again = out.encrypt_of(RTP_SSRC)(RTP_SEQUENCE, RTP_PAYLOAD, RTP_HEADER)
    assert again.hex() == SEALED_RTP[size]


@both_key_sizes
def test_rtp_is_opened_as_in_rfc_7714_section_16(size: int) -> None:
    inbound = GcmInbound(session_keys(size), max_ssrcs=1)
    sealed = RTP_HEADER + bytes.fromhex(SEALED_RTP[size])
    assert inbound.open_rtp(sealed, 12, RTP_SSRC, RTP_SEQUENCE) == RTP_PAYLOAD


@both_key_sizes
def test_rtcp_is_opened_as_in_rfc_7714_section_17(size: int) -> None:
    inbound = GcmInbound(session_keys(size), max_ssrcs=1)
    assert inbound.open_rtcp(bytes.fromhex(SEALED_RTCP[size])) == RTCP


@both_key_sizes
def test_rtcp_is_sealed_as_in_rfc_7714_section_17(size: int) -> None:
    out = GcmOutbound(session_keys(size))
    for _ in range(RTCP_INDEX):
        out.seal_rtcp(RTCP)
    assert out.seal_rtcp(RTCP).hex() == SEALED_RTCP[size]


def test_rtcp_that_is_authenticated_but_not_encrypted_is_opened_as_in_section_17_3() -> None:
    inbound = GcmInbound(session_keys(16), max_ssrcs=1)
    assert inbound.open_rtcp(TAGGED_RTCP[:20] + b"\1" + TAGGED_RTCP[21:]) is None
    assert inbound.auth_failures == 1
    assert inbound.open_rtcp(TAGGED_RTCP) == RTCP
