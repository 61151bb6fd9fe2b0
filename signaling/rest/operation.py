"""One endpoint, told once: what routes it, who may call it, what it takes and what it answers.

    Operation ──▶ route            `signaling.rest.application`
              ──▶ scope            `signaling.rest.access`
              ──▶ envelope         `signaling.rest.rendering`, also of its errors
              ──▶ /openapi.json    `signaling.rest.openapi`
              ──▶ tests            isolation and scope of every endpoint there is

A handler parses with the models that are named here, calls one method of a service, and answers with the
model that is named here: no decision is made in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel

from signaling.domain.caller import Scope
from signaling.errors import SignalingError
from signaling.rest.rendering import HOUSE, Rendering

JSON: Final = "application/json"


class Access(Enum):
    """Who may call where no scope is asked for."""

    ANYBODY = auto()
    PARTICIPANT = auto()
    """`Authorization: Bearer` with a participant's token."""
    CREDENTIAL = auto()
    """Any credential of an organization, whatever its scopes."""


class Many(Enum):
    """How many of the answer's model are in an answer."""

    ONE = auto()
    PAGE = auto()
    """A list, and where in the whole of it the page lies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    method: str
    path: str
    """With its prefix, as aiohttp writes it: `/v2/meetings/{meeting_id}`."""
    handler: Handler
    name: str
    """Of the whole operation, unique: `listMeetings`."""
    summary: str
    tag: str
    access: Scope | Access
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    body_required: bool = True
    answer: type[BaseModel] | None = None
    """What stands in the envelope; None: nothing, or what `media` says."""
    many: Many = Many.ONE
    status: int = 200
    description: str = ""
    errors: tuple[type[SignalingError], ...] = ()
    """Besides those that follow from the rest of this."""
    conditional: bool = False
    """Takes `If-Match`."""
    tagged: bool = False
    """Answers with an `ETag`."""
    within_unit: bool = False
    """Of meetings, participants or sessions without one of them in the path: the handler itself tells what
    belongs to the unit that a caller is limited to."""
    once: bool = False
    """Takes an `Idempotency-Key`."""
    takes: str = JSON
    gives: str = JSON
    """Media types."""
    rendering: Rendering = HOUSE
    hidden: bool = False
    """Not in the public description."""

    @property
    def changes(self) -> bool:
        return self.method not in ("GET", "HEAD")

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path, in order."""
        return tuple(part[1:-1].partition(":")[0] for part in self.path.split("/") if part.startswith("{"))

    def below(self, prefix: str, *, of: str) -> Operation:
        """The same by another path: `prefix` instead of `/v2`. `of` goes before its name and its tag."""
        path = prefix + self.path.removeprefix("/v2")
        name = of[0].lower() + of[1:] + self.name[0].upper() + self.name[1:]
        return replace(self, path=path, name=name, tag=f"{of}: {self.tag}")


class OperationTable(Mapping[web.AbstractRoute, Operation]):
    """Every operation of an application by its route."""

    def __init__(self) -> None:
        self._by_route: dict[web.AbstractRoute, Operation] = {}

    def __getitem__(self, route: web.AbstractRoute) -> Operation:
        return self._by_route[route]

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return iter(self._by_route)

    def __len__(self) -> int:
        return len(self._by_route)

    def register(
        self, router: web.UrlDispatcher, operations: Iterable[Operation], *, below: str = ""
    ) -> None:
        """GET takes HEAD with it. `below`: a prefix to put before the paths; what is registered so again is
        the same operation, described once."""
        for operation in operations:
            methods = ("GET", "HEAD") if operation.method == "GET" else (operation.method,)
            for method in methods:
                route = router.add_route(method, below + operation.path, operation.handler)
                self._by_route[route] = operation

    def of(self, request: web.Request) -> Operation | None:
        """None for what is no operation: a page, or a path that there is not."""
        return self._by_route.get(request.match_info.route)

    def all(self) -> list[Operation]:
        """Each once, in the order of registration."""
        return list(dict.fromkeys(self._by_route.values()))
