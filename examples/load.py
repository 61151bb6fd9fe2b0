"""A load in a few lines: five rooms of one speaker and ten listeners, and what became of every packet.

    python -m examples.load --seconds 10

The same as `rostrum load`, from Python. Give `--server-pid $(pgrep -of 'rostrum serve')` to learn what a
forwarded packet costs the server.
"""

from __future__ import annotations

import sys

from examples.server import credentials, parser
from sfu.bot import BotError
from sfu.load.command import run_load
from sfu.load.plan import LoadPlan
from sfu.load.report import to_text
from sfu.load.venue import Rostrum


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--rooms", type=int, default=5)
    made.add_argument("--subscribers", type=int, default=10, help="per room")
    made.add_argument("--seconds", type=float, default=10.0)
    made.add_argument("--server-pid", type=int)
    arguments = made.parse_args()
    plan = LoadPlan(
        rooms=arguments.rooms,
        subscribers=arguments.subscribers,
        audio=True,
        video_rate=100.0,
        seconds=arguments.seconds,
    )
    try:
        report = run_load(
            plan, Rostrum(credentials(arguments), plan.preset), arguments.server_pid, quiet=False
        )
    except BotError as error:
        sys.exit(f"could not measure: {error}")
    print(to_text(report))


if __name__ == "__main__":
    main()
