"""What the checks found, and how it is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final, Protocol


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` names the thing looked at; `advice` is what to change, empty where nothing is to be."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""


class Check(Protocol):
    async def look(self) -> Sequence[Finding]: ...


def ok(check: str, found: str) -> Finding:
    return Finding(check, Verdict.OK, found)


def warn(check: str, found: str, advice: str) -> Finding:
    return Finding(check, Verdict.WARN, found, advice)


def fail(check: str, found: str, advice: str) -> Finding:
    return Finding(check, Verdict.FAIL, found, advice)


_MARKS: Final = {Verdict.OK: "  ok  ", Verdict.WARN: " warn ", Verdict.FAIL: " FAIL "}


@dataclass(frozen=True, slots=True)
class Report:
    findings: tuple[Finding, ...]

    def count(self, verdict: Verdict) -> int:
        return sum(finding.verdict is verdict for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """1 where anything failed; warnings are for a human to judge."""
        return 1 if self.count(Verdict.FAIL) else 0

    def to_text(self) -> str:
        lines = []
        for finding in self.findings:
            lines.append(f"[{_MARKS[finding.verdict]}] {finding.check}: {finding.found}")
            if finding.advice:
                lines.append(f"          -> {finding.advice}")
        lines.append(", ".join(f"{self.count(verdict)} {verdict}" for verdict in Verdict))
        return "\n".join(lines)

    def to_json(self) -> str:
        body = {
            "ok": self.exit_code == 0,
            "findings": [asdict(finding) for finding in self.findings],
        }
        return json.dumps(body, indent=2)
