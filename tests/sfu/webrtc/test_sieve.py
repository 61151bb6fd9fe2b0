"""Of a client that sends far more than it may, the kernel drops what nobody would work off."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from sfu.webrtc.sieve import INTERVAL, LEAST, MARGIN, MOST_CLIENTS, Share, Sieve, program

BUDGET = 1000.0
NEVER = float("-inf")


class Flood:
    """A client that sends `rate` datagrams a second, of which a share is read and the budget worked off."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.share = Share(BUDGET, 0.0)
        self.now, self.dropped, self.read = 0.0, 0, 0.0

    def go_on(self, seconds: float, *, queued: bool = False) -> None:
        for _ in range(round(seconds / INTERVAL)):
            self.now += 1.01 * INTERVAL
            read = self.rate * self.share.value * 1.01 * INTERVAL
            self.read += read
            self.dropped += max(0, round(read - BUDGET * 1.01 * INTERVAL))
            self.share.poll(self.dropped, self.now, self.now if queued else NEVER)


def test_who_stays_within_the_budget_or_is_somewhat_above_it_is_let_in_whole() -> None:
    for rate in (100.0, BUDGET, 1.9 * BUDGET):
        flood = Flood(rate)
        flood.go_on(5)
        assert flood.share.value == 1.0


@pytest.mark.parametrize("times", [3, 10, 100])
def test_of_a_flood_about_the_budget_is_read(times: int) -> None:
    flood = Flood(times * BUDGET)
    flood.go_on(2)
    flood.read = 0.0
    flood.go_on(10)
    assert 0.8 < flood.read / (10 * BUDGET) < 1.5 * MARGIN


def test_when_it_is_over_all_is_let_in_again_soon() -> None:
    flood = Flood(10 * BUDGET)
    flood.go_on(5)
    assert flood.share.value < 0.2
    flood.rate = 0.5 * BUDGET
    flood.go_on(3)
    assert flood.share.value == 1.0


def test_while_others_have_to_wait_who_floods_gets_less_and_less_and_nobody_else_does() -> None:
    flood, calm = Flood(10 * BUDGET), Flood(0.5 * BUDGET)
    for one in (flood, calm):
        one.go_on(2)
        one.go_on(5, queued=True)
    assert flood.share.value == LEAST
    assert calm.share.value == 1.0
    flood.go_on(10)
    assert flood.share.value > 20 * LEAST


HOSTS = {socket.AF_INET: ("127.0.0.1", "127.0.0.2"), socket.AF_INET6: ("::1",)}


@pytest.fixture(params=HOSTS)
def family(request: pytest.FixtureRequest) -> socket.AddressFamily:
    found: socket.AddressFamily = request.param
    return found


@pytest.fixture
def port(family: socket.AddressFamily) -> Iterator[socket.socket]:
    with bound(family) as made:
        yield made


def bound(family: socket.AddressFamily, host: str | None = None, number: int = 0) -> socket.socket:
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.bind((host or HOSTS[family][0], number))
    return made


def passed(port: socket.socket, client: socket.socket, count: int = 100) -> int:
    """How many of that client's datagrams are there to be read."""
    for _ in range(count):
        client.sendto(b"\x80\x60media", port.getsockname()[:2])
    for there in range(count):
        try:
            port.recv(100)
        except BlockingIOError:
            return there
    return count


@pytest.mark.asvs("17.2.5")
def test_the_kernel_lets_in_the_share_of_one_and_all_of_the_others(
    family: socket.AddressFamily, port: socket.socket
) -> None:
    sieve = Sieve(port)
    with bound(family) as flooder, bound(family) as other:
        sieve.thin(flooder.getsockname(), 0.5)
        through = sum(passed(port, flooder) for _ in range(20))
        assert 800 < through < 1200  # nine standard deviations
        assert sieve.dropped == 2000 - through
        assert passed(port, other) == 100
        sieve.thin(flooder.getsockname(), 1.0)
        assert passed(port, flooder) == 100


def test_the_same_port_of_another_address_is_somebody_else() -> None:
    with bound(socket.AF_INET) as port, bound(socket.AF_INET) as flooder:
        number = flooder.getsockname()[1]
        with bound(socket.AF_INET, "127.0.0.2", number) as other:
            Sieve(port).thin(flooder.getsockname(), 0.0)
            assert passed(port, other) == 100
            assert passed(port, flooder) == 0


def test_many_can_be_thinned_out_at_a_time_and_no_more_than_the_bound(
    family: socket.AddressFamily, port: socket.socket
) -> None:
    sieve = Sieve(port)
    host, *rest = port.getsockname()
    with bound(family) as last, bound(family) as one_more:
        for number in range(MOST_CLIENTS - 1):
            sieve.thin((host, 1 + number, *rest[1:]), 0.0)
        sieve.thin(last.getsockname(), 0.0)
        sieve.thin(one_more.getsockname(), 0.0)
        assert passed(port, last) == 0
        assert passed(port, one_more) == 100


def test_a_program_fits_what_the_kernel_takes() -> None:
    addresses = [("2001:db8::1%eth0", 1 + number, 0, 3) for number in range(MOST_CLIENTS)]
    assert len(program(dict.fromkeys(addresses, 0.5))) // 8 <= 4096


def test_where_the_system_has_no_such_filter_everything_is_read() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as closed:
        closed.close()
        sieve = Sieve(closed)
        sieve.thin(("127.0.0.1", 1), 0.5)
        assert sieve.dropped == 0
