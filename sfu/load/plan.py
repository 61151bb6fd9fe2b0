"""What a load consists of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from sfu.webrtc.srtp_profile import SrtpProfile

MAX_BOTS = 5000

SrtpChoice = Literal["gcm", "cm"]
VerifyChoice = Literal["sample", "all"]

PROFILES: dict[SrtpChoice, tuple[SrtpProfile, ...]] = {
    "gcm": (SrtpProfile.AEAD_AES_128_GCM,),
    "cm": (SrtpProfile.AES128_CM_SHA1_80,),
}


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """`publishers` and `subscribers` are per room; rates are packets per second, sizes RTP payload bytes.

    `seconds` is the measured window, `warm_up` the media before it. With `mesh` publishers receive each
    other as well.
    """

    rooms: int = 1
    publishers: int = 1
    subscribers: int = 1
    video: bool = True
    video_rate: float = 400.0
    packet_size: int = 1100
    audio: bool = False
    simulcast: bool = False
    mesh: bool = False
    srtp: SrtpChoice = "gcm"
    verify: VerifyChoice = "sample"
    nack: bool = False
    tcp: bool = False
    seconds: float = 10.0
    warm_up: float = 2.0
    preset: str = "group_call_participant"

    @property
    def profiles(self) -> tuple[SrtpProfile, ...]:
        return PROFILES[self.srtp]

    @property
    def bots(self) -> int:
        return self.rooms * (self.publishers + self.subscribers)

    def describe(self) -> dict[str, object]:
        """The plan as plain values, for the report."""
        return asdict(self)
