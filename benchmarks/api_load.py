"""Requests one after the other on kept connections, as cheaply as may be: it shares the machine with whom it
measures.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

_NANOSECONDS: Final = 1e9


@dataclass(frozen=True, slots=True)
class Measured:
    requests: int
    seconds: float
    cpu: float
    """Seconds of the server's process and its threads."""
    times: tuple[float, ...]
    """Of each answer, seconds, sorted."""

    @property
    def cpu_ms(self) -> float:
        """Of one request."""
        return self.cpu / self.requests * 1000

    def time_ms(self, quantile: float) -> float:
        return self.times[min(len(self.times) - 1, int(quantile * len(self.times)))] * 1000


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> bytes:
        """The body. Raises `AssertionError` for anything but success."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await self._reader.readexactly(length)
        assert head.startswith(b"HTTP/1.1 20"), (head, body)
        return body

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


def to_request(method: str, path: str, authorization: str, body: Mapping[str, Any] | None = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: {authorization}"]
    content = b"" if body is None else json.dumps(body).encode()
    if content:
        lines.append("Content-Type: application/json")
    if method == "POST":
        lines.append(f"Content-Length: {len(content)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + content


async def measure(port: int, pid: int, request: bytes, *, requests: int, connections: int = 1) -> Measured:
    """So many in all, each connection's next as soon as the one before is answered."""
    open_ones = [await Connection.open(port) for _ in range(connections)]
    for one in open_ones:
        await one.ask(request)
    times: list[float] = []

    async def ask(connection: Connection) -> None:
        for _ in range(requests // connections):
            began = time.perf_counter()
            await connection.ask(request)
            times.append(time.perf_counter() - began)

    cpu, began = cpu_seconds(pid), time.perf_counter()
    await asyncio.gather(*(ask(one) for one in open_ones))
    seconds, cpu = time.perf_counter() - began, cpu_seconds(pid) - cpu
    for one in open_ones:
        await one.close()
    return Measured(len(times), seconds, cpu, tuple(sorted(times)))


def cpu_seconds(pid: int) -> float:
    """Of all threads of the process."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            continue  # it has ended
    return total / _NANOSECONDS
