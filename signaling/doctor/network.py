"""The network: ports to be bound, addresses that lead here, TURN servers that relay here and nowhere else.

Where the server runs already, its ports are its own: that is said, and what needs them is not looked at.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sfu.errors import StunError
from sfu.probe.echo import UdpEcho
from sfu.probe.turn import TurnClient, TurnRefusedError
from signaling.addresses import AnnouncedAddress, IpAddress, listen_hosts, reachable
from signaling.auth.turn import turn_credential
from signaling.config import Settings
from signaling.doctor.report import Finding, fail, ok, warn
from signaling.errors import InvalidInputError
from signaling.ice_urls import IceUrl, parse_ice_url
from signaling.preflight import check_ports, own_addresses

FORBIDDEN_PEERS: Final = ("127.0.0.1", "169.254.169.254", "10.255.255.254")
PEER_PORT: Final = 9
RELAY_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class PortsCheck:
    settings: Settings
    server_runs: bool

    async def look(self) -> Sequence[Finding]:
        settings = self.settings
        media = f"{settings.udp_ports[0]}-{settings.udp_ports[-1]}"
        found = f"{settings.port}/tcp, {media}/udp and {media}/tcp"
        if self.server_runs:
            return [ok("ports", f"{found}: the server that runs on this data directory has them")]
        try:
            await asyncio.to_thread(check_ports, settings)
        except InvalidInputError as error:
            return [fail("ports", error.message, "stop what has it, or choose another")]
        return [ok("ports", f"{found} can be bound")]


@dataclass(frozen=True, slots=True)
class AddressesCheck:
    """Sends a datagram to each announced address and waits for it at our own media port."""

    settings: Settings
    server_runs: bool

    async def look(self) -> Sequence[Finding]:
        settings, own = self.settings, own_addresses()
        announced = settings.announced or tuple(map(AnnouncedAddress, reachable(own)))
        if not announced:
            return [warn("announced addresses", "this machine has loopback only", "name one: --announce")]
        if self.server_runs:
            proven = dict.fromkeys(announced, None)
        else:
            proven = await self._send(announced, listen_hosts(settings.announced, own))
        return [
            judge_address(one, own, external=settings.announce_external, arrived=arrived)
            for one, arrived in proven.items()
        ]

    async def _send(
        self, announced: Iterable[AnnouncedAddress], hosts: Sequence[str]
    ) -> dict[AnnouncedAddress, bool | None]:
        port = self.settings.udp_ports[0]
        if port == 0:
            return dict.fromkeys(announced, None)
        try:
            with UdpEcho.listening(hosts, port) as echo:
                return {one: await echo.reaches(str(one.public), port) for one in announced}
        except OSError:  # the ports check says why
            return dict.fromkeys(announced, None)


def judge_address(
    one: AnnouncedAddress, own: Iterable[IpAddress], *, external: bool, arrived: bool | None
) -> Finding:
    """`arrived`: whether a datagram to it came to our port; None: that was not tried."""
    check, name = (
        "announced address",
        str(one.public) + (f" (mapped to {one.private})" if one.private else ""),
    )
    ours = one.ours in own
    if not ours and (one.private is not None or not external):
        has = ", ".join(map(str, own))
        advice = f"announce one of {has}; behind NAT {one.public}=<one of them>, or --announce-external"
        return fail(check, f"{name}: {one.ours} is not an address of this machine", advice)
    if arrived:
        how = "is ours and a datagram to it arrives" if ours else "a datagram to it arrives here"
        return ok(check, f"{name} {how}; whether a firewall lets the outside in cannot be seen from here")
    if arrived is None:
        found = f"{name} is ours" if ours else f"{name} is said to be brought here"
        return (ok if ours else _unproven)(check, f"{found}; its port was not tried")
    if ours and one.private is None:
        advice = "look at this machine's packet filter: the media ports must take UDP"
        return fail(check, f"{name} is ours, but a datagram to its media port does not arrive", advice)
    return _unproven(check, f"{name}: a datagram from inside does not arrive")


def _unproven(check: str, found: str) -> Finding:
    advice = (
        "many NATs do not bring their own inside back in, so this proves nothing: try from outside, and see "
        "that the media ports are forwarded one to one, UDP and TCP"
    )
    return warn(check, found, advice)


@dataclass(frozen=True, slots=True)
class TurnCheck:
    """Allocates a relay with a credential as clients get it, and sends through it to our own media port."""

    settings: Settings
    now: datetime
    server_runs: bool

    async def look(self) -> Sequence[Finding]:
        if not self.settings.turn_url:
            advice = "clients whose network lets out nothing but 443 or 3478 cannot join without: --turn-url"
            return [warn("TURN", "no TURN server is configured", advice)]
        findings: list[Finding] = []
        for text in self.settings.turn_url:
            findings += await self._ask(parse_ice_url(text))
        return findings

    async def _ask(self, url: IceUrl) -> list[Finding]:
        name = f"TURN {url.text}"
        tls = ssl.create_default_context() if url.secure else None
        try:
            async with TurnClient.connect(url.host, url.port, transport=url.transport, tls=tls) as turn:
                return await self._allocate(name, turn)
        except ssl.SSLError as error:
            return [fail(name, f"TLS: {error.reason or error}", "give coturn a certificate for this name")]
        except TurnRefusedError as refused:
            return [judge_refusal(name, refused.code, refused.reason)]
        except (OSError, StunError, EOFError) as error:  # a TimeoutError too
            found = "does not answer" if isinstance(error, TimeoutError) else str(error)
            advice = "see that coturn runs, that the name leads to it and that the port is open"
            return [fail(name, found, advice)]

    async def _allocate(self, name: str, turn: TurnClient) -> list[Finding]:
        secret = self.settings.turn_secret
        assert secret is not None, "the settings see to it that TURN has a secret"
        ends = self.now + timedelta(seconds=self.settings.turn_ttl)
        credential = turn_credential(secret.get_secret_value(), "doctor", ends)
        relayed, _ = await turn.allocate(credential.username, credential.password)
        findings = [ok(name, f"gives relays, at {relayed}")]
        findings += [await self._relay_here(name, turn, peer) for peer in self._peers(relayed)]
        open_to = [
            peer for peer in FORBIDDEN_PEERS if peer not in self._announced() and await _relays_to(turn, peer)
        ]
        if open_to:
            advice = "every participant can send into your network: use the output of rostrum turn-config"
            findings.append(fail(name, f"it relays to {', '.join(open_to)}", advice))
        else:
            findings.append(ok(name, "it refuses to relay to loopback and private addresses"))
        return findings

    def _announced(self) -> list[str]:
        public = [one.public for one in self.settings.announced] or reachable(own_addresses())
        return [str(address) for address in public]

    def _peers(self, relayed: str) -> list[str]:
        return [peer for peer in self._announced() if (":" in peer) == (":" in relayed)]

    async def _relay_here(self, name: str, turn: TurnClient, peer: str) -> Finding:
        try:
            await turn.create_permission((peer, self.settings.udp_ports[0] or PEER_PORT))
        except TurnRefusedError as refused:
            advice = "coturn must allow the announced addresses: use the output of rostrum turn-config"
            return fail(name, f"it does not relay to {peer}: {refused}", advice)
        if self.server_runs or not self.settings.udp_ports[0]:
            return ok(name, f"may relay to {peer}")
        if await self._arrives(turn, peer):
            return ok(name, f"relays to our media port at {peer}, and back")
        advice = "open the media ports (UDP) to the TURN server, and see that the address leads here from it"
        return warn(name, f"what is sent through the relay to {peer} does not come back", advice)

    async def _arrives(self, turn: TurnClient, peer: str) -> bool:
        port = self.settings.udp_ports[0]
        try:
            with UdpEcho.listening(listen_hosts(self.settings.announced, own_addresses()), port) as echo:
                transaction = b"rostrum-echo"
                for _ in range(RELAY_ATTEMPTS):
                    await turn.send((peer, port), echo.request(transaction))
                    try:
                        _, answer = await turn.receive(within=0.7)
                    except TimeoutError:
                        continue
                    if echo.is_answer(answer, transaction):
                        return True
        except OSError:  # the ports check says why
            return False
        return False


def judge_refusal(name: str, code: int, reason: str) -> Finding:
    if code == 401:
        advice = (
            "its static-auth-secret must be our --turn-secret, and both clocks right (rostrum turn-config)"
        )
        return fail(name, "it does not take our credentials", advice)
    if code == 486:
        advice = "many relays are in use, or old ones of this doctor: look again, or raise total-quota"
        return warn(name, "its quota is used up", advice)
    return fail(name, f"it gives no relay: {code} {reason}", "see coturn's log")


async def _relays_to(turn: TurnClient, peer: str) -> bool:
    try:
        await turn.create_permission((peer, PEER_PORT))
    except TurnRefusedError:
        return False
    return True
