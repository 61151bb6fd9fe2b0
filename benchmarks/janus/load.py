"""A load on a Janus that runs, in a process of its own: `benchmarks.janus` starts it.

    python -m benchmarks.janus.load URL PID PLAN

PLAN is a `LoadPlan` as JSON. Prints the report as JSON.
"""

from __future__ import annotations

import json
import sys

from benchmarks.janus.venue import JanusVenue
from sfu.bots.signalling import BotError
from sfu.load.command import run_load
from sfu.load.plan import LoadPlan


def main() -> None:
    url, pid, plan = sys.argv[1:]
    try:
        report = run_load(LoadPlan(**json.loads(plan)), JanusVenue(url), int(pid))
    except BotError as error:
        sys.exit(f"could not measure: {error}")
    print(json.dumps(report))


if __name__ == "__main__":
    main()
