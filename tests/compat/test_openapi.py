"""The server answers as `/openapi.json` says, whatever it is asked."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.server import FORBIDDEN_IN_LOG, start_server, stop_server, wait_healthy

EXAMPLES = 1
"""Of each operation, and as many that the document does not allow; `make fuzz-api` tries more."""


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_no_answer_is_other_than_the_description_says(tmp_path: Path) -> None:
    from tests.compat.openapi import UNLIMITED, Fuzz

    server = start_server(tmp_path, arguments=UNLIMITED)
    try:
        asyncio.run(wait_healthy(server))
        fuzz = Fuzz(server, EXAMPLES, random=False)
        fuzz.run(aliases=False)
    finally:
        problems = stop_server(server)
    assert not problems
    assert not fuzz.findings, "\n\n".join(f"{key}: {what}" for key, what in fuzz.findings.items())
    assert FORBIDDEN_IN_LOG.search(server.log) is None, server.log[-4000:]
    statuses = defaultdict(set)
    for label, status in fuzz.seen:
        statuses[label].add(status)
    unreached = [label for label, seen in statuses.items() if not any(one < 300 for one in seen)]
    # What asks for something that no request of this document can make, a session that runs above all.
    assert len(unreached) < len(statuses) / 2, unreached
