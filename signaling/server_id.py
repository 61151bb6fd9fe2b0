"""Which of the servers on one database this one is: an id that its data directory keeps.

After a crash the next start with the same directory knows by it what it had. A copy of a data directory is
another server: remove the file from it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from signaling.auth.keys import write_private
from signaling.errors import InvalidInputError
from signaling.ids import new_uuid

SERVER_ID_FILE: Final = "server-id"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def read_server_id(path: Path) -> str:
    """Made where there is none. Raises `InvalidInputError` for a file that holds something else."""
    if not path.exists():
        keep_server_id(path, new_uuid())
    text = path.read_text("utf-8", errors="replace").strip()
    if not _ID.fullmatch(text):
        raise InvalidInputError(f"{path} does not hold a server's id; remove it to have one made")
    return text


def keep_server_id(path: Path, server_id: str) -> None:
    write_private(path, f"{server_id}\n".encode())
