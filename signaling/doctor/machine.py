"""The machine: kernel, cores, file descriptors, clock."""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import secrets
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sfu import huge_pages
from sfu.probe.kernel import UdpOffer, udp_offer
from signaling.doctor.report import Finding, fail, ok, warn

ENOUGH_FILES: Final = 16_384
LEAST_FILES: Final = 1_024
GOOD_BUFFER: Final = 4 << 20
STA_UNSYNC: Final = 0x0040
TIME_ERROR: Final = 5
EARLIEST: Final = 1_767_225_600
"""2026-01-01: no clock that is right is before it."""
NTP_EPOCH: Final = 2_208_988_800
GOOD_OFFSET, BAD_OFFSET = 1.0, 30.0


class KernelCheck:
    async def look(self) -> Sequence[Finding]:
        return [*judge_udp(udp_offer()), judge_huge_pages(has_them=huge_pages.offered())]


def judge_udp(offer: UdpOffer) -> list[Finding]:
    findings = []
    for name, there in (("UDP_SEGMENT", offer.segmentation), ("UDP_GRO", offer.coalescing)):
        if there:
            findings.append(ok(name, "the kernel has it"))
        else:
            advice = "everything works, at about twice the cost for each packet; use Linux 5.0 or later"
            findings.append(warn(name, "the kernel does not have it", advice))
    found = f"sockets get {offer.buffer >> 10} KiB"
    if offer.buffer >= min(offer.wanted_buffer, GOOD_BUFFER):
        findings.append(ok("socket buffers", found))
    else:
        size = offer.wanted_buffer
        advice = f"sysctl -w net.core.rmem_max={size} net.core.wmem_max={size}, or bursts are lost in them"
        findings.append(warn("socket buffers", found, advice))
    return findings


def judge_huge_pages(*, has_them: bool) -> Finding:
    if has_them:
        return ok("huge pages", "the kernel gives them to who asks")
    advice = f"media costs more without: echo madvise > {huge_pages.SETTING}"
    return warn("huge pages", "the kernel gives none", advice)


@dataclass(frozen=True, slots=True)
class CoresCheck:
    workers: int

    async def look(self) -> Sequence[Finding]:
        return [judge_cores(self.workers, len(os.sched_getaffinity(0)))]


def judge_cores(workers: int, cores: int) -> Finding:
    found = f"{workers} media workers on {cores} cores"
    if workers == 0:
        return warn("workers", "media runs in the signaling process", "use --workers 1 or more but for tests")
    if workers > cores:
        return warn("workers", found, f"more only take turns: --workers {cores}")
    return ok("workers", found)


class FilesCheck:
    async def look(self) -> Sequence[Finding]:
        return [judge_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])]


def judge_files(limit: int) -> Finding:
    if limit in (resource.RLIM_INFINITY, -1) or limit >= ENOUGH_FILES:
        return ok("file descriptors", "without limit" if limit < 0 else f"{limit:,}")
    advice = "a peer takes one, or three over TCP: LimitNOFILE=65536 in the systemd unit, or ulimit -n 65536"
    judge = fail if limit < LEAST_FILES else warn
    return judge("file descriptors", f"{limit:,}", advice)


@dataclass(frozen=True, slots=True)
class ClockCheck:
    """Tokens and TURN credentials end by the clock. `ntp_server` is only asked where it is given."""

    ntp_server: str | None = None

    async def look(self) -> Sequence[Finding]:
        findings = [judge_clock(time.time(), _kernel_says_synchronized())]
        if self.ntp_server is not None:
            findings.append(judge_offset(self.ntp_server, await _ntp_offset(self.ntp_server)))
        return findings


def judge_clock(now: float, synchronized: bool | None) -> Finding:  # noqa: FBT001
    """`synchronized` None: the kernel does not say."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    advice = "run an NTP client (systemd-timesyncd, chrony); tokens and TURN credentials end by this clock"
    if now < EARLIEST:
        return fail("clock", f"it says {stamp}, which is long over", advice)
    if synchronized:
        return ok("clock", f"{stamp}, kept by NTP")
    why = "the kernel does not know whether" if synchronized is None else "the kernel does not count it as"
    return warn("clock", f"{stamp}; {why} synchronized", advice)


def judge_offset(server: str, offset: float | None) -> Finding:
    """`offset` in seconds; None: no answer."""
    if offset is None:
        return warn("clock against NTP", f"{server} does not answer", "name another server")
    found = f"{offset:+.3f} s against {server}"
    if abs(offset) < GOOD_OFFSET:
        return ok("clock against NTP", found)
    judge = fail if abs(offset) >= BAD_OFFSET else warn
    return judge("clock against NTP", found, "set the clock, and keep it with an NTP client")


def _kernel_says_synchronized() -> bool | None:
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return None
    timex = ctypes.create_string_buffer(512)  # modes 0: only read; longer than any struct timex
    state = adjtimex(timex)
    if state < 0:
        return None
    # struct timex: modes, padding, offset, freq, maxerror, esterror, then status.
    (status,) = struct.unpack_from("@i", timex.raw, struct.calcsize("@i4xllll") if _IS_64 else 20)
    return state != TIME_ERROR and not status & STA_UNSYNC


_IS_64: Final = struct.calcsize("@P") == 8


async def _ntp_offset(server: str) -> float | None:
    """How far this clock is behind the server's (SNTP, RFC 4330 section 5); None without an answer."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(3):
            family, _, _, _, address = (await loop.getaddrinfo(server, 123, type=socket.SOCK_DGRAM))[0]
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                sock.connect(address)
                cookie = secrets.token_bytes(8)
                sent = time.time()
                await loop.sock_sendall(sock, b"\x23" + bytes(39) + cookie)
                answer = await loop.sock_recv(sock, 512)
                return ntp_offset(answer, cookie, sent, time.time())
    except OSError:  # a TimeoutError too
        return None


def ntp_offset(answer: bytes, cookie: bytes, sent: float, received: float) -> float | None:
    """From an NTP answer that echoes our cookie; None for anything else."""
    if len(answer) < 48 or answer[0] & 7 != 4 or answer[24:32] != cookie or answer[1] == 0:
        return None
    whole, part, left_whole, left_part = struct.unpack_from("!IIII", answer, 32)
    arrived, left = (
        seconds - NTP_EPOCH + rest / 2**32 for seconds, rest in ((whole, part), (left_whole, left_part))
    )
    return float(((arrived - sent) + (left - received)) / 2)
