"""How often something was saved, counted from 1: what a change may be made dependent on.

Whoever read version 3 and sends a change for it is refused once somebody else made version 4 of it, instead
of overwriting what they do not know of.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Final

from signaling.domain.errors import PreconditionFailedError

FIRST: Final = 1


def check_version(noun: str, version: int, expected: Set[int] | None) -> None:
    """Raises `PreconditionFailedError` unless it is an expected one; None: any will do."""
    if expected is not None and version not in expected:
        raise PreconditionFailedError(
            f'The {noun} was changed since: its ETag is "{version}" now. Read it again, and send the change '
            "that you want of that, with its ETag."
        )
