"""Which control protocol this code speaks: workers of another one are not taken over but replaced.

The version is computed from the messages themselves, so that nobody can forget to raise it; the release is
part of it, since the same message may come to mean something else.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import version

from sfu.control.messages import command_adapter, event_adapter, reply_adapter


@cache
def protocol_version() -> str:
    """Takes some tens of milliseconds at the first call."""
    schemas = [adapter.json_schema() for adapter in (command_adapter, reply_adapter, event_adapter)]
    text = json.dumps([version("rostrum"), *schemas], sort_keys=True)
    return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()
