"""Headers that make a request safe to send: `If-Match` against lost updates (RFC 9110 section 13.1.1), and
`Idempotency-Key` against things made twice (draft-ietf-httpapi-idempotency-key-header).

Neither is ever required.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from aiohttp import web
from pydantic import BaseModel

from signaling.domain.version import FIRST
from signaling.errors import InvalidInputError
from signaling.rest.access import caller_of
from signaling.rest.envelope import success
from signaling.rest.parsing import read_body
from signaling.rest.rendering import to_json
from signaling.services.idempotency import AnsweredBefore, Once

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
_KEY: Final = re.compile(r"[!-~]{1,255}")
_TAGS: Final = re.compile(r'\s*(?:W/)?"[^"]{0,64}"(?:\s*,\s*(?:W/)?"[^"]{0,64}"){0,15}\s*')
_STRONG: Final = re.compile(r'(?<!W/)"(\d{1,9})"')

T = TypeVar("T")


def tagged(response: web.Response, version: int) -> web.Response:
    response.headers["ETag"] = f'"{version}"'
    return response


def expected_versions(request: web.Request) -> frozenset[int] | None:
    """Those of `If-Match`; None where any will do. A weak tag, or one that is none of ours, matches nothing.

    Raises `InvalidInputError`.
    """
    sent = request.headers.getall("If-Match", ())
    header = ",".join(sent)
    if not sent or header.strip() == "*":
        return None
    if not _TAGS.fullmatch(header):
        raise InvalidInputError('If-Match: send the ETag as it came, in its quotes ("3"), or *.')
    return frozenset(int(number) for number in _STRONG.findall(header))


async def once_of(request: web.Request, to_data: Callable[[T], BaseModel]) -> Once[T] | None:
    """`to_data` is what the thing made looks like in the answer. None without the header.

    Raises `InvalidInputError`.
    """
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise InvalidInputError(f"{IDEMPOTENCY_KEY}: send 1 to 255 characters of printable ASCII, no spaces.")
    asked = [request.method.encode(), request.path.encode(), await read_body(request)]
    if unit_id := caller_of(request).unit_id:
        asked.append(unit_id.encode())  # what the whole organization made is not there for one of a unit
    return Once(
        key, hashlib.sha256(b"\n".join(asked)).hexdigest(), lambda made: json.dumps(to_json(to_data(made)))
    )


def replayed(
    before: AnsweredBefore, *, put: Callable[..., web.Response] = success, **besides: Any
) -> web.Response:
    """The answer of then, with what is not kept besides; `put` puts it into its envelope."""
    response = put(json.loads(before.answer) | besides, status=201)
    response.headers[REPLAYED] = "true"
    return tagged(response, FIRST)
