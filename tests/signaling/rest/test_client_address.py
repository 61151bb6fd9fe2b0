from __future__ import annotations

from ipaddress import ip_network

import pytest

from signaling.rest.client_address import client_address

PROXIES = [ip_network("10.0.0.0/8"), ip_network("::1")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "who"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.9"], "192.0.2.1"),  # nobody we know wrote it
        ("10.0.0.1", ["198.51.100.9"], "198.51.100.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.9"], "198.51.100.9"),  # the client wrote the first one itself
        ("10.0.0.1", ["198.51.100.9, 10.0.0.2"], "198.51.100.9"),  # two proxies of ours
        ("10.0.0.1", ["198.51.100.9", "10.0.0.2"], "198.51.100.9"),  # the same in two headers
        ("10.0.0.1", ["198.51.100.9, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.9:4711"], "198.51.100.9"),
        ("::ffff:10.0.0.1", ["198.51.100.9"], "198.51.100.9"),
        ("::1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ("::1", ["[2001:db8:1:2::9]:80"], "2001:db8:1:2::/64"),
        ("fe80::1%eth0", [], "fe80::/64"),
        (None, ["198.51.100.9"], "unknown"),
        ("10.0.0.1", [", ".join(["10.0.0.2"] * 1000)], "10.0.0.2"),
    ],
)
def test_who_is_at_the_other_end(peer: str | None, forwarded: list[str], who: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == who
