"""Credentials for the TURN server that need no account there, since they carry their own end
(draft-uberti-behave-turn-rest).

    username      <Unix time at which it ends>:<who>
    credential    base64(HMAC-SHA1(secret, username))

The TURN server knows the secret and computes the same. `who` is a pseudonym: it tells the TURN server which
allocations belong together, so that its per-user quota holds for a participant however often they come back,
and tells nobody who they are. The secret never leaves this module but as a key.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from signaling.protocol.messages import IceServer
from signaling.services.live.ports import IceServerOffer

_PSEUDONYM_LENGTH: Final = 20


@dataclass(frozen=True, slots=True)
class TurnCredential:
    username: str
    password: str

    def __repr__(self) -> str:
        return f"TurnCredential({self.username!r})"


def turn_credential(secret: str, who: str, expires_at: datetime) -> TurnCredential:
    """`who` travels in the clear."""
    username = f"{int(expires_at.timestamp())}:{who}"
    digest = hmac.digest(secret.encode(), username.encode(), "sha1")
    return TurnCredential(username, base64.b64encode(digest).decode())


class IceServerList:
    """Implements `signaling.services.live.ports.IceServers` from the settings."""

    def __init__(
        self,
        *,
        stun_urls: Sequence[str] = (),
        turn_urls: Sequence[str] = (),
        secret: str | None = None,
        ttl: float = 3600.0,
    ) -> None:
        assert secret or not turn_urls, "the settings see to it that TURN has a secret"
        self._stun = tuple(stun_urls)
        self._turn = tuple(turn_urls)
        self._secret = secret or ""
        self._ttl = ttl

    def offer(self, participant_id: str, now: datetime) -> IceServerOffer:
        servers = [IceServer(urls=self._stun)] if self._stun else []
        if not self._turn:
            return IceServerOffer(tuple(servers), None)
        expires_at = datetime.fromtimestamp(now.timestamp() + self._ttl, now.tzinfo)
        credential = turn_credential(self._secret, self._pseudonym(participant_id), expires_at)
        servers.append(
            IceServer(urls=self._turn, username=credential.username, credential=credential.password)
        )
        return IceServerOffer(tuple(servers), self._ttl)

    def _pseudonym(self, participant_id: str) -> str:
        digest = hmac.digest(self._secret.encode(), b"pseudonym " + participant_id.encode(), "sha256")
        return digest.hex()[:_PSEUDONYM_LENGTH]
