"""What a preset lets each source take, in numbers: bits, frames, pixels, and how audio is to be encoded."""

from __future__ import annotations

from typing import Any

import pytest

from signaling.domain.limits import MediaLimits, limits_of
from signaling.domain.preset import Preset, parse_preset

VIDEO = {
    "qvga": (600_000, 384 * 288),
    "vga": (1_500_000, 640 * 480),
    "hd": (4_000_000, 1280 * 720),
    "fhd": (8_000_000, 1920 * 1080),
    "uhd": (20_000_000, 3840 * 2160),
}


def preset_with(**media: Any) -> Preset:
    return parse_preset({"name": "test", "config": {"view_type": "GROUP_CALL", "media": media}})


def audio(*, stereo: bool = False, high: bool = False) -> Preset:
    return preset_with(audio={"enable_stereo": stereo, "enable_high_bitrate": high})


@pytest.mark.parametrize("quality", VIDEO)
def test_a_camera_and_a_screen_each_have_the_limits_of_their_own_quality(quality: str) -> None:
    bitrate, pixels = VIDEO[quality]
    camera = preset_with(video={"quality": quality, "frame_rate": 24})
    assert limits_of(camera, "camera", "video") == MediaLimits(bitrate, 24, pixels)
    assert limits_of(camera, "second camera", "video") == MediaLimits(bitrate, 24, pixels)
    assert limits_of(camera, "screen", "video") == MediaLimits(4_000_000, 15, 1280 * 720)
    screen = preset_with(screenshare={"quality": quality, "frame_rate": 5})
    assert limits_of(screen, "screen", "video") == MediaLimits(bitrate, 5, pixels)
    assert limits_of(screen, "camera", "video") == MediaLimits(4_000_000, 30, 1280 * 720)


@pytest.mark.parametrize(
    ("preset", "limits"),
    [
        (audio(), MediaLimits(192_000, dtx=True)),
        (audio(stereo=True), MediaLimits(192_000, stereo=True)),
        (audio(high=True), MediaLimits(510_000, average_bitrate=128_000)),
        (audio(stereo=True, high=True), MediaLimits(510_000, stereo=True, average_bitrate=256_000)),
    ],
    ids=["a voice", "stereo", "high bitrate", "stereo at a high bitrate"],
)
def test_a_microphone_is_a_voice_with_pauses_unless_the_preset_makes_music_of_it(
    preset: Preset, limits: MediaLimits
) -> None:
    assert limits_of(preset, "microphone", "audio") == limits


@pytest.mark.parametrize("source", ["screen_audio", "turntable"])
def test_what_is_no_microphone_may_be_music_and_never_pauses(source: str) -> None:
    assert limits_of(audio(), source, "audio") == MediaLimits(192_000)
