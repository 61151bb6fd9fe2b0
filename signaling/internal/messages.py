"""One call to another server: what goes in the request, who may send it, what comes back.

    POST /internal/live, Authorization: Bearer <JWT>
        {"call": "kick", "arguments": {"meeting_id": "...", ...}}
    200 {"answer": ...}
    200 {"error": {"name": "NoActiveSession", "message": "..."}}

The JWT is signed with the key that the servers share. It is for one server ("aud": "rostrum:server:<id>"),
for one body ("body": its SHA-256) and for a minute; tokens of participants are for another audience. So
nobody else can speak so, and what leads to another server than was meant is refused there.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from signaling.auth.keyring import KeyRing
from signaling.errors import InvalidTokenError, SignalingError
from signaling.ids import new_uuid
from signaling.services.ports import Clock

PATH: Final = "/internal/live"
GOOD_FOR: Final = timedelta(seconds=60)
"""The clocks of two servers differ by less than this."""
_SAID: Final = ("reason", "field", "retry_after", "url")
"""What some errors say besides their sentence."""


def pass_for(ring: KeyRing, clock: Clock, server_id: str, body: bytes) -> str:
    now = clock.now()
    return ring.sign(
        {
            "aud": _audience(server_id),
            "iat": int(now.timestamp()),
            "exp": int((now + GOOD_FOR).timestamp()),
            "jti": new_uuid(),
            "body": hashlib.sha256(body).hexdigest(),
        }
    )


def check_pass(ring: KeyRing, token: str, server_id: str, body: bytes) -> None:
    """Raises `InvalidTokenError`."""
    claims = ring.read(token, _audience(server_id), ("body",))
    if not hmac.compare_digest(str(claims["body"]).encode(), hashlib.sha256(body).hexdigest().encode()):
        raise InvalidTokenError


def print_error(error: SignalingError) -> dict[str, Any]:
    said = {one: getattr(error, one, None) for one in _SAID}
    return {"name": error.name, "message": error.message} | {
        name: value for name, value in said.items() if value is not None
    }


def parse_error(said: Any) -> SignalingError:
    """The same error; the base for a name that this version does not know. Raises `ValueError` for what is
    none."""
    if not isinstance(said, dict) or not isinstance(said.get("message"), str):
        raise ValueError("this is no error")
    kind = _BY_NAME.get(str(said.get("name")), SignalingError)
    error = kind.__new__(kind)
    SignalingError.__init__(error, said["message"])
    for name in _SAID:
        if name in said:
            setattr(error, name, said[name])
    return error


def _audience(server_id: str) -> str:
    return f"rostrum:server:{server_id}"


def _all_below(kind: type[SignalingError]) -> Iterator[type[SignalingError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _all_below(below)


_BY_NAME: Final[Mapping[str, type[SignalingError]]] = {one.name: one for one in _all_below(SignalingError)}
