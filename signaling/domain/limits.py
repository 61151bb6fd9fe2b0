"""What a preset lets a source take: bits, frames and channels. Pure.

A quality's bitrate covers all simulcast encodings together, with room for what encoders make of moving
pictures; the node cuts off what goes clearly above it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from signaling.domain.permission import MediaKind, media_kind_of
from signaling.domain.preset import AudioConfig, Preset, VideoQuality

MAX_VIDEO_BITRATE: Final = {
    VideoQuality.QVGA: 600_000,
    VideoQuality.VGA: 1_500_000,
    VideoQuality.HD: 4_000_000,
    VideoQuality.FHD: 8_000_000,
    VideoQuality.UHD: 20_000_000,
}
MAX_PIXELS: Final = {
    VideoQuality.QVGA: 384 * 288,
    VideoQuality.VGA: 640 * 480,
    VideoQuality.HD: 1280 * 720,
    VideoQuality.FHD: 1920 * 1080,
    VideoQuality.UHD: 3840 * 2160,
}
"""The area of a picture, whichever way it is held."""
MAX_AUDIO_BITRATE: Final = 192_000
MAX_HIGH_AUDIO_BITRATE: Final = 510_000
"""The most that Opus makes."""
HIGH_AVERAGE: Final = 128_000
STEREO_HIGH_AVERAGE: Final = 256_000


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """`max_bitrate` in bits a second, `max_frame_rate` in frames a second, `max_pixels` the area of a
    picture; None for no limit.

    Of audio: whether two channels and pauses without packets (DTX) are asked for, and the bits a second that
    the encoder is to aim at, None for its own choice.
    """

    max_bitrate: int | None = None
    max_frame_rate: int | None = None
    max_pixels: int | None = None
    stereo: bool = False
    dtx: bool = False
    average_bitrate: int | None = None


NO_LIMITS: Final = MediaLimits()


def limits_of(preset: Preset, source: str, kind: Literal["audio", "video"]) -> MediaLimits:
    media = preset.config.media
    if kind == "audio":
        return _audio(media.audio, speech=source == "microphone")
    video = media.screenshare if media_kind_of(source, kind) is MediaKind.SCREENSHARE else media.video
    return MediaLimits(MAX_VIDEO_BITRATE[video.quality], video.frame_rate, MAX_PIXELS[video.quality])


def _audio(config: AudioConfig, *, speech: bool) -> MediaLimits:
    """A voice pauses when nobody speaks; music does not, and what a screen plays may be music."""
    plain = not config.enable_stereo and not config.enable_high_bitrate
    average = None
    if config.enable_high_bitrate:
        average = STEREO_HIGH_AVERAGE if config.enable_stereo else HIGH_AVERAGE
    return MediaLimits(
        max_bitrate=MAX_HIGH_AUDIO_BITRATE if config.enable_high_bitrate else MAX_AUDIO_BITRATE,
        stereo=config.enable_stereo,
        dtx=speech and plain,
        average_bitrate=average,
    )
