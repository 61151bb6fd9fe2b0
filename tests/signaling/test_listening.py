from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence

import pytest

from signaling import listening as listening_module
from signaling.errors import InvalidInputError
from signaling.listening import bound_listeners
from tests.support.server import free_ports


@contextlib.contextmanager
def listening(hosts: Sequence[str]) -> Iterator[int]:
    listeners = bound_listeners(hosts, 0)
    try:
        for listener in listeners:
            listener.listen()
        numbers = {listener.getsockname()[1] for listener in listeners}
        assert len(numbers) == 1, "all on one port"
        yield numbers.pop()
    finally:
        for listener in listeners:
            listener.close()


def answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("hosts", "v4", "v6"),
    [
        (["127.0.0.1"], True, False),
        (["::1"], False, True),
        (["127.0.0.1", "::1"], True, True),
        (["::"], True, True),
        (["0.0.0.0", "::"], True, True),
    ],
)
def test_it_answers_on_the_ip_versions_that_were_asked_for(hosts: list[str], v4: bool, v6: bool) -> None:
    with listening(hosts) as port:
        assert (answers("127.0.0.1", port), answers("::1", port)) == (v4, v6)


def test_a_port_that_is_taken_on_one_host_is_left_free_on_the_others() -> None:
    # Of the numbers that the system deals out, a client somewhere may have the same one on the other host.
    with socket.create_server(("::1", free_ports(1)), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidInputError, match=f"cannot listen on ::1 port {port}"):
            bound_listeners(["127.0.0.1", "::1"], port)
        socket.create_server(("127.0.0.1", port)).close()


def test_where_the_number_that_was_picked_is_taken_on_another_host_another_one_is_picked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bound = listening_module._bound
    with contextlib.ExitStack() as stack:
        picked: list[int] = []

        def raced(host: str, port: int, *, dual: bool) -> socket.socket:
            """Somebody has taken the first number by the time that the second host is looked at."""
            if port and not picked:
                picked.append(port)
                stack.enter_context(socket.create_server((host, port), family=socket.AF_INET6))
            return bound(host, port, dual=dual)

        monkeypatch.setattr(listening_module, "_bound", raced)
        with listening(["127.0.0.1", "::1"]) as port:
            assert [port] != picked
            assert answers("127.0.0.1", port) and answers("::1", port)


def test_a_host_that_is_not_ours_is_named() -> None:
    with pytest.raises(InvalidInputError, match=r"cannot listen on 203\.0\.113\.9"):
        bound_listeners(["203.0.113.9"], 0)
