"""A bot's connection that does not come about says how far it got."""

from __future__ import annotations

import socket

import pytest

from sfu.bot import BotError
from sfu.bots import association as association_module
from sfu.bots.description import Candidate, RemoteDescription
from tests.support.world import OPTIONS


async def test_where_nobody_answers_it_is_said_who_was_asked_and_how_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(association_module, "CONNECT_TIMEOUT", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        candidate = Candidate("udp", "127.0.0.1", port)
        remote = RemoteDescription("theirs", "p" * 24, (("sha-256", "AA"),), (candidate,), ())
        association = OPTIONS.association()
        try:
            told = rf"no connectivity check was answered: [1-9]\d* sent to 127\.0\.0\.1 port {port}, 0 "
            with pytest.raises(BotError, match=told):
                await association.connect(remote)
        finally:
            association.close()
