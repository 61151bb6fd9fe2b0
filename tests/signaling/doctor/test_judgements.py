"""What the doctor makes of what it sees, from values alone."""

from __future__ import annotations

import json
import struct
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest

from sfu.probe.kernel import UdpOffer
from signaling.addresses import parse_announced
from signaling.auth.sealing import SecretBox
from signaling.auth.signing_keys import PURPOSE
from signaling.doctor.data import judge_base_url, judge_certificate, judge_free
from signaling.doctor.database import judge_revision, judge_secret_key, judge_skew
from signaling.doctor.interpreter import judge_interpreter
from signaling.doctor.machine import (
    NTP_EPOCH,
    judge_clock,
    judge_cores,
    judge_files,
    judge_huge_pages,
    judge_offset,
    judge_udp,
    ntp_offset,
)
from signaling.doctor.network import judge_address, judge_refusal
from signaling.doctor.report import Finding, Report, Verdict, fail, ok, warn
from signaling.doctor.urls import Answered, judge_answer, judge_name
from signaling.store.examination import Examined, Sealed, Skew

OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL
NOW = datetime(2026, 6, 1, tzinfo=UTC)
OWN = [ip_address("10.0.0.5"), ip_address("127.0.0.1")]


@pytest.mark.parametrize(
    ("text", "external", "arrived", "verdict", "said"),
    [
        ("10.0.0.5", False, True, OK, "a datagram to it arrives"),
        ("10.0.0.5", False, False, FAIL, "does not arrive"),
        ("10.0.0.5", False, None, OK, "was not tried"),
        ("203.0.113.7", False, True, FAIL, "is not an address of this machine"),
        ("203.0.113.7", True, True, OK, "arrives here"),
        ("203.0.113.7", True, False, WARN, "does not arrive"),
        ("203.0.113.7=10.0.0.5", False, True, OK, "arrives"),
        ("203.0.113.7=10.0.0.5", False, False, WARN, "does not arrive"),
        ("203.0.113.7=10.0.0.9", True, True, FAIL, "10.0.0.9 is not an address of this machine"),
    ],
)
def test_an_announced_address(
    text: str, external: bool, arrived: bool | None, verdict: Verdict, said: str
) -> None:
    finding = judge_address(parse_announced(text), OWN, external=external, arrived=arrived)
    assert finding.verdict is verdict
    assert said in finding.found
    assert bool(finding.advice) == (verdict is not OK)


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        (judge_cores(2, 2), OK),
        (judge_cores(3, 2), WARN),
        (judge_cores(0, 2), WARN),
        (judge_files(65536), OK),
        (judge_files(-1), OK),
        (judge_files(4096), WARN),
        (judge_files(256), FAIL),
        (judge_free(5 << 30), OK),
        (judge_free(500 << 20), WARN),
        (judge_free(1 << 20), FAIL),
        (judge_revision(None), OK),
        (judge_revision("0001"), OK),
        (judge_revision("9999"), FAIL),
        (judge_base_url("https://meet.example.org", known=True), OK),
        (judge_base_url("http://localhost:8080", known=True), OK),
        (judge_base_url("http://127.0.0.1:8080", known=False), WARN),
        (judge_base_url("http://meet.example.org", known=True), FAIL),
        (judge_base_url("http://10.0.0.5:8080", known=False), FAIL),
        (judge_certificate(NOW + timedelta(days=80), NOW), OK),
        (judge_certificate(NOW + timedelta(days=3), NOW), WARN),
        (judge_certificate(NOW - timedelta(days=1), NOW), FAIL),
        (judge_clock(NOW.timestamp(), True), OK),
        (judge_clock(NOW.timestamp(), None), WARN),
        (judge_clock(NOW.timestamp(), False), WARN),
        (judge_clock(86400.0, True), FAIL),
        (judge_offset("ntp", 0.02), OK),
        (judge_offset("ntp", -2.0), WARN),
        (judge_offset("ntp", 3600.0), FAIL),
        (judge_offset("ntp", None), WARN),
        (judge_refusal("TURN", 401, ""), FAIL),
        (judge_refusal("TURN", 486, ""), WARN),
        (judge_refusal("TURN", 508, ""), FAIL),
    ],
    ids=lambda value: value.found if isinstance(value, Finding) else str(value),
)
def test_a_thing(finding: Finding, verdict: Verdict) -> None:
    assert finding.verdict is verdict
    assert bool(finding.advice) == (verdict is not OK), "what is not right says what to change"


def test_the_kernel() -> None:
    good = UdpOffer(segmentation=True, coalescing=True, buffer=8 << 20)
    assert {finding.verdict for finding in judge_udp(good)} == {OK}
    poor = judge_udp(UdpOffer(segmentation=False, coalescing=False, buffer=200 << 10))
    assert {finding.verdict for finding in poor} == {WARN}
    assert "net.core.rmem_max" in poor[-1].advice


def test_huge_pages() -> None:
    assert judge_huge_pages(has_them=True).verdict is OK
    none = judge_huge_pages(has_them=False)
    assert none.verdict is WARN
    assert "transparent_hugepage/enabled" in none.advice


def test_an_ntp_answer_gives_the_offset_and_a_foreign_one_nothing() -> None:
    cookie = b"\x01" * 8
    stamp = struct.pack("!II", int(NOW.timestamp()) + NTP_EPOCH + 5, 1 << 31)
    answer = b"\x24\x01" + bytes(22) + cookie + stamp + stamp
    sent = NOW.timestamp()
    assert ntp_offset(answer, cookie, sent, sent + 1.0) == pytest.approx(5.0)
    assert ntp_offset(answer, b"\x02" * 8, sent, sent) is None
    assert ntp_offset(answer[:40], cookie, sent, sent) is None
    assert ntp_offset(b"\x24\x00" + answer[2:], cookie, sent, sent) is None, "kiss of death"


def test_the_exit_code_is_that_of_failures_and_warnings_are_for_a_human() -> None:
    fine, strange, broken = ok("a", "fine"), warn("b", "strange", "look"), fail("c", "broken", "mend it")
    assert Report((fine, strange)).exit_code == 0
    report = Report((fine, strange, broken))
    assert report.exit_code == 1
    assert "-> mend it" in report.to_text()
    assert report.to_text().endswith("1 ok, 1 warn, 1 fail")
    body = json.loads(report.to_json())
    assert body["ok"] is False
    assert body["findings"][2] == {"check": "c", "verdict": "fail", "found": "broken", "advice": "mend it"}


@pytest.mark.parametrize(
    ("prefix", "built", "verdict"),
    [
        ("/opt/python", {"CONFIG_ARGS": "'--prefix=/opt/python' '--enable-optimizations'"}, OK),
        ("/opt/python", {"CONFIG_ARGS": "'CC=clang'", "PY_CORE_LDFLAGS": "-fprofile-instr-use=x"}, OK),
        ("/opt/python", {"CONFIG_ARGS": "", "PY_CFLAGS_NODIST": "-fprofile-use -O3"}, OK),
        # What could be used, and was not.
        ("/opt/python", {"CONFIG_ARGS": "'--enable-shared'", "PGO_PROF_USE_FLAG": "-fprofile-use"}, WARN),
        ("/opt/python", {"CONFIG_ARGS": "", "PY_CORE_CFLAGS": None}, WARN),
        ("/usr", {"CONFIG_ARGS": "'--enable-shared' '--prefix=/usr'", "PY_CORE_CFLAGS": "-O2"}, OK),
        ("/opt/python", {}, OK),
    ],
)
def test_an_interpreter_that_was_not_optimised_is_worth_a_warning(
    prefix: str, built: dict[str, object], verdict: Verdict
) -> None:
    finding = judge_interpreter("3.11.2", prefix, built)
    assert finding.verdict is verdict
    assert prefix in finding.found
    assert ("--enable-optimizations" in finding.advice) is (verdict is WARN)


SECRET = "a secret key of the tests, long enough"
SEALED = Sealed("signing_keys", "key-1", SecretBox(SECRET, PURPOSE).seal(b"private", "key-1"))


@pytest.mark.parametrize(
    ("text", "sealed", "own_file", "shared", "verdict", "said"),
    [
        (None, (), True, False, OK, "at the first start"),
        (SECRET, (), True, False, OK, "nothing is sealed"),
        (SECRET, (SEALED,), True, False, OK, "it opens"),
        (SECRET, (SEALED,), False, True, OK, "it opens"),
        (SECRET, (SEALED,), True, True, WARN, "this data directory alone"),
        (None, (), True, True, WARN, "none yet"),
        (None, (SEALED,), True, True, FAIL, "there is none"),
        (SECRET + "!", (SEALED,), False, True, FAIL, "sealed with another one"),
    ],
)
def test_secret_keys(
    text: str | None, sealed: tuple[Sealed, ...], own_file: bool, shared: bool, verdict: Verdict, said: str
) -> None:
    finding = judge_secret_key(text, Examined("1", shared, None, sealed), own_file=own_file)
    assert (finding.check, finding.verdict) == ("secret key", verdict)
    assert said in finding.found
    assert SECRET not in finding.found + finding.advice


@pytest.mark.parametrize(
    ("ahead", "doubt", "verdict"),
    [
        *((0.2, 0.0, OK), (-0.9, 0.0, OK), (2.0, 0.0, WARN), (-29.0, 0.0, WARN), (30.0, 0.0, FAIL)),
        *((-300.0, 0.0, FAIL), (2.0, 1.5, OK), (-2.0, 0.5, WARN), (31.0, 2.0, WARN)),
    ],
)
def test_clocks_of_server_and_database(ahead: float, doubt: float, verdict: Verdict) -> None:
    assert judge_skew(Skew(ahead, doubt)).verdict is verdict


def test_urls_that_lead_to_a_server_or_not() -> None:
    url = "https://meet.example.org"
    assert judge_answer("public URL", url, Answered(200, "0.1.0")).verdict is OK
    assert judge_answer("public URL", url, Answered(503, "0.1.0")).verdict is OK, "degraded is not lost"
    assert "something else" in judge_answer("public URL", url, Answered(200, "")).found
    assert "does not answer: refused" in judge_answer("public URL", url, Answered(None, "refused")).found
    assert judge_name("server URL", url, "meet.example.org", ["192.0.2.1"], None).verdict is OK
    assert judge_name("server URL", url, "meet.example.org", [], "Name unknown").verdict is FAIL
    itself = judge_name("internal URL", "http://localhost:1", "localhost", ["127.0.0.1", "::1"], None)
    assert "every server to itself" in itself.found
