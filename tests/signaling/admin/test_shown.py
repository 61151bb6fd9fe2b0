from __future__ import annotations

import pytest

from signaling.admin.shown import as_fields, as_table, as_text, parsed


def test_a_table_has_columns_as_wide_as_they_need_be() -> None:
    rows = [{"id": "1", "name": "Weekly"}, {"id": "22", "name": None}, {"id": "3"}]
    assert as_table(rows, ("id", "name")).splitlines() == ["ID  NAME", "1   Weekly", "22  -", "3   -"]
    assert as_table([], ("id",)) == "ID"


def test_what_is_too_long_for_a_table_is_cut_and_whole_by_itself() -> None:
    long = "x" * 100
    assert len(as_table([{"id": long}], ("id",)).splitlines()[1]) == 60
    assert as_fields({"id": long, "a": True}) == f"id  {long}\na   yes"


def test_nothing_that_comes_from_elsewhere_moves_the_cursor() -> None:
    assert as_text("a\x1b[2Jb\nc") == "a?[2Jb?c"
    assert as_text(["a", "\x07"]) == "a, ?"
    assert as_text({"a": None}) == '{"a": null}'


def test_fields_are_texts_or_json() -> None:
    assert parsed(["title=a=b", "persist_chat:=true", "events:=[]", "empty="]) == {
        "title": "a=b",
        "persist_chat": True,
        "events": [],
        "empty": "",
    }
    for wrong in ("title", "=x", "n:=no"):
        with pytest.raises(ValueError, match=wrong.partition("=")[0][:1] or "write"):
            parsed([wrong])
