"""ICE (RFC 8445): the lite agent of the node, and the controlling side for bots. Sans-IO.

A lite agent has one known address and never checks anything itself: it answers checks that carry its
credentials, and follows the pair the client nominates. The username of a check is "ours:theirs"; our half
also tells, among all clients of one port, whom a datagram from an unknown address belongs to.

    client                                           node
      │ Binding request, USERNAME "ours:theirs",       │
      │ MESSAGE-INTEGRITY with our password            │
      ├───────────────────────────────────────────────▶│ handle_request: the address is valid
      │◀───────────────────────────────────────────────┤ Binding success, XOR-MAPPED-ADDRESS
      │ the same with USE-CANDIDATE                    │
      ├───────────────────────────────────────────────▶│ ... and nominated

An ICE restart gives the agent new credentials; checks that are under way with the old ones are answered for
some seconds more (RFC 8445 section 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from sfu.errors import StunError
from sfu.webrtc.candidate import candidate_priority
from sfu.webrtc.stun import (
    BINDING_ERROR,
    BINDING_REQUEST,
    BINDING_SUCCESS,
    ERROR_CODE,
    HEADER_LENGTH,
    ICE_CONTROLLED,
    ICE_CONTROLLING,
    PRIORITY,
    UNKNOWN_ATTRIBUTES,
    USE_CANDIDATE,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    StunMessage,
    build_stun,
    encode_error,
    encode_xor_address,
    is_stun,
    parse_stun,
)
from sfu.webrtc.usual_check import UsualCheck

RESTART_GRACE = 10.0
"""Seconds for which the credentials of before a restart are still good."""

ERRORS = {
    400: "Bad Request",
    401: "Unauthenticated",
    420: "Unknown Attribute",
    487: "Role Conflict",
}


@dataclass(frozen=True, slots=True)
class IceCredentials:
    ufrag: str
    pwd: str

    def __repr__(self) -> str:
        return f"IceCredentials({self.ufrag!r})"


class IceResult(NamedTuple):
    """What came of a request. `response` goes back to where it came from; None: say nothing.

    `valid`: the request authenticated, so its address belongs to the client. `nominated`: and the client
    wants this address used from now on.
    """

    response: bytes | None = None
    nominated: bool = False
    valid: bool = False


DROPPED = IceResult()


@dataclass(slots=True)
class _Generation:
    """One pair of credentials between two restarts; `remote_ufrag` None: the client's are not known yet."""

    local: IceCredentials
    remote_ufrag: str | None = None
    expires_at: float | None = None

    def admits(self, local_ufrag: str, remote_ufrag: str, now: float) -> bool:
        return (
            local_ufrag == self.local.ufrag
            and (self.remote_ufrag is None or remote_ufrag == self.remote_ufrag)
            and (self.expires_at is None or now < self.expires_at)
        )


class IceLiteAgent:
    """Answers the connectivity checks of one client.

    A check may come before the client's own credentials do (its answer is still under way): then only our
    half of the username and the integrity under our password count, which is what proves that the sender
    has our SDP.
    """

    def __init__(self, local_ufrag: str, local_pwd: str) -> None:
        self._current = _Generation(IceCredentials(local_ufrag, local_pwd))
        self._previous: _Generation | None = None
        self._usual: UsualCheck | None = None
        """The last check that was good, as which the next one mostly comes again."""
        self.last_valid_check: float | None = None
        self.rejected = 0

    @property
    def local(self) -> IceCredentials:
        return self._current.local

    def set_remote(self, ufrag: str, pwd: str) -> None:
        """Say what the client's SDP announced. A lite agent sends no checks, so it has no use for `pwd`."""
        self._current.remote_ufrag = ufrag
        self._usual = None

    def restart(self, ufrag: str, pwd: str, now: float) -> None:
        """Take new local credentials; the old ones hold for another `RESTART_GRACE` seconds."""
        self._usual = None
        self._current.expires_at = now + RESTART_GRACE
        self._previous = self._current
        self._current = _Generation(IceCredentials(ufrag, pwd))

    def handle_request(self, data: bytes, address: tuple[Any, ...], now: float) -> IceResult:
        """Take in a datagram from `address`. Never raises: what is not a check of this client is dropped.

        Errors are answered (RFC 8489 section 9.1.3), but to those who did not authenticate never with more
        bytes than came in, so nobody can have others flooded by us.
        """
        usual = self._usual
        if usual is not None and usual.matches(data):
            self.last_valid_check = now
            return IceResult(usual.answer(data[8:20], address), nominated=usual.nominates, valid=True)
        try:
            request = parse_stun(data)
        except StunError:
            return self._reject(DROPPED)
        if request.type != BINDING_REQUEST or not request.has_fingerprint:
            return self._reject(DROPPED)
        username = request.username
        if username is None or request.integrity is None:
            return self._reject(self._error(400, request, data))
        generation = self._find_generation(username, now)
        if generation is None:
            return self._reject(self._error(401, request, data))
        key = generation.local.pwd.encode()
        if not request.verify_integrity(key):
            return self._reject(self._error(401, request, data))
        if request.unknown_attributes:
            return self._reject(self._error(420, request, data, key))
        if ICE_CONTROLLED in request.attributes:
            # A lite agent is always the controlled one, so whoever claims that has to switch
            # (RFC 8445 section 7.3.1.1 with the lowest tie-breaker on our side).
            return self._reject(self._error(487, request, data, key))
        nominated = USE_CANDIDATE in request.attributes
        if generation is self._current and UsualCheck.can_be(data):
            self._usual = UsualCheck(data, key, nominates=nominated)
        self.last_valid_check = now
        mapped = (XOR_MAPPED_ADDRESS, encode_xor_address(address, request.transaction_id))
        response = build_stun(BINDING_SUCCESS, request.transaction_id, [mapped], key=key)
        return IceResult(response, nominated=nominated, valid=True)

    def _find_generation(self, username: str, now: float) -> _Generation | None:
        local_ufrag, colon, remote_ufrag = username.partition(":")
        for generation in (self._current, self._previous):
            if colon and generation is not None and generation.admits(local_ufrag, remote_ufrag, now):
                return generation
        return None

    def _reject(self, result: IceResult) -> IceResult:
        self.rejected += 1
        return result

    @staticmethod
    def _error(code: int, request: StunMessage, data: bytes, key: bytes | None = None) -> IceResult:
        attributes = [(ERROR_CODE, encode_error(code, ERRORS[code]))]
        if code == 420:
            unknown = b"".join(kind.to_bytes(2, "big") for kind in request.unknown_attributes)
            attributes.append((UNKNOWN_ATTRIBUTES, unknown))
        response = build_stun(BINDING_ERROR, request.transaction_id, attributes, key=key)
        return IceResult(response) if key is not None or len(response) <= len(data) else DROPPED


def username_fragment(data: bytes) -> str | None:
    """Our half of the USERNAME of a Binding request, without checking anything else; None if there is none.

    Cheap, for finding out to which client a datagram from an unknown address claims to belong.
    """
    if not is_stun(data) or int.from_bytes(data[:2], "big") != BINDING_REQUEST:
        return None
    offset = HEADER_LENGTH
    while offset + 4 <= len(data):
        kind = int.from_bytes(data[offset : offset + 2], "big")
        length = int.from_bytes(data[offset + 2 : offset + 4], "big")
        offset += 4
        if kind == USERNAME:
            fragment, colon, _ = data[offset : offset + length].partition(b":")
            return fragment.decode("ascii", "replace") if colon else None
        offset += length + -length % 4
    return None


RETRANSMIT_FIRST = 0.1
RETRANSMIT_MAX = 1.6
KEEPALIVE = 2.5
CONSENT_TIMEOUT = 30.0
MAX_TRANSACTIONS = 16
CHECK_PRIORITY = candidate_priority("prflx", 65535)


class IceController:
    """A client's side towards one agent at one address: for bots and tests. It controls, unless it is told to
    leave that to the other one, which is not lite then.

    The owner sends what `make_check` gives whenever the clock passes `next_check_at`, with a transaction id
    it draws at random, and feeds answers to `handle_response`. Until the first answer checks come ever more
    slowly; after it, every `KEEPALIVE` seconds, to keep consent fresh (RFC 7675).
    """

    def __init__(
        self,
        local: IceCredentials,
        remote: IceCredentials,
        *,
        tie_breaker: int = 1,
        controlling: bool = True,
    ) -> None:
        self.local = local
        self.remote = remote
        self.next_check_at = 0.0
        self.mapped_address: tuple[str, int] | None = None
        self.last_response: float | None = None
        self.rejected = 0
        self._tie_breaker = tie_breaker
        self._controlling = controlling
        self._interval = RETRANSMIT_FIRST
        self._transactions: dict[bytes, None] = {}

    @property
    def is_valid(self) -> bool:
        """Whether a check was ever answered."""
        return self.last_response is not None

    def has_consent(self, now: float) -> bool:
        return self.last_response is not None and now - self.last_response < CONSENT_TIMEOUT

    def make_check(
        self, transaction_id: bytes, now: float, *, nominate: bool = True, priority: int = 1
    ) -> bytes:
        """Print a check and put off the next one."""
        self._transactions[transaction_id] = None
        while len(self._transactions) > MAX_TRANSACTIONS:
            del self._transactions[next(iter(self._transactions))]
        if self.is_valid:
            self._interval = KEEPALIVE
        self.next_check_at = now + self._interval
        self._interval = min(2 * self._interval, RETRANSMIT_MAX)
        attributes = [
            (USERNAME, f"{self.remote.ufrag}:{self.local.ufrag}".encode()),
            (PRIORITY, CHECK_PRIORITY.to_bytes(4, "big")),
            (ICE_CONTROLLING if self._controlling else ICE_CONTROLLED, self._tie_breaker.to_bytes(8, "big")),
        ]
        if nominate and self._controlling:
            attributes.append((USE_CANDIDATE, b""))
        return build_stun(BINDING_REQUEST, transaction_id, attributes, key=self.remote.pwd.encode())

    def answer(self, data: bytes, address: tuple[Any, ...]) -> bytes | None:
        """The answer to a check of an agent that is not lite; None to what is no check of its."""
        try:
            request = parse_stun(data)
            key = self.local.pwd.encode()
            if request.type != BINDING_REQUEST or not request.verify_integrity(key):
                return None
        except StunError:
            return None
        mapped = (XOR_MAPPED_ADDRESS, encode_xor_address(address, request.transaction_id))
        return build_stun(BINDING_SUCCESS, request.transaction_id, [mapped], key=key)

    def handle_response(self, data: bytes, now: float) -> bool:
        """Take in a datagram; True when it is an authentic success for a check of ours."""
        try:
            response = parse_stun(data)
            if (
                response.type != BINDING_SUCCESS
                or response.transaction_id not in self._transactions
                or not response.verify_integrity(self.remote.pwd.encode())
            ):
                self.rejected += 1
                return False
            self.mapped_address = response.mapped_address
        except StunError:
            self.rejected += 1
            return False
        del self._transactions[response.transaction_id]
        self.last_response = now
        self.next_check_at = now + KEEPALIVE
        return True
