"""The web client's copy of the protocol is the protocol."""

from __future__ import annotations

import json
from pathlib import Path

from signaling.protocol.schema import schema

COPY = Path(__file__).parents[2] / "web" / "packages" / "protocol" / "schema.json"


def test_the_web_client_knows_the_protocol_as_it_is() -> None:
    message = "run: python -m signaling.protocol.schema > web/packages/protocol/schema.json; npm run generate"
    assert json.loads(COPY.read_text()) == schema(), message
