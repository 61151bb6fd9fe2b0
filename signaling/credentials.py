"""`bootstrap.json`: the first organization's key, for scripts on this machine.

    {"organization_id": "...", "api_key": "...", "base_url": "http://127.0.0.1:8080"}

It is written (0600, whole or not at all) before the organization is stored, so that a process which dies
in between finds the same key again; where another server on the same database made the organization
meanwhile, it goes. The store keeps only the key's hash; whoever has noted the key may delete the file, it is
not made again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from signaling.auth.api_keys import new_api_key
from signaling.auth.keys import write_private
from signaling.errors import InvalidInputError
from signaling.ids import new_uuid

FILE_NAME: Final = "bootstrap.json"


@dataclass(frozen=True, slots=True)
class Credentials:
    organization_id: str
    api_key: str
    base_url: str

    @classmethod
    def new(cls, base_url: str) -> Credentials:
        return cls(new_uuid(), new_api_key(), base_url)

    @classmethod
    def read(cls, data_dir: Path) -> Credentials | None:
        """None when there is no file. Raises `InvalidInputError` for one that is not ours."""
        path = data_dir / FILE_NAME
        try:
            value = json.loads(path.read_bytes())
            return cls(str(value["organization_id"]), str(value["api_key"]), str(value["base_url"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            raise InvalidInputError(f"{path} is not a bootstrap file; repair it or move it away") from None

    def write(self, data_dir: Path) -> None:
        write_private(data_dir / FILE_NAME, (json.dumps(asdict(self), indent=2) + "\n").encode())

    @staticmethod
    def discard(data_dir: Path) -> None:
        (data_dir / FILE_NAME).unlink(missing_ok=True)

    def at(self, base_url: str) -> Credentials:
        return replace(self, base_url=base_url)
