"""OWASP ASVS 5.0, chapter V17 (WebRTC): what holds for each line, and which tests would fail without.

Tests say with `@pytest.mark.asvs("17.2.6")` which line they stand for. From these marks and the table below,
docs/security.md is written, and `tests/test_asvs.py` holds it to them:

    python -m tests.support.asvs --write docs/security.md
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent.parent
BEGIN, END = "<!-- asvs: begin -->", "<!-- asvs: end -->"


@dataclass(frozen=True, slots=True)
class Line:
    number: str
    holds: str
    """What is true of Rostrum, in a sentence."""
    enforced: tuple[str, ...]
    """Where."""
    tested: bool = True


LINES = (
    Line(
        "17.1.1",
        "TURN credentials reach the media nodes and no other address, of a special purpose or not.",
        ("signaling/turn_config.py",),
    ),
    Line(
        "17.1.2",
        "A participant has a bounded number of relays, however often credentials are renewed; so have all "
        "together.",
        ("signaling/turn_config.py",),
    ),
    Line(
        "17.2.1",
        "The key of a node's certificate is made when it starts, never leaves the process's memory, and ends "
        "with it.",
        ("sfu/webrtc/certificate.py", "sfu/node.py"),
    ),
    Line(
        "17.2.2",
        "DTLS 1.2 with forward secrecy and AEAD only; SRTP with AES-GCM, or AES-CM with an 80-bit tag for "
        "clients without it.",
        ("sfu/webrtc/dtls.py", "sfu/webrtc/srtp_profile.py"),
    ),
    Line(
        "17.2.3",
        "A packet that does not authenticate, or was seen before, is counted and thrown away.",
        ("sfu/webrtc/srtp_gcm.py", "sfu/webrtc/srtp_cm.py"),
    ),
    Line(
        "17.2.4",
        "Every length is checked; a malformed packet costs itself and nothing else, with the right keys or "
        "without.",
        ("sfu/forwarding/receive.py", "sfu/rtp", "sfu/codecs"),
    ),
    Line(
        "17.2.5",
        "What one client sends beyond a bound is dropped before any work is done on it, most of a flood by "
        "the kernel. What the others have of it is measured in docs/performance.md.",
        ("sfu/webrtc/intake.py", "sfu/webrtc/association.py", "sfu/webrtc/sieve.py"),
    ),
    Line(
        "17.2.6",
        "DTLS is taken only from an address that a check with the right credentials came from, and a record "
        "that does not fit is dropped, never fatal.",
        ("sfu/webrtc/association.py", "sfu/webrtc/dtls_records.py", "sfu/webrtc/dtls.py"),
    ),
    Line("17.2.7", "There is no recorder yet; this line comes with it.", (), tested=False),
    Line(
        "17.2.8",
        "Keys exist only once the peer's certificate has the fingerprint of its SDP; another ends the "
        "association.",
        ("sfu/webrtc/dtls.py", "sfu/webrtc/certificate.py"),
    ),
    Line(
        "17.3.1",
        "A socket has a rate of requests; beyond it they are refused by name, and in the end it is closed.",
        ("signaling/ws/connection.py",),
    ),
    Line(
        "17.3.2",
        "A message, SDP or frame that is malformed or too large is answered with the field that is wrong, "
        "and changes nothing.",
        ("signaling/protocol/envelope.py", "signaling/ws/connection.py", "sfu/webrtc/sdp_parser.py"),
    ),
)


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A test that stands for a line."""

    line: str
    path: str
    test: str


def marks() -> list[Mark]:
    """Every mark in the tests, read from their sources."""
    found = []
    for path in sorted(TESTS.rglob("test_*.py")):
        where = path.relative_to(TESTS.parent).as_posix()
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found += [Mark(line, where, node.name) for line in _lines_of(node)]
    return sorted(found)


def render() -> str:
    """The table of docs/security.md."""
    by_line: dict[str, list[Mark]] = {line.number: [] for line in LINES}
    for mark in marks():
        by_line[mark.line].append(mark)
    parts = [BEGIN]
    for line in LINES:
        parts += ["", f"### {line.number}", "", line.holds]
        if line.enforced:
            parts += ["", "Enforced in " + ", ".join(f"`{path}`" for path in line.enforced) + "; shown by"]
        parts += ["", *(f"- {_sentence(mark)} (`{mark.path}`)" for mark in by_line[line.number])]
    return "\n".join([*parts, "", END]).replace("\n\n\n", "\n\n")


def written(page: str) -> str:
    """The page with the table as it should be."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + render() + after


def _sentence(mark: Mark) -> str:
    return mark.test.removeprefix("test_").replace("_", " ")


def _lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.asvs":
            yield from (ast.literal_eval(argument) for argument in decorator.args)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.asvs", description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path, required=True, help="the page to renew")
    page: Path = parser.parse_args().write
    page.write_text(written(page.read_text()))


if __name__ == "__main__":
    main()
