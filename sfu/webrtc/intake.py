"""How much of one client is worked off: what comes beyond that is dropped before any work is done on it.

A client with a valid session can send as fast as its network allows, and every packet costs an opening,
whether it means anything or not. So each association has a budget of packets and bytes of media, of datagrams
that are DTLS, and of STUN checks. Media is settled once per batch, not per packet. The bounds are far above
what a client has reason to send: a large screen and a camera in three encodings take about 3,000 packets a
second.
"""

from __future__ import annotations

from typing import Final

from sfu.bucket import TokenBucket

MEDIA_PACKETS: Final = 4_000.0
"""RTP and RTCP packets per second, and at once."""
MEDIA_BYTES: Final = 6_250_000.0
"""The same in bytes: 50 Mbit/s."""
DTLS_DATAGRAMS: Final = 2_000.0
"""Data channels and their acknowledgements, per second and at once."""
STUN_CHECKS: Final = 100.0
"""From addresses of the client, and as many from addresses not seen before: those cannot use up its own."""


class Intake:
    """Of one association. `dropped` counts what was over the budget; how it is kept from being read then is
    told in `sfu.webrtc.sieve`."""

    __slots__ = ("_bytes", "_datagrams", "_known_checks", "_packets", "_strange_checks", "dropped")

    def __init__(self, now: float) -> None:
        self.dropped = 0
        self._packets = TokenBucket(MEDIA_PACKETS, MEDIA_PACKETS, now)
        self._bytes = TokenBucket(MEDIA_BYTES, MEDIA_BYTES, now)
        self._datagrams = TokenBucket(DTLS_DATAGRAMS, DTLS_DATAGRAMS, now)
        self._known_checks = TokenBucket(STUN_CHECKS, STUN_CHECKS, now)
        self._strange_checks = TokenBucket(STUN_CHECKS, STUN_CHECKS, now)

    def admit_media(self, rtp: list[bytes], rtcp: list[bytes], now: float) -> None:
        """Shorten both lists to what the budget allows, RTCP first: a report weighs more than a picture."""
        count = len(rtp) + len(rtcp)
        # Feedback mostly comes alone.
        octets = len((rtcp or rtp)[0]) if count == 1 else sum(map(len, rtp)) + sum(map(len, rtcp))
        if self._packets.take(now, count):
            if self._bytes.take(now, octets):
                return
            share = self._bytes.draw(now, octets) / octets
            kept = int(count * share)
        else:
            kept = int(self._packets.draw(now, count))
        self.dropped += count - kept
        del rtcp[kept:]
        del rtp[kept - len(rtcp) :]

    def charge(self, count: int, now: float) -> None:
        """So many packets of media came that nobody works off: they count like all others."""
        if not self._packets.take(now, count):
            self.dropped += count

    def admit_dtls(self, now: float) -> bool:
        return self._note(self._datagrams.take(now))

    def admit_check(self, now: float, *, known: bool) -> bool:
        """A STUN check, from an address that passed one before or not."""
        return self._note((self._known_checks if known else self._strange_checks).take(now))

    def _note(self, admitted: bool) -> bool:  # noqa: FBT001
        self.dropped += not admitted
        return admitted
