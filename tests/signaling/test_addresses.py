from __future__ import annotations

from ipaddress import ip_address

import pytest

from signaling.addresses import listen_hosts, parse_all_announced, parse_announced
from signaling.config import load_settings
from signaling.errors import InvalidInputError

OWN = [ip_address(text) for text in ("127.0.0.1", "10.0.0.5", "10.0.0.6", "::1", "fe80::1", "2001:db8::5")]


def hosts(*announced: str) -> tuple[str, ...]:
    return listen_hosts(parse_all_announced(announced), OWN)


def test_an_address_may_be_mapped_to_one_behind_nat() -> None:
    announced = parse_announced("203.0.113.7=10.0.0.5")
    assert (str(announced.public), str(announced.private)) == ("203.0.113.7", "10.0.0.5")
    assert str(announced.ours) == "10.0.0.5"
    assert str(parse_announced("2001:db8::5").ours) == "2001:db8::5"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("here", "is not an IP address"),
        ("127.0.0.1:80", "is not an IP address"),
        ("0.0.0.0", "nobody can send to"),
        ("255.255.255.255", "nobody can send to"),
        ("224.0.0.1", "nobody can send to"),
        ("ff02::1", "nobody can send to"),
        ("::ffff:10.0.0.5", "write 10.0.0.5"),
        ("fe80::1", "on every link"),
        ("203.0.113.7=", "is not an IP address"),
        ("203.0.113.7=2001:db8::5", "one IP version to the other"),
        ("10.0.0.5=10.0.0.5", "to itself"),
    ],
)
def test_what_clients_could_not_send_to_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=f"--announce: .*{reason}"):
        load_settings({"announce": (text,)})


def test_an_address_is_announced_once() -> None:
    with pytest.raises(InvalidInputError, match=r"203\.0\.113\.7 is announced twice"):
        load_settings({"announce": ("203.0.113.7=10.0.0.5", "203.0.113.7=10.0.0.6")})


def test_media_listens_at_each_address_so_that_answers_leave_from_the_one_that_was_asked() -> None:
    assert hosts("10.0.0.5", "10.0.0.6", "2001:db8::5") == ("10.0.0.5", "10.0.0.6", "2001:db8::5")
    assert hosts("203.0.113.7=10.0.0.5", "10.0.0.5") == ("10.0.0.5",)


def test_media_listens_at_all_addresses_of_a_version_when_it_is_not_known_where_it_arrives() -> None:
    assert hosts("203.0.113.7", "10.0.0.6", "2001:db8::5") == ("0.0.0.0", "2001:db8::5")


def test_with_nothing_announced_media_listens_on_ipv6_where_the_machine_has_any() -> None:
    assert hosts() == ("0.0.0.0", "::")
    assert listen_hosts((), [ip_address("10.0.0.5"), ip_address("fe80::1"), ip_address("::1")]) == (
        "0.0.0.0",
    )
