"""How a meeting is to be recorded, transcribed and summarised: settings only, checked when they are set."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


HttpUrl = Annotated[str, Field(max_length=4096, pattern=r"^https?://[^\s]+$")]
RtmpUrl = Annotated[str, Field(max_length=4096, pattern=r"^rtmps?://[^\s]+$")]


# --- recording -----------------------------------------------------------------------------------------


class VideoCodec(StrEnum):
    H264 = "H264"
    VP8 = "VP8"
    VP9 = "VP9"


class AudioCodec(StrEnum):
    MP3 = "MP3"
    AAC = "AAC"


class AudioChannel(StrEnum):
    MONO = "mono"
    STEREO = "stereo"


class WatermarkPosition(StrEnum):
    LEFT_TOP = "left top"
    RIGHT_TOP = "right top"
    LEFT_BOTTOM = "left bottom"
    RIGHT_BOTTOM = "right bottom"


class WatermarkSize(_Model):
    width: Annotated[int, Field(ge=1, le=1920)]
    height: Annotated[int, Field(ge=1, le=1920)]


class Watermark(_Model):
    url: HttpUrl
    size: WatermarkSize | None = None
    position: WatermarkPosition = WatermarkPosition.LEFT_TOP


class RecordingVideo(_Model):
    codec: VideoCodec = VideoCodec.H264
    width: Annotated[int, Field(ge=1, le=1920)] = 1280
    height: Annotated[int, Field(ge=1, le=1920)] = 720
    watermark: Watermark | None = None
    export_file: bool = True


class RecordingAudio(_Model):
    codec: AudioCodec = AudioCodec.AAC
    channel: AudioChannel = AudioChannel.STEREO
    export_file: bool = True


class RtmpOut(_Model):
    rtmp_url: RtmpUrl


class Bucket(_Model):
    """Whether recordings are kept in the server's own storage."""

    enabled: bool = True


class InteractiveRecording(_Model):
    type: Literal["ID3"] = "ID3"


SYNONYMS: Final = {
    "live_streaming_config": "rtmp_out_config",
    "realtimekit_bucket_config": "bucket_config",
    "dyte_bucket_config": "bucket_config",
}
"""What else fields of a `RecordingConfig` are called in the field's APIs: taken, and shown."""


def _also_called(name: str) -> AliasChoices:
    return AliasChoices(name, *(also for also, known in SYNONYMS.items() if known == name))


class RecordingConfig(_Model):
    max_seconds: Annotated[int, Field(ge=60, le=86400)] | None = None
    file_name_prefix: Annotated[str, Field(max_length=128, pattern=r"^[\w.-]*$")] | None = None
    video_config: RecordingVideo = RecordingVideo()
    audio_config: RecordingAudio = RecordingAudio()
    rtmp_out_config: Annotated[RtmpOut | None, Field(validation_alias=_also_called("rtmp_out_config"))] = None
    bucket_config: Annotated[Bucket | None, Field(validation_alias=_also_called("bucket_config"))] = None
    interactive_config: InteractiveRecording | None = None


# --- AI ------------------------------------------------------------------------------------------------


class Language(StrEnum):
    EN_US = "en-US"
    EN_IN = "en-IN"
    DE = "de"
    HI = "hi"
    SV = "sv"
    RU = "ru"
    PL = "pl"
    EL = "el"
    FR = "fr"
    NL = "nl"
    TR = "tr"
    ES = "es"
    IT = "it"
    PT = "pt"
    RO = "ro"
    KO = "ko"
    ID = "id"
    MULTI = "multi"


class TextFormat(StrEnum):
    PLAIN_TEXT = "plain_text"
    MARKDOWN = "markdown"


class SummaryType(StrEnum):
    GENERAL = "general"
    TEAM_MEETING = "team_meeting"
    SALES_CALL = "sales_call"
    CLIENT_CHECK_IN = "client_check_in"
    INTERVIEW = "interview"
    DAILY_STANDUP = "daily_standup"
    ONE_ON_ONE_MEETING = "one_on_one_meeting"
    LECTURE = "lecture"
    CODE_REVIEW = "code_review"


class Transcription(_Model):
    keywords: Annotated[tuple[Annotated[str, Field(max_length=128)], ...], Field(max_length=1000)] = ()
    language: Language = Language.EN_US
    profanity_filter: bool = False


class Summarization(_Model):
    word_limit: Annotated[int, Field(ge=150, le=1000)] = 500
    text_format: TextFormat = TextFormat.MARKDOWN
    summary_type: SummaryType = SummaryType.GENERAL


class AiConfig(_Model):
    transcription: Transcription = Transcription()
    summarization: Summarization = Summarization()
