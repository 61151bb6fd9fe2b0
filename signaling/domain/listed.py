"""Texts that are one of a list: others are refused, and descriptions name them all.

Why sessions end and peers leave is told in one case each, whatever the case of what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from signaling.domain.attendance import LEFT_BECAUSE
from signaling.domain.session_status import SessionEndReason


class OneOf:
    """`Annotated[str, OneOf(values)]`: as a `Literal` of them, for lists that are made of others."""

    def __init__(self, values: Iterable[str]) -> None:
        self._values = [str(one) for one in values]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(self._values)


EndReasonText = Annotated[str, OneOf(one.upper() for one in SessionEndReason)]
RoomEndReasonText = Annotated[str, OneOf(one.lower() for one in SessionEndReason)]
LeaveReasonText = Annotated[str, OneOf(one.lower() for one in LEFT_BECAUSE)]
