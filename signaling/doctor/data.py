"""What the server keeps and what it shows: data directory, meeting page, and the page's address."""

from __future__ import annotations

import ipaddress
import os
import shutil
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from signaling.config import Settings
from signaling.doctor.report import Finding, fail, ok, warn
from signaling.errors import InvalidInputError
from signaling.preflight import load_tls

LEAST_FREE: Final = 100 << 20
ENOUGH_FREE: Final = 1 << 30
DAYS_LEFT: Final = 14


@dataclass(frozen=True, slots=True)
class DataDirectoryCheck:
    path: Path

    async def look(self) -> Sequence[Finding]:
        name = "data directory"
        there = _nearest(self.path)
        findings = [self._writable(name, there)]
        free = shutil.disk_usage(there).free
        findings.append(judge_free(free))
        if there == self.path and self.path.stat().st_mode & 0o077:
            advice = f"chmod 700 {self.path}: it holds keys (the next start does it too)"
            findings.append(warn(name, "others may enter it", advice))
        return findings

    def _writable(self, name: str, there: Path) -> Finding:
        try:
            with tempfile.TemporaryFile(dir=there):
                pass
        except OSError as error:
            advice = f"give it to the user that runs the server ({os.geteuid()}), or name another: --data-dir"
            return fail(name, f"cannot write to {there}: {error.strerror}", advice)
        made = str(self.path) if there == self.path else f"{self.path} will be made at the first start"
        return ok(name, made)


def judge_free(free: int) -> Finding:
    found = f"{free / (1 << 30):.1f} GiB free"
    if free >= ENOUGH_FREE:
        return ok("disk", found)
    judge = fail if free < LEAST_FREE else warn
    return judge("disk", found, "make room, or name another place: --data-dir")


def _nearest(path: Path) -> Path:
    """The folder itself, or the first one above it that is there."""
    path = path.absolute()
    return next(one for one in (path, *path.parents) if one.exists())


@dataclass(frozen=True, slots=True)
class PageCheck:
    web_dir: Path

    async def look(self) -> Sequence[Finding]:
        if (self.web_dir / "index.html").is_file():
            return [ok("meeting page", f"built, in {self.web_dir}")]
        advice = "make install, or npm ci && npm run build in web/; or name it: --web-dir"
        return [fail("meeting page", f"not built: no index.html in {self.web_dir}", advice)]


@dataclass(frozen=True, slots=True)
class AddressOfPageCheck:
    """Whether browsers will give their camera to the page, which they do on secure origins only."""

    settings: Settings

    async def look(self) -> Sequence[Finding]:
        settings = self.settings
        findings = [judge_base_url(settings.base_url(settings.port), known=settings.public_url is not None)]
        certificate = self._certificate()
        return findings if certificate is None else [*findings, certificate]

    def _certificate(self) -> Finding | None:
        settings = self.settings
        if settings.tls_cert is None:
            return None
        try:
            load_tls(settings.tls_cert, settings.tls_key)
            certificate = x509.load_pem_x509_certificates(settings.tls_cert.read_bytes())[0]
        except (InvalidInputError, ValueError, ssl.SSLError) as error:
            return fail("TLS certificate", str(error), "correct --tls-cert and --tls-key")
        return judge_certificate(certificate.not_valid_after_utc, datetime.now(UTC))


def judge_base_url(url: str, *, known: bool) -> Finding:
    """`known`: it was said that this is how browsers come here."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    secure = (
        parts.scheme == "https" or host == "localhost" or host.endswith(".localhost") or _is_loopback(host)
    )
    advice = "browsers give cameras to https only: --tls-cert and --tls-key, or a proxy and --public-url"
    if not secure:
        return fail("address of the page", f"{url} is not a secure origin", advice)
    if parts.scheme != "https" and not known:
        return warn("address of the page", f"{url} is one, but for browsers on this machine only", advice)
    return ok("address of the page", f"{url} is a secure origin")


def judge_certificate(ends: datetime, now: datetime) -> Finding:
    days = (ends - now).total_seconds() / 86400
    if days < 0:
        return fail("TLS certificate", f"ended on {ends:%Y-%m-%d}", "renew it")
    found = f"good until {ends:%Y-%m-%d}"
    if days < DAYS_LEFT:
        return warn("TLS certificate", found, "renew it soon")
    return ok("TLS certificate", found)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
