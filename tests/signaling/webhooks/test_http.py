"""One attempt, against real sockets on loopback."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from signaling.clock import SystemClock
from signaling.domain.webhook import Target
from signaling.domain.webhook_delivery import MAX_RESPONSE, Attempt
from signaling.webhooks.addresses import AddressPolicy, Lookup
from signaling.webhooks.http import MAX_HEADER_VALUE, MAX_HEADERS, HttpSender
from signaling.webhooks.key_ring import WebhookKeyRing
from signaling.webhooks.signing import WebhookKeys
from tests.signaling import values
from tests.support.turn_certificate import write_certificate
from tests.support.webhook_receiver import Received, raw_server, receiver

LOOPBACK = AddressPolicy((ipaddress.ip_network("127.0.0.1/32"),), http=True)
KEYS = WebhookKeyRing.of(WebhookKeys.generate(), SystemClock())
ACME = values.organization()
DELIVERY = values.deliveries(values.session(values.meeting(ACME)), values.webhook(ACME))[0]
LONG = 30.0
SHORT = 0.2
LONG_ENOUGH = 2.0
"""For an answer from loopback to have come, on a machine that is busy."""


@asynccontextmanager
async def sender(
    policy: AddressPolicy = LOOPBACK, *, lookup: Lookup | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[HttpSender]:
    made = HttpSender(policy, KEYS, SystemClock(), version="1", lookup=lookup, tls=tls)
    try:
        yield made
    finally:
        await made.close()


async def sent(url: str, *, timeout: float = LONG, by: HttpSender | None = None) -> Attempt:
    target = Target(url, None, timeout)
    if by is not None:
        return await by.send(DELIVERY, target, url, 1)
    async with sender() as one:
        return await one.send(DELIVERY, target, url, 1)


def found_at(*answers: str, asked: list[str] | None = None) -> Lookup:
    """Names stand for the first address when they are first looked up, then for the second, ..."""
    left = list(answers)

    def lookup(host: str, port: int, _family: int) -> list[tuple[Any, ...]]:
        if asked is not None:
            asked.append(host)
        address = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    return lookup


async def test_an_attempt_is_a_signed_post_and_its_answer_is_kept() -> None:
    async with receiver() as there:

        async def answer(_one: Received) -> web.Response:
            return web.Response(status=202, text="thanks", headers={"x-theirs": "1"})

        there.answer = answer
        attempt = await sent(f"{there.url}/hook?token=2")
    (got,) = there.received
    assert (got.path, got.body) == ("/hook", DELIVERY.body.encode())
    assert {name: got.headers[name] for name in attempt.request_headers} == dict(attempt.request_headers)
    assert got.headers["user-agent"] == "Rostrum-Webhooks/1"
    assert attempt.succeeded
    assert (attempt.status, attempt.response_body, attempt.error) == (202, "thanks", None)
    assert attempt.response_headers is not None
    assert attempt.response_headers["x-theirs"] == "1"
    assert attempt.duration > 0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.asvs("1.3.6")
async def test_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    async with receiver() as there, receiver() as elsewhere:

        async def answer(_one: Received) -> web.Response:
            return web.Response(status=status, headers={"location": elsewhere.url})

        there.answer = answer
        attempt = await sent(there.url)
    assert not attempt.succeeded
    assert attempt.error == f"answered with {status}; redirects are not followed"
    assert (len(there.received), len(elsewhere.received)) == (1, 0)


async def test_an_answer_of_an_error_is_a_failure_with_what_was_said() -> None:
    async with receiver() as there:

        async def answer(_one: Received) -> web.Response:
            return web.Response(status=500, body=b"no\0 \xff")

        there.answer = answer
        attempt = await sent(there.url)
    assert not attempt.succeeded
    assert (attempt.status, attempt.error) == (500, "answered with 500")
    assert attempt.response_body == "no\ufffd \ufffd"


async def test_whoever_does_not_answer_in_time_has_failed() -> None:
    async with raw_server(b"", hold=True) as url:
        attempt = await sent(url, timeout=SHORT)
    assert (attempt.status, attempt.error) == (None, f"no answer within {SHORT} s")
    assert not attempt.succeeded


async def test_an_answer_that_does_not_end_is_an_answer() -> None:
    async with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbeg", hold=True) as url:
        attempt = await sent(url, timeout=LONG_ENOUGH)
    assert attempt.succeeded
    assert attempt.status == 200


async def test_of_a_long_answer_no_more_than_a_bound_is_read() -> None:
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MAX_RESPONSE + 100)
    async with raw_server(endless, hold=True) as url:
        attempt = await sent(url)
    assert attempt.succeeded
    assert attempt.response_body == "x" * MAX_RESPONSE


async def test_a_compressed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    async with raw_server(head + bomb) as url:
        attempt = await sent(url)
    assert attempt.succeeded
    assert attempt.response_body is not None
    assert len(attempt.response_body) <= MAX_RESPONSE
    assert "000000" not in attempt.response_body


async def test_of_many_and_long_headers_some_and_their_beginnings_are_kept() -> None:
    many = "".join(f"x-{number}: {'y' * 1000}\r\n" for number in range(60))
    async with raw_server(f"HTTP/1.1 200 OK\r\n{many}\r\n".encode()) as url:
        attempt = await sent(url)
    assert attempt.response_headers is not None
    assert len(attempt.response_headers) == MAX_HEADERS
    assert {len(value) for value in attempt.response_headers.values()} == {MAX_HEADER_VALUE}


async def test_headers_that_are_no_text_are_kept_as_what_can_be_shown() -> None:
    async with raw_server(b"HTTP/1.1 200 OK\r\nx-theirs: a\xff\xfeb\r\n\r\n") as url:
        attempt = await sent(url)
    assert attempt.response_headers is not None
    assert attempt.response_headers["x-theirs"].encode() == "a\ufffd\ufffdb".encode()


@pytest.mark.parametrize("said", [b"220 smtp.example ESMTP\r\n", b"\x16\x03\x01\x02", b""])
async def test_what_is_not_http_is_a_failure(said: bytes) -> None:
    async with raw_server(said) as url:
        attempt = await sent(url)
    assert not attempt.succeeded
    assert attempt.status is None
    assert attempt.error


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    certificate = write_certificate(tmp_path, "127.0.0.1")
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate.path, certificate.key)
    application = web.Application()
    application.router.add_post("/", _thanks)
    there = TestServer(application, host="127.0.0.1", scheme="https")
    await there.start_server(ssl=ours)
    url = f"https://127.0.0.1:{there.port}/"
    try:
        assert (await sent(url)).error == "the certificate is not trusted"
        async with sender(tls=ssl.create_default_context(cafile=certificate.path)) as trusting:
            assert (await sent(url, by=trusting)).succeeded
    finally:
        await there.close()


async def _thanks(_request: web.Request) -> web.Response:
    return web.Response()


async def test_nobody_there_is_a_failure() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        attempt = await sent(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert attempt.error is not None
    assert attempt.error.startswith("no connection")


# --- where it may go -----------------------------------------------------------------------------------


@pytest.mark.asvs("1.3.6")
async def test_a_private_address_is_not_connected_to_whatever_it_is_called() -> None:
    async with receiver() as there, sender(AddressPolicy(http=True)) as one:
        literal = await sent(there.url, by=one)
        port = there.url.rpartition(":")[2]
        named = await sent(f"http://localhost:{port}/", by=one)
    for attempt in (literal, named):
        assert attempt.error is not None
        assert attempt.error.startswith("refused: "), attempt.error
    assert not there.received


@pytest.mark.asvs("1.3.6")
async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    asked: list[str] = []
    async with receiver() as there:
        port = there.url.rpartition(":")[2]
        # A second look-up would find an address that nothing listens on.
        async with sender(lookup=found_at("127.0.0.1", "127.0.0.2", asked=asked)) as one:
            attempt = await sent(f"http://hooks.example:{port}/", by=one)
    assert attempt.succeeded
    assert asked == ["hooks.example"]
    assert there.received[0].headers["host"] == f"hooks.example:{port}"


@pytest.mark.asvs("1.3.6")
async def test_a_name_that_is_bound_to_a_private_address_later_is_refused_then() -> None:
    async with receiver() as there:
        port = there.url.rpartition(":")[2]
        for address, arrives in (("127.0.0.1", 1), ("127.0.0.2", 1)):
            async with sender(lookup=found_at(address)) as one:
                attempt = await sent(f"http://hooks.example:{port}/", by=one)
            assert attempt.succeeded is (address == "127.0.0.1")
            assert len(there.received) == arrives
    assert attempt.error == "refused: 127.0.0.2 is not a public address"


@pytest.mark.asvs("1.3.6")
async def test_no_proxy_of_the_environment_and_no_cookie_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as there, receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)

        async def answer(_one: Received) -> web.Response:
            return web.Response(headers={"set-cookie": "a=b"})

        there.answer = answer
        async with sender() as one:
            for _ in range(2):
                await sent(there.url, by=one)
    assert ["cookie" in one.headers for one in there.received] == [False, False]
    assert not proxy.received
