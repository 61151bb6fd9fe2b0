"""The server answers as `/openapi.json` says, whatever it is asked."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.server import lasting_server

EXAMPLES = 1
"""Of each operation, and as many that the document does not allow; `make fuzz-api` tries more."""


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_no_answer_is_other_than_the_description_says(tmp_path: Path) -> None:
    from tests.compat.openapi import UNLIMITED, Fuzz

    with lasting_server(tmp_path, arguments=UNLIMITED) as server:
        fuzz = Fuzz(server, EXAMPLES, random=False)
        fuzz.run(aliases=False)
    assert not fuzz.findings, "\n\n".join(f"{key}: {what}" for key, what in fuzz.findings.items())
    statuses = defaultdict(set)
    for label, status in fuzz.seen:
        statuses[label].add(status)
    unreached = [label for label, seen in statuses.items() if not any(one < 300 for one in seen)]
    # What asks for something that no request of this document can make, a session that runs above all.
    assert len(unreached) < len(statuses) / 2, unreached
