"""Before anything starts: are the ports free, the addresses ours, the TLS files good, the folder writable?

Each check raises `InvalidInputError` with one line that says what is wrong and what would be right. A port
that is taken between the check and its use still fails, only with a less helpful error.
"""

from __future__ import annotations

import errno
import fcntl
import ipaddress
import os
import socket
import ssl
import time
from collections.abc import Container, Iterable
from pathlib import Path
from typing import IO, Final

import ifaddr

from signaling.addresses import AnnouncedAddress, IpAddress, listen_hosts
from signaling.config import Settings
from signaling.errors import InvalidInputError

_TRIES: Final = 11
_PAUSE: Final = 0.1


def check_settings(settings: Settings) -> ssl.SSLContext | None:
    """All checks but of the ports, for which it has to be known whether workers are there already; returns
    the TLS context where TLS is configured."""
    context = load_tls(settings.tls_cert, settings.tls_key)
    check_announced(settings.announced, external_allowed=settings.announce_external)
    prepare_data_dir(settings.data_dir)
    return context


def load_tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None or key is None:
        return None
    for flag, path in (("--tls-cert", certificate), ("--tls-key", key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise InvalidInputError(f"{flag}: cannot read {path}: {error.strerror}") from None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (ssl.SSLError, ValueError) as error:
        raise InvalidInputError(
            f"--tls-cert {certificate} and --tls-key {key} are not a certificate and its key in PEM: {error}"
        ) from None
    return context


def check_announced(announced: Iterable[AnnouncedAddress], *, external_allowed: bool) -> None:
    ours = own_addresses()
    for one in announced:
        if one.ours in ours or (external_allowed and one.private is None):
            continue
        raise InvalidInputError(
            f"--announce: {one.ours} is not an address of this machine; it has "
            f"{', '.join(map(str, ours))}. If it is reached through NAT, say which of them it is mapped to "
            f"({one.public}={ours[-1]}) or add --announce-external."
        )


def own_addresses() -> list[IpAddress]:
    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            found.append(ipaddress.ip_address(text))
    return sorted(found, key=lambda address: (address.version, int(address)))


def check_ports(settings: Settings, held: Container[int] = ()) -> None:
    """`held` are media ports that workers of ours have already."""
    if settings.port:
        for host in settings.hosts:
            _check_port("--port", host, settings.port, socket.SOCK_STREAM)
    for port in settings.udp_ports:
        if port and port not in held:
            for host in media_hosts(settings):
                _check_port("--udp-port", host, port, socket.SOCK_DGRAM)
                _check_port("--udp-port (ICE-TCP)", host, port, socket.SOCK_STREAM)


def media_hosts(settings: Settings) -> tuple[str, ...]:
    return listen_hosts(settings.announced, own_addresses())


def _check_port(flag: str, host: str, port: int, kind: socket.SocketKind) -> None:
    """Tries for a moment, since workers of a server that was killed may still be on their way out."""
    for _ in range(_TRIES - 1):
        if _probe(flag, host, port, kind) is None:
            return
        time.sleep(_PAUSE)
    complaint = _probe(flag, host, port, kind)
    if complaint:
        raise InvalidInputError(complaint)


def _probe(flag: str, host: str, port: int, kind: socket.SocketKind) -> str | None:
    """What is wrong with listening there, None when nothing is."""
    protocol = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
    try:
        family, _, _, _, address = socket.getaddrinfo(host or None, port, type=kind, flags=socket.AI_PASSIVE)[
            0
        ]
    except socket.gaierror:
        return f"--host: {host!r} is not an address or name of this machine"
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            both_versions = host == "::" and flag == "--port"
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if both_versions else 1)
        try:
            probe.bind(address)
        except OSError as error:
            return _bind_complaint(error, flag, host, port, protocol)
    return None


def _bind_complaint(error: OSError, flag: str, host: str, port: int, protocol: str) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"{flag}: {protocol} port {port} on {host} is taken by another program; choose another"
        case errno.EADDRNOTAVAIL:
            ours = ", ".join(map(str, own_addresses()))
            return f"--host: {host} is not an address of this machine; it has {ours}"
        case errno.EACCES:
            return f"{flag}: {protocol} port {port} needs privileges; choose one above 1023"
        case _:
            return f"{flag}: cannot listen on {protocol} {host}:{port}: {error.strerror}"


def prepare_data_dir(path: Path) -> None:
    """Make the folder, for its owner only. One that exists keeps its mode, unless others may enter it."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)
        probe = path / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InvalidInputError(f"--data-dir: cannot use {path}: {error.strerror}") from None


def lock_data_dir(path: Path) -> IO[bytes]:
    """Two servers must not share a data directory. The lock is held until the file is closed or the process
    ends, however it ends."""
    file = os.fdopen(os.open(path / ".lock", os.O_WRONLY | os.O_CREAT, 0o600), "wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise InvalidInputError(
            f"--data-dir: another server uses {path}; stop it or choose another directory"
        ) from None
    return file
