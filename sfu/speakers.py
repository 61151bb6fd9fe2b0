"""Who is speaking, from the audio levels that clients send with their packets (RFC 6464). Pure.

Levels are dB below full scale: 0 is loudest, 127 silence. Each producer has a smoothed loudness; it counts as
speaking above a threshold, and the dominant speaker changes only when another one has been clearly louder for
half a second.
"""

from __future__ import annotations

from dataclasses import dataclass

SILENCE = 127
SPEAKING_LEVEL = 55
"""Louder (smaller) than this is speech."""
QUIET_AFTER = 0.6
"""Seconds without a packet that is speech, after which a speaker has stopped."""
TAKE_OVER_AFTER = 0.5
TAKE_OVER_MARGIN = 6.0
"""Decibels by which a challenger has to be louder."""
SMOOTHING = 0.25


@dataclass(slots=True)
class _Voice:
    loudness: float = 0.0
    """Smoothed 127 - level."""
    last_speech: float = float("-inf")


class SpeakerDetector:
    """Feed levels, poll about ten times a second."""

    def __init__(self) -> None:
        self._voices: dict[str, _Voice] = {}
        self._dominant: str | None = None
        self._challenger: str | None = None
        self._challenged_at = 0.0
        self._last_speech = float("-inf")

    def handle_level(self, producer_id: str, level: int, now: float) -> None:
        """One packet's level, 0 to 127."""
        voice = self._voices.get(producer_id)
        if voice is None:
            voice = self._voices[producer_id] = _Voice()
        voice.loudness += ((SILENCE - level) - voice.loudness) * SMOOTHING
        if level < SPEAKING_LEVEL:
            voice.last_speech = self._last_speech = now

    def loudness(self) -> dict[str, float]:
        """By producer id, 127 minus the smoothed level: 0 is silence."""
        return {producer_id: voice.loudness for producer_id, voice in self._voices.items()}

    def remove(self, producer_id: str) -> None:
        self._voices.pop(producer_id, None)
        if self._dominant == producer_id:
            self._dominant = None

    def poll(self, now: float) -> tuple[tuple[tuple[str, int], ...], str | None]:
        """((producer id, level), ...) of those speaking, loudest first, and the dominant speaker.

        The dominant speaker stays when everybody falls silent, as the picture should.
        """
        if now - self._last_speech >= QUIET_AFTER:
            self._challenger = None
            return (), self._dominant
        speaking = sorted(
            (
                (producer_id, voice)
                for producer_id, voice in self._voices.items()
                if now - voice.last_speech < QUIET_AFTER
            ),
            key=lambda item: -item[1].loudness,
        )
        self._elect(speaking, now)
        return (
            tuple((producer_id, max(0, SILENCE - round(voice.loudness))) for producer_id, voice in speaking),
            self._dominant,
        )

    def _elect(self, speaking: list[tuple[str, _Voice]], now: float) -> None:
        if not speaking:
            self._challenger = None
            return
        loudest, voice = speaking[0]
        holder = self._voices.get(self._dominant) if self._dominant is not None else None
        if holder is None:
            self._dominant = loudest
        elif loudest == self._dominant:
            self._challenger = None
        else:
            silent = now - holder.last_speech >= QUIET_AFTER
            if not silent and voice.loudness < holder.loudness + TAKE_OVER_MARGIN:
                self._challenger = None
            elif self._challenger != loudest:
                self._challenger = loudest
                self._challenged_at = now
            elif now - self._challenged_at >= TAKE_OVER_AFTER:
                self._dominant = loudest
                self._challenger = None
