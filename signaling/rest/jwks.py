"""`GET /.well-known/jwks.json`: the public halves of the keys that sign tokens (RFC 7517, RFC 8037)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from aiohttp import web

from signaling.rest.operation import Access, Operation
from signaling.rest.parsing import Answer, shown
from signaling.rest.rendering import BARE, json_response

JWKS: Final = "/.well-known/jwks.json"
FRESH_FOR: Final = 30
"""Seconds: a key is published for longer before it signs."""


class Jwk(Answer):
    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str
    kid: str
    use: Literal["sig"]
    alg: Literal["EdDSA"]


class KeySet(Answer):
    """One of them signs; the others did, or will within a minute."""

    model_config = shown(
        {
            "keys": [
                {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                    "kid": "85ba2f4a1ff4b5d8",
                    "use": "sig",
                    "alg": "EdDSA",
                }
            ]
        }
    )

    keys: list[Jwk]


class JwksRoutes:
    def __init__(self, published: Callable[[], Mapping[str, Any]]) -> None:
        self._published = published

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="GET",
                path=JWKS,
                handler=self.get,
                name="getKeySet",
                summary="The public keys that tokens are verified with",
                tag="Server",
                access=Access.ANYBODY,
                answer=KeySet,
                rendering=BARE,
            )
        ]

    async def get(self, _request: web.Request) -> web.Response:
        response = json_response(dict(self._published()))
        response.headers["Cache-Control"] = f"public, max-age={FRESH_FOR}"
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response
