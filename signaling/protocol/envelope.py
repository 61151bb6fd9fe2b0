"""Frames: text in, requests out; results, errors and events in, text out.

Parsing happens here and nowhere else. What comes out is a valid request or a `MalformedFrame` that names the
offending field and, where it could be read, the id of the request, so that the client can tell which one it
was.
"""

from __future__ import annotations

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from signaling.protocol.messages import (
    AnyEvent,
    AnyRequest,
    ErrorBody,
    Failure,
    request_adapter,
)

MALFORMED_CODE = 9455


class MalformedFrame(Exception):  # noqa: N818 - it says what the frame is
    """A frame that is not a request. `request_id` is None where it could not be read."""

    def __init__(self, request_id: int | None, field: str, message: str) -> None:
        super().__init__(message)
        self.request_id = request_id
        self.field = field
        self.message = message

    def to_frame(self) -> str:
        return failure(self.request_id, MALFORMED_CODE, "MalformedMessage", self.message, field=self.field)


def parse_request(text: str) -> AnyRequest:
    """One text frame as a request. Raises `MalformedFrame` and nothing else."""
    try:
        return request_adapter.validate_json(text)
    except ValidationError as error:
        raise _malformed(text, error) from None


def success(request_id: int, result: BaseModel) -> str:
    """As `messages.Success` prints it, with the result printed once."""
    return f'{{"id":{request_id},"ok":true,"result":{result.model_dump_json()}}}'


def failure(
    request_id: int | None,
    code: int,
    name: str,
    message: str,
    *,
    field: str | None = None,
    retry_after: float | None = None,
    reason: str | None = None,
    url: str | None = None,
) -> str:
    body = ErrorBody(
        code=code,
        name=name,
        message=message,
        field=field,
        retry_after=retry_after,
        reason=reason,
        url=url,
    )
    return Failure(id=request_id, error=body).model_dump_json(exclude_none=False)


def event_text(event: AnyEvent) -> str:
    """An event without its number, printed once however many peers receive it."""
    return event.model_dump_json()


def event_frame(seq: int, text: str) -> str:
    """The frame around `event_text`."""
    return f'{{"seq":{seq},"event":{text}}}'


def _malformed(text: str, error: ValidationError) -> MalformedFrame:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return MalformedFrame(None, "", "the frame is not JSON")
    path = _path(first["loc"], first["type"])
    return MalformedFrame(_request_id(text), path, f"{path or 'the frame'}: {first['msg']}")


def _path(loc: tuple[int | str, ...], kind: str) -> str:
    """The field in the client's terms. pydantic puts the request's type in front of its fields."""
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return "type"
    return ".".join(str(part) for part in loc[1:])


def _request_id(text: str) -> int | None:
    try:
        frame = from_json(text)
    except ValueError:
        return None
    value = frame.get("id") if isinstance(frame, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None
