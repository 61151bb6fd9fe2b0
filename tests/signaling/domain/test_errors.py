"""Every error is told apart by its code and by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from signaling.domain.errors import SignalingError
from signaling.protocol.envelope import MALFORMED_CODE


def tree(root: type[SignalingError]) -> Iterator[type[SignalingError]]:
    yield root
    for one in root.__subclasses__():
        if one.__module__ == SignalingError.__module__:  # REST has two more, which are its own
            yield from tree(one)


def test_no_two_errors_share_a_code_or_a_name() -> None:
    errors = set(tree(SignalingError))
    codes = Counter([*(error.code for error in errors), MALFORMED_CODE])
    names = Counter(error.name for error in errors)
    assert [code for code, count in codes.items() if count > 1] == []
    assert [name for name, count in names.items() if count > 1] == []
