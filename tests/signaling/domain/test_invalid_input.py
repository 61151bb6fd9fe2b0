from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator

from signaling.domain.invalid_input import invalid_input


class Inner(BaseModel):
    number: int = 0


class Sent(BaseModel, extra="forbid"):
    words: Annotated[frozenset[str], Field(min_length=1)] = frozenset({"a"})
    order: tuple[int, ...] = ()
    inner: Inner = Inner()
    secret: Annotated[SecretStr, Field(max_length=3)] = SecretStr("")
    even: int = 0

    @field_validator("even")
    @classmethod
    def _check_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be even")
        return value


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"words": []}, "words: should have at least 1 item"),
        ({"words": "a"}, "words: should be a list"),
        ({"order": "a"}, "order: should be a list"),
        ({"inner": 5}, "inner: should be an object"),
        ({"secret": "abcd"}, "secret: should have at most 3 characters"),
        ({"even": 3}, "even: must be even"),
        ({"even": "x"}, "even: input should be a valid integer, unable to parse string as an integer"),
        ({"odd": 1}, "odd: is not a known field"),
        (
            {"odd": 1, "inner": {"number": "x"}},
            "inner.number: input should be a valid integer, unable to "
            "parse string as an integer (and 1 more)",
        ),
    ],
)
def test_wrong_input_is_told_in_words_of_json(body: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Sent.model_validate(body)
    told = invalid_input(raised.value)
    assert (told.message, told.field) == (message, message.partition(":")[0])
