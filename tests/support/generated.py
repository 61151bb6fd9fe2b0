"""`python -m tests.support.generated`: are the committed files that a program writes the ones it would write?

The client protocol's JSON Schema comes from the Python models, the TypeScript types from the schema, the
table of errors from the errors, and the tests that docs/security.md names from the tests. Ends with 1 and
says what to run where one is out of date.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from signaling.error_table import error_table
from signaling.protocol.schema import schema
from tests.support.asvs import written

ROOT = Path(__file__).resolve().parent.parent.parent
PROTOCOL = ROOT / "web" / "packages" / "protocol"

_PRINT_TYPES = """
import { generate } from "./scripts/generate.mjs";
process.stdout.write(await generate());
"""


def stale_files() -> list[str]:
    """What is out of date, each with the command that renews it."""
    problems = []
    if json.loads((PROTOCOL / "schema.json").read_text()) != schema():
        problems.append(
            "web/packages/protocol/schema.json: python -m signaling.protocol.schema > "
            "web/packages/protocol/schema.json"
        )
    printed = subprocess.run(
        ["node", "--input-type=module", "--eval", _PRINT_TYPES],
        cwd=PROTOCOL,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if printed != (PROTOCOL / "src" / "messages.ts").read_text():
        problems.append("web/packages/protocol/src/messages.ts: cd web && npm run generate")
    if (ROOT / "docs" / "errors.md").read_text() != error_table():
        problems.append("docs/errors.md: python -m signaling.error_table > docs/errors.md")
    security = (ROOT / "docs" / "security.md").read_text()
    if security != written(security):
        problems.append("docs/security.md: python -m tests.support.asvs --write docs/security.md")
    return problems


def main() -> None:
    problems = stale_files()
    for problem in problems:
        sys.stderr.write(f"out of date: {problem}\n")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
