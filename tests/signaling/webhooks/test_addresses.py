from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Any

import pytest

from signaling.errors import ValidationFailedError
from signaling.webhooks.addresses import AddressPolicy, AddressRefusedError, CheckedResolver

REFUSED = (
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
    "4000::1",
)
PUBLIC = (
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
)


@pytest.mark.parametrize("text", REFUSED)
@pytest.mark.asvs("1.3.6")
def test_nothing_is_sent_to_an_address_that_is_not_public(text: str) -> None:
    with pytest.raises(AddressRefusedError):
        AddressPolicy().check_address(text)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_permitted(text: str) -> None:
    AddressPolicy().check_address(text)


def test_what_the_operator_allows_is_permitted_and_nothing_beside_it() -> None:
    policy = AddressPolicy((ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00:1::/32")))
    for text in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd00:1::5"):
        policy.check_address(text)
    for text in ("10.2.2.3", "127.0.0.1", "fd00:2::5", "169.254.169.254"):
        with pytest.raises(AddressRefusedError):
            policy.check_address(text)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example/path?token=1",
        "https://hooks.example:8443/",
        "https://bücher.example/",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/",
    ],
)
def test_a_url_that_something_can_be_sent_to_is_taken(url: str) -> None:
    AddressPolicy().check(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example/", "https"),
        ("ftp://hooks.example/", "https"),
        ("file:///etc/passwd", "https"),
        ("//hooks.example/", "https"),
        ("hooks.example", "https"),
        ("", "https"),
        ("https://", "host"),
        ("https:///path", "host"),
        ("https://user:secret@hooks.example/", "credentials"),
        ("https://user@hooks.example/", "credentials"),
        ("https://hooks.example/#part", "fragment"),
        ("https://hooks.example:99999/", "URL"),
        ("https://hooks.example:0/", "host"),
        ("https://hooks.example/a b", "characters"),
        ("https://hooks.example\\@evil.example/", "characters"),
        ("https://hooks.example/\r\nHost: evil", "characters"),
        ("https://127.0.0.1/", "public"),
        ("https://2130706433/", "unusual"),
        ("https://127.1/", "unusual"),
        ("https://0x7f.1/", "unusual"),
        ("https://0x7f000001./", "unusual"),
        ("https://0177.0.0.1/", "unusual"),
        ("https://[::1]/", "public"),
        ("https://[::ffff:7f00:1]/", "public"),
        ("https://[fe80::1%25eth0]/", "public"),
        ("https://\uff11\uff12\uff17.0.0.1/", "public"),
        ("https://hooks.example/" + "x" * 2048, "longer"),
    ],
)
@pytest.mark.asvs("1.3.6")
def test_a_url_that_nothing_would_be_sent_to_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(ValidationFailedError, match=why) as refused:
        AddressPolicy().check(url)
    assert "secret" not in str(refused.value)


def test_http_is_for_whoever_allows_it() -> None:
    AddressPolicy(http=True).check("http://hooks.example/")


def answering(*addresses: str) -> Any:
    def lookup(_host: str, port: int, _family: int) -> list[tuple[Any, ...]]:
        return [
            (
                socket.AF_INET6 if ":" in one else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (one, port, 0, 0) if ":" in one else (one, port),
            )
            for one in addresses
        ]

    return lookup


async def test_a_name_stands_for_its_addresses() -> None:
    resolver = CheckedResolver(AddressPolicy(), answering("8.8.8.8", "2606:4700:4700::1111"))
    found = await resolver.resolve("hooks.example", 443)
    assert [(one["host"], one["port"]) for one in found] == [
        ("8.8.8.8", 443),
        ("2606:4700:4700::1111", 443),
    ]


@pytest.mark.parametrize("private", ["127.0.0.1", "169.254.169.254", "::1"])
@pytest.mark.asvs("1.3.6")
async def test_a_name_that_stands_for_a_private_address_too_is_refused_as_a_whole(private: str) -> None:
    resolver = CheckedResolver(AddressPolicy(), answering("8.8.8.8", private))
    with pytest.raises(AddressRefusedError):
        await resolver.resolve("hooks.example", 443)


@pytest.mark.parametrize("name", ["localhost", "0x7f.1", "2130706433", "127.1", "0177.0.0.1"])
@pytest.mark.asvs("1.3.6")
async def test_other_spellings_of_loopback_are_seen_through(name: str) -> None:
    with pytest.raises(AddressRefusedError):
        await CheckedResolver(AddressPolicy()).resolve(name, 443)


async def test_a_name_server_that_does_not_answer_keeps_no_other_look_up_waiting() -> None:
    import threading

    silent = threading.Event()
    quick = answering("8.8.8.8")

    def lookup(host: str, port: int, family: int) -> Any:
        if host != "quick.example":
            silent.wait()
        return quick(host, port, family)

    resolver = CheckedResolver(AddressPolicy(), lookup)
    waiting = [asyncio.create_task(resolver.resolve(f"slow-{n}.example")) for n in range(40)]
    await asyncio.sleep(0)
    try:
        assert await resolver.resolve("quick.example")
    finally:
        silent.set()
        await asyncio.gather(*waiting)


async def test_a_name_that_is_none_is_an_error_of_the_network() -> None:
    with pytest.raises(OSError, match="is not a name"):
        await CheckedResolver(AddressPolicy()).resolve("a" * 70 + ".example", 443)
