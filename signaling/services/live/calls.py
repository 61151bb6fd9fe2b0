"""What is asked of live sessions, as something that can be carried to the server that has them.

Made from the signatures of `LiveSessions`: what is added there can be carried from then on. The name of the
first parameter says whom a call is for: one meeting, or whatever an organization has on any server.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, create_model

from signaling.services.ports import LiveSessions

_MEETING_OF: Final[Mapping[str, Callable[[Any], str]]] = {
    "meeting_id": lambda value: str(value),
    "meeting": lambda value: str(value.id),
    "participant": lambda value: str(value.meeting_id),
}
_EVERYWHERE: Final = "organization_id"


@dataclass(frozen=True, slots=True)
class Call:
    """One method. `news`: it answers nothing but that it was heard."""

    name: str
    signature: inspect.Signature
    arguments: type[BaseModel]
    answer: TypeAdapter[Any]
    news: bool

    @property
    def addressee(self) -> str:
        return next(iter(self.signature.parameters))

    @property
    def for_all(self) -> bool:
        return self.addressee == _EVERYWHERE

    def bound(self, *args: Any, **named: Any) -> dict[str, Any]:
        return dict(self.signature.bind(*args, **named).arguments)

    def meeting_of(self, arguments: Mapping[str, Any]) -> str:
        """The id of the one that it is about."""
        return _MEETING_OF[self.addressee](arguments[self.addressee])

    def print(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return self.arguments(**arguments).model_dump(mode="json", by_alias=True)

    def parse(self, said: Any) -> dict[str, Any]:
        """Raises `ValueError`."""
        read = self.arguments.model_validate(said)
        return {name: getattr(read, name) for name in self.arguments.model_fields}


def _call(name: str, method: Callable[..., Any]) -> Call:
    hints = get_type_hints(method)
    answer = hints.pop("return")
    whole = inspect.signature(method)
    signature = whole.replace(parameters=list(whole.parameters.values())[1:])
    fields: dict[str, Any] = {one: (hints[one], ...) for one in signature.parameters}
    arguments = create_model(f"{name} arguments", __config__=ConfigDict(extra="forbid"), **fields)
    return Call(name, signature, arguments, TypeAdapter(answer), answer is type(None))


CALLS: Final[Mapping[str, Call]] = {
    name: _call(name, method)
    for name, method in vars(LiveSessions).items()
    if inspect.iscoroutinefunction(method)
}
"""By name."""
