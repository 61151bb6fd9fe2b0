"""What an SDK sends and gets: seen, not changed."""

from __future__ import annotations

import re
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx
from pydantic import BaseModel

from tests.support.sdk_answers import assert_fills
from tests.support.sdks import DEVIATIONS, Operation
from tests.support.wait import PATIENCE

if TYPE_CHECKING:
    from tests.compat.openapi import Description

M = TypeVar("M", bound=BaseModel)

_ID = re.compile(
    r"/(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[a-z]+_[0-9a-z]{26})(?=/|$)"
)
_APP = re.compile(r"^/accounts/[^/]+/realtime/kit/(?!apps$)[^/]+")
_ACCOUNT = re.compile(r"^/accounts/[^/]+")


class Wire:
    """An HTTP client for one test of one operation. Every answer is held to `/openapi.json`, too; `problems`
    are where one is other than that says."""

    def __init__(self, sdk: str, operation: Operation, description: Description) -> None:
        self.http = httpx.AsyncClient(event_hooks={"response": [self._note]}, timeout=PATIENCE)
        self.problems: list[str] = []
        self._description = description
        self._sdk = sdk
        self._operation = operation
        self._made: list[tuple[str, httpx.Response]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    def filled(self, answer: M) -> M:
        """The same answer, the last one, after a look at its fields. Raises `AssertionError`."""
        request, response = self._made[-1]
        assert request == self._operation.request, f"{self._operation.name} asked {request}"
        but = DEVIATIONS.get((self._sdk, self._operation.name), {})
        assert_fills(type(answer), response.content, but=but)
        return answer

    def emptied(self, answer: None, status: int = 204) -> None:
        """The last answer has no body, and is not meant to."""
        request, response = self._made[-1]
        assert request == self._operation.request, f"{self._operation.name} asked {request}"
        assert (answer, response.status_code, response.content) == (None, status, b"")

    @property
    def status(self) -> int:
        """Of the last answer."""
        return self._made[-1][1].status_code

    @property
    def body(self) -> Any:
        return self._made[-1][1].json()

    async def _note(self, response: httpx.Response) -> None:
        await response.aread()
        path = _ID.sub(
            "/{id}", _APP.sub("/accounts/{account_id}/realtime/kit/{app_id}", response.request.url.path)
        )
        path = _ACCOUNT.sub("/accounts/{account_id}", path)
        self._made.append((f"{response.request.method} {path}", response))
        try:
            self._description.check(response)
        except AssertionError as error:
            self.problems.append(str(error))
