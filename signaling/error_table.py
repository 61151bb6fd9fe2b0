"""`python -m signaling.error_table > docs/errors.md`: every error that there is, from the tree."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from signaling.domain import errors
from signaling.domain.errors import SignalingError
from signaling.rest.telnyx.rendering import code_of

_HEAD = """# Errors

Made by `python -m signaling.error_table` from the errors themselves; `make check` says when it is out
of date.

`name` is stable in every API. `code` is what the [client protocol](protocol.md) has (the field's own
numbers where it has one), *HTTP* what REST has, and *rooms* what the [rooms API](rooms.md) has as `code`
besides. An answer's message is often more exact than the one here: it names the thing, the limit or the
scope.

| name | HTTP | code | rooms | what it says |
|---|---|---|---|---|
"""


def error_table() -> str:
    """The page, Markdown."""
    all_of_them = sorted(_all(SignalingError), key=lambda one: (one.http_status, one.code))
    return _HEAD + "\n".join(_row(one) for one in all_of_them) + "\n"


def _row(error: type[SignalingError]) -> str:
    status = error.http_status
    return f"| `{error.name}` | {status} | {error.code} | {code_of(status)} | {error.default_message} |"


def _all(error: type[SignalingError]) -> Iterator[type[SignalingError]]:
    """Of the tree; an error that is made for one answer has no row."""
    yield error
    for below in error.__subclasses__():
        if below.__module__.startswith(errors.__name__):
            yield from _all(below)


if __name__ == "__main__":
    sys.stdout.write(error_table())
