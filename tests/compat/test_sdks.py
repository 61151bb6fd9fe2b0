"""The list of operations is complete, each has a test, and the page has them all."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from tests.compat.methods import methods
from tests.support.sdk_answers import assert_fills
from tests.support.sdk_page import render
from tests.support.sdks import DEVIATIONS, OPERATIONS

PAGE = Path(__file__).parent.parent.parent / "docs" / "compatibility.md"


def test_every_method_of_the_cloudflare_sdk_is_in_the_list() -> None:
    from cloudflare.resources.realtime_kit import AsyncRealtimeKitResource

    assert sorted(methods(AsyncRealtimeKitResource)) == sorted(one.name for one in OPERATIONS["cloudflare"])


def test_every_operation_that_is_not_for_later_has_a_test() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    expected = [one.name for operations in OPERATIONS.values() for one in operations if not one.later]
    assert [name for name in expected if tests.count(f'@shows("{name}")') != 1] == []


def test_the_page_has_every_operation() -> None:
    """What a row says of it is written by `make compatibility`."""
    page = PAGE.read_text().splitlines()
    for line in render([]).splitlines():
        method, _, _ = line.partition(" | ")
        if method.startswith("| `"):
            assert any(one.startswith(method) for one in page), f"{method} is missing: make compatibility"


def test_what_is_left_out_is_of_an_operation_that_there_is() -> None:
    known = {(sdk, one.name) for sdk, operations in OPERATIONS.items() for one in operations}
    assert set(DEVIATIONS) <= known


class Item(BaseModel):
    size: int
    note: str | None = None


class Answer(BaseModel):
    data: list[Item]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"data": [{"note": "x"}]}', "size"),
        (b'{"data": [{"size": "1", "note": "x"}]}', "valid integer"),
        (b'{"data": [{"size": 1, "note": "x"}, {"size": 2}]}', "data.note"),
        (b"{}", "data"),
    ],
)
def test_an_answer_that_does_not_fill_its_model_is_found(body: bytes, problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        assert_fills(Answer, body)


def test_a_field_said_to_be_left_out_may_be_and_must_be() -> None:
    assert_fills(Answer, b'{"data": [{"size": 1}]}', but={"data.note"})
    with pytest.raises(AssertionError, match=r"and there: \['data.note'\]"):
        assert_fills(Answer, b'{"data": [{"size": 1, "note": null}]}', but={"data.note"})
