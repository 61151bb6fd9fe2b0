"""A worker's door: the socket by which the next signaling process finds a worker that outlived the last one.

    <data directory>/workers/0.sock, 1.sock, ...      one per worker, mode 0600 in a folder of mode 0700

Nobody is let in, and nobody is believed, who is not the same user: the folder must be ours and closed to
others, and the kernel says on each connection whose process is at the other end. A system that cannot say
that (SO_PEERCRED) has no doors, and workers end with their signaling process.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sfu.errors import DoorError

_CREDENTIALS: Final = struct.Struct("3i")
_LONGEST: Final = 100
"""Bytes of a path that fit into a socket address on every system; see unix(7)."""
BACKLOG: Final = 4


def supported() -> bool:
    return hasattr(socket, "SO_PEERCRED") and hasattr(os, "pidfd_open")


def door_path(folder: Path, index: int) -> Path:
    return folder / f"{index}.sock"


def prepare_folder(folder: Path) -> None:
    """Make it, or see that it is ours alone. Raises `DoorError`."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise DoorError(f"cannot use {folder}: {error.strerror}") from None
    if not stat.S_ISDIR(status.st_mode):
        raise DoorError(f"{folder} is not a folder; remove it")
    if status.st_uid != os.geteuid():
        raise DoorError(f"{folder} belongs to another user; remove it")
    if status.st_mode & 0o077:
        raise DoorError(f"others may enter {folder}; remove it, or chmod 700")


def doors_in(folder: Path) -> list[tuple[int, Path]]:
    """(Index, path) of the sockets of ours in the folder; nothing else in it is looked at."""
    found = []
    for path in folder.glob("*.sock"):
        status = path.lstat()
        ours = status.st_uid == os.geteuid() and not status.st_mode & 0o077
        if stat.S_ISSOCK(status.st_mode) and ours and path.stem.isdecimal():
            found.append((int(path.stem), path))
    return sorted(found)


def listen(path: Path) -> socket.socket:
    """Takes the place of a socket that a dead worker left. Raises `OSError`."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        mask = os.umask(0o177)
        try:
            with _address(path) as address:
                listener.bind(address)
        finally:
            os.umask(mask)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def connect(path: Path) -> socket.socket:
    """Raises `OSError`, where nobody listens, and `DoorError` where it is another user."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _address(path) as address:
            connection.connect(address)
        check_peer(connection)
        connection.setblocking(False)
    except BaseException:
        connection.close()
        raise
    return connection


def check_peer(connection: socket.socket) -> int:
    """The process id of the other end. Raises `DoorError` unless it runs as the same user."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    if uid != os.geteuid():
        raise DoorError(f"the other end runs as user {uid}")
    return int(pid)


@contextlib.contextmanager
def _address(path: Path) -> Iterator[str]:
    """A path that fits into a socket address, however long this one is."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
