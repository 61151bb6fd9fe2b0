"""A node's pipes and the socket they share, apart from the clients' port: a flood there takes nothing here.

The socket is bound when the first pipe is made, by default on the loopback interface, which nothing outside
the machine can reach. What comes from an address that is no pipe's other end is dropped unread.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable
from dataclasses import dataclass

from sfu.config import NodeConfig
from sfu.control.messages import ConnectPipe, CreatePipe, Event, PipeCreated, PipeHeld
from sfu.errors import NodeCommandError, NotFoundError
from sfu.pipes.pipe import Pipe, PipeState
from sfu.webrtc.plain import PlainInbound, PlainOutbound
from sfu.webrtc.srtp import InboundSrtp, OutboundSrtp, SrtpProfile
from sfu.webrtc.udp import Address, Path, UdpPath, UdpPort

PROFILE = SrtpProfile.AEAD_AES_128_GCM
MAX_SSRCS = 4096
"""Followed per pipe; replay windows take 8 KiB each."""


@dataclass(slots=True)
class _End:
    """A pipe, the address its packets come from once it is connected, and the key of what it sends.

    `port` is what it goes by, and `renewed` what it is to go by instead, once it is connected anew.
    """

    pipe: Pipe
    key: bytes | None
    port: UdpPort
    address: Address | None = None
    renewed: UdpPort | None = None


class NodePipes:
    def __init__(self, config: NodeConfig, emit: Callable[[Event], None]) -> None:
        self._config = config
        self._emit = emit
        self._port: UdpPort | None = None
        self._ends: dict[str, _End] = {}
        self.strangers = 0

    def get(self, pipe_id: str) -> Pipe:
        """Raises `NotFoundError`."""
        return self._end(pipe_id).pipe

    # --- commands ------------------------------------------------------------------------------------

    def create(self, command: CreatePipe) -> PipeCreated:
        """Asking twice gives the same end. Raises `NodeCommandError` when the socket cannot be had."""
        end = self._ends.get(command.pipe_id)
        if end is None:
            port = self._bound()
            key = os.urandom(PROFILE.key_length + PROFILE.salt_length) if command.secure else None
            if key is None and not _is_loopback(self._config.pipe_host):
                raise _insecure(self._config.pipe_host)
            end = self._ends[command.pipe_id] = _End(Pipe(command.pipe_id, self._emit), key, port)
        elif command.renew and end.address is not None:
            if end.renewed is not None:
                self._let_go(end.renewed)
            port = end.renewed = self._another()
        else:
            port = end.renewed or end.port
        return PipeCreated(
            host=self._config.pipe_announce or self._config.pipe_host,
            port=port.number,
            key=None if end.key is None else end.key.hex(),
        )

    def connect(self, command: ConnectPipe, now: float) -> None:
        """Raises `NodeCommandError` for an address or key that cannot be the other end's."""
        end = self._end(command.pipe_id)
        if end.address is not None and end.renewed is None:
            return
        port = end.renewed or end.port
        try:
            address = port.address_of(command.host, command.port)
        except OSError as error:
            raise NodeCommandError("bad_address", f"no pipe can lead to {command.host!r}: {error}") from error
        if port.receivers.get(address) not in (None, end.pipe):
            raise NodeCommandError("exists", f"there is a pipe to {command.host}:{command.port} already")
        path = UdpPath(port, address)
        calls = (port.socket.sendto, port.socket.sendmsg)
        if end.key is None and (command.key is not None or not _is_loopback(command.host)):
            raise _insecure(command.host)
        if end.address is not None:
            self._leave(end)
            end.pipe.reconnect(path, calls, now)
        elif end.key is None:
            end.pipe.connect(path, calls, PlainInbound(), PlainOutbound(), now)
        else:
            theirs = _parse_key(command.key)
            inbound = InboundSrtp(PROFILE, *theirs, max_ssrcs=MAX_SSRCS)
            end.pipe.connect(path, calls, inbound, OutboundSrtp(PROFILE, *_split(end.key)), now)
        end.port, end.address, end.renewed = port, address, None
        port.attach(address, end.pipe)

    def close_pipe(self, pipe_id: str) -> list[str]:
        """Ids of the producers that came by it, which have to be closed now."""
        end = self._ends.pop(pipe_id, None)
        if end is None:
            return []
        self._leave(end)
        if end.renewed is not None:
            self._let_go(end.renewed)
        came = list(end.pipe.receiving)
        end.pipe.close()
        return came

    def forget_producer(self, producer_id: str) -> None:
        """A producer of this node was closed, wherever it came from."""
        for end in self._ends.values():
            end.pipe.stop_sending(producer_id)
            end.pipe.stop_receiving(producer_id)

    # --- sfu.webrtc.udp.PortListener -----------------------------------------------------------------

    def handle_stranger(self, _data: bytes, _path: Path, _now: float) -> None:
        self.strangers += 1

    # --- time, statistics, closing -------------------------------------------------------------------

    @property
    def late_at(self) -> float:
        """See `UdpPort.late_at`."""
        return max((port.late_at for port in self._ports()), default=float("-inf"))

    @property
    def open(self) -> bool:
        """Whether there are any."""
        return bool(self._ends)

    def tick(self, now: float, *, slow: bool, behind: bool = False) -> None:
        """`behind`: the node drops what it reads too late, see `sfu.transport.Host`."""
        for end in self._ends.values():
            if slow or end.pipe.busy:
                end.pipe.tick(now, behind=behind)

    def held(self) -> tuple[PipeHeld, ...]:
        return tuple(
            PipeHeld(
                pipe_id=pipe_id,
                connected=end.address is not None,
                silent=end.pipe.state is PipeState.SILENT,
                sending=tuple(end.pipe.sending),
            )
            for pipe_id, end in self._ends.items()
        )

    def receiving(self, producer_id: str) -> str | None:
        """The pipe that a producer comes by."""
        return next((one for one, end in self._ends.items() if producer_id in end.pipe.receiving), None)

    def counters(self) -> dict[str, float]:
        pipes = [end.pipe for end in self._ends.values()]
        return {
            "pipes": len(pipes),
            "producers_piped_out": sum(len(pipe.sending) for pipe in pipes),
            "producers_piped_in": sum(len(pipe.receiving) for pipe in pipes),
            "pipe_strangers": self.strangers,
            "pipe_media_late": sum(port.late for port in self._ports()),
            "pipe_feedback_late": sum(port.late_feedback for port in self._ports()),
        }

    def stats(self) -> list[dict[str, object]]:
        return [end.pipe.stats() for end in self._ends.values()]

    def close(self) -> None:
        for pipe_id in list(self._ends):
            self.close_pipe(pipe_id)
        if self._port is not None:
            self._port.close()
            self._port = None

    # --- inside --------------------------------------------------------------------------------------

    def _ports(self) -> set[UdpPort]:
        shared = () if self._port is None else (self._port,)
        return {*shared, *(end.port for end in self._ends.values())}

    def _leave(self, end: _End) -> None:
        """Nothing comes for it by its socket any more, which goes if it was its own."""
        if end.address is not None:
            end.port.detach(end.address, end.pipe)
        self._let_go(end.port)

    def _let_go(self, port: UdpPort) -> None:
        if port is not self._port:
            port.close()

    def _another(self) -> UdpPort:
        """A socket for one pipe alone; a fixed port stays what it is, for no other may be open."""
        config = self._config
        if config.pipe_port:
            return self._bound()
        try:
            return UdpPort.bind(config.pipe_host, 0, self, config.late_after)
        except OSError as error:
            raise NodeCommandError(
                "pipe_port", f"cannot bind {config.pipe_host} for a pipe: {error}"
            ) from error

    def _bound(self) -> UdpPort:
        if self._port is None:
            config = self._config
            try:
                self._port = UdpPort.bind(config.pipe_host, config.pipe_port, self, config.late_after)
            except OSError as error:
                where = f"{config.pipe_host}:{config.pipe_port}"
                raise NodeCommandError("pipe_port", f"cannot bind {where} for pipes: {error}") from error
        return self._port

    def _end(self, pipe_id: str) -> _End:
        end = self._ends.get(pipe_id)
        if end is None:
            raise NotFoundError("pipe", pipe_id)
        return end


def _is_loopback(host: str) -> bool:
    return ipaddress.ip_address(host).is_loopback


def _insecure(host: str) -> NodeCommandError:
    return NodeCommandError(
        "insecure_pipe", f"a pipe in the clear stays on the loopback interface, but {host} is not on it"
    )


def _split(key: bytes) -> tuple[bytes, bytes]:
    return key[: PROFILE.key_length], key[PROFILE.key_length :]


def _parse_key(text: str | None) -> tuple[bytes, bytes]:
    try:
        key = bytes.fromhex(text or "")
    except ValueError:
        key = b""
    if len(key) != PROFILE.key_length + PROFILE.salt_length:
        raise NodeCommandError("bad_key", "the other end's key is not one of AES-128-GCM")
    return _split(key)
