from __future__ import annotations

from tests.support import unhurried

__all__ = ["unhurried"]
