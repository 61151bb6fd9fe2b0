"""What no test of this folder may wait with."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


async def test_nobody_waits_with_what_a_pages_policy_forbids() -> None:
    """Playwright's `wait_for_function` polls with `eval`: where its first answer is no, it fails instead of
    waiting. `eventually` asks from outside of the page."""
    call = "." + "wait_for_function("
    assert [path.name for path in HERE.glob("*.py") if call in path.read_text()] == []
