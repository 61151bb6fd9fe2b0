from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence

import pytest

from signaling.errors import InvalidInputError
from signaling.listening import bound_listeners


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
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidInputError, match=f"cannot listen on ::1 port {port}"):
            bound_listeners(["127.0.0.1", "::1"], port)
        socket.create_server(("127.0.0.1", port)).close()


def test_a_host_that_is_not_ours_is_named() -> None:
    with pytest.raises(InvalidInputError, match=r"cannot listen on 203\.0\.113\.9"):
        bound_listeners(["203.0.113.9"], 0)
