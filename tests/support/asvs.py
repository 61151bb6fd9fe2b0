"""OWASP ASVS 5.0: what holds for its lines, and which tests fail without it. Chapter V17 (WebRTC) is here
as a whole; of the others those lines that logins, keys, tokens, organizations and webhooks are about.

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


CHAPTERS = {
    "1": "V1 Encoding and sanitization",
    "2": "V2 Validation and business logic",
    "6": "V6 Authentication",
    "7": "V7 Session management: logins",
    "8": "V8 Authorization",
    "9": "V9 Self-contained tokens",
    "11": "V11 Cryptography",
    "13": "V13 Configuration",
    "17": "V17 WebRTC",
}

LINES = (
    Line(
        "1.3.6",
        "Webhooks go to public addresses and to no other, whatever an organization's URL calls them: every "
        "address of a name is checked, the connection goes to one that was, no redirect is followed and no "
        "proxy asked.",
        ("signaling/webhooks/addresses.py", "signaling/webhooks/http.py"),
    ),
    Line(
        "2.4.1",
        "Requests to REST are limited by address before anybody looks who it is, then by key and "
        "organization.",
        ("signaling/rest/rate_limiting.py", "signaling/services/rate_limit.py"),
    ),
    Line(
        "6.2.1",
        "A password has 12 characters or more; which ones is not prescribed.",
        ("signaling/domain/user.py",),
    ),
    Line(
        "6.2.3",
        "A password is changed by who knows the present one.",
        ("signaling/services/logins.py",),
    ),
    Line(
        "6.3.1",
        "Passwords are tried only so often for an account, and from an address; only so many are hashed at "
        "once.",
        ("signaling/services/logins.py", "signaling/auth/passwords.py"),
    ),
    Line(
        "6.3.8",
        "An unknown address, a wrong password and a disabled account get the same answer, at the same cost.",
        ("signaling/services/logins.py", "signaling/auth/passwords.py"),
    ),
    Line(
        "6.4.1",
        "An invitation is for setting one password, once, and ends; it is no password itself.",
        ("signaling/services/logins.py", "signaling/services/users.py"),
    ),
    Line(
        "7.2.2",
        "Who logs in gets an access token of ten minutes and a refresh token that is good once. One that "
        "comes again was stolen, from either: it ends the login for whoever holds it.",
        ("signaling/services/logins.py",),
    ),
    Line(
        "7.3.1",
        "A login that is not used for long ends.",
        ("signaling/services/logins.py",),
    ),
    Line(
        "7.3.2",
        "A login ends at last, however much it is used.",
        ("signaling/services/logins.py",),
    ),
    Line(
        "7.4.1",
        "After a logout neither the access token nor the refresh token of the login is good.",
        ("signaling/services/logins.py",),
    ),
    Line(
        "7.4.2",
        "Who is disabled or removed is out with the next request.",
        ("signaling/services/users.py", "signaling/auth/api_keys.py"),
    ),
    Line(
        "7.4.3",
        "A changed password ends every login.",
        ("signaling/services/logins.py",),
    ),
    Line(
        "8.2.1",
        "Each operation names the scope that it needs, and is done for nobody without; nobody gives a key "
        "or a role what they may not do themselves.",
        ("signaling/rest/operation.py", "signaling/services/api_keys.py", "signaling/services/users.py"),
    ),
    Line(
        "8.2.2",
        "What is in another unit than a key or a person is limited to is not there for them, "
        "and nobody gives a participant a unit that they have not.",
        (
            "signaling/services/reach.py",
            "signaling/services/participants.py",
            "signaling/services/api_keys.py",
            "signaling/services/users.py",
        ),
    ),
    Line(
        "8.3.2",
        "A key that was revoked or has ended opens nothing, on the server that revoked it at once, on "
        "others within a second.",
        ("signaling/services/remembered_callers.py", "signaling/auth/api_keys.py"),
    ),
    Line(
        "8.4.1",
        "What another organization has is not there (404), for every operation that there is, and in no "
        "list.",
        ("signaling/rest/access.py", "signaling/store"),
    ),
    Line(
        "9.1.1",
        "A token that was changed, or not signed by us, is none.",
        ("signaling/auth/keyring.py",),
    ),
    Line(
        "9.1.2",
        "Tokens are signed with Ed25519 whatever their header says.",
        ("signaling/auth/keyring.py",),
    ),
    Line(
        "9.1.3",
        "A token's key id chooses among our own keys; nothing in it brings another.",
        ("signaling/auth/keyring.py",),
    ),
    Line("9.2.1", "A token ends when it says so.", ("signaling/auth/keyring.py",)),
    Line(
        "9.2.2",
        "A participant's token opens no REST, an access token no meeting.",
        ("signaling/auth/keyring.py", "signaling/auth/api_keys.py"),
    ),
    Line(
        "9.2.3",
        "Claims that are wrong or missing, the audience's among them, are refused though they were signed.",
        ("signaling/auth/keyring.py",),
    ),
    Line(
        "11.4.2",
        "Passwords are kept as argon2id, and hashed anew at the next login where the settings are stronger "
        "by then; API keys, which are random and long, as SHA-256.",
        ("signaling/auth/passwords.py", "signaling/auth/api_keys.py"),
    ),
    Line(
        "13.3.1",
        "Private keys are in the database only sealed, under a secret key that is not in it, each under its "
        "own name.",
        ("signaling/auth/sealing.py", "signaling/webhooks/key_pairs.py", "signaling/auth/signing_keys.py"),
    ),
    Line(
        "13.3.4",
        "Keys that sign tokens and webhooks are replaced while servers run: the next is published before it "
        "signs, and one that somebody else may have is void at once.",
        ("signaling/auth/signing_keys.py", "signaling/webhooks/key_pairs.py"),
    ),
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
        "The key of a node's certificate is made when it starts, never leaves the process's memory, and "
        "ends with it.",
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
    chapter = ""
    for line in LINES:
        if (of := line.number.partition(".")[0]) != chapter:
            chapter = of
            parts += ["", f"### {CHAPTERS[chapter]}"]
        parts += ["", f"#### {line.number}", "", line.holds]
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
