from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.protocol import messages
from signaling.protocol.envelope import (
    MalformedFrame,
    event_frame,
    event_text,
    failure,
    parse_request,
    success,
)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
FIELDS = ["id", "type", "token", "offer", "publications", "peer_ids", "publication_id", "x"]
TYPES = ["join", "publish", "subscribe", "kick", "set_layer", "dance"]


@given(st.text() | st.builds(json.dumps, values))
def test_no_text_raises_anything_but_the_named_error(text: str) -> None:
    with pytest.raises(MalformedFrame):
        parse_request(text)


@given(st.dictionaries(st.sampled_from(FIELDS), values), st.sampled_from(TYPES))
def test_no_half_right_frame_does_either(fields: dict[str, object], request_type: str) -> None:
    try:
        request = parse_request(json.dumps({**fields, "type": request_type}))
    except MalformedFrame as error:
        frame = json.loads(error.to_frame())
        assert frame["ok"] is False
        assert frame["error"]["name"] == "MalformedMessage"
    else:
        assert request.type == request_type


def test_deep_nesting_is_malformed_and_not_a_crash() -> None:
    with pytest.raises(MalformedFrame):
        parse_request('{"id": 1, "type": ' + "[" * 100_000)


def test_frames_are_printed_as_documented() -> None:
    assert json.loads(success(7, messages.Empty())) == {"id": 7, "ok": True, "result": {}}
    assert json.loads(failure(None, 2001, "PermissionDenied", "Ask a host.")) == {
        "id": None,
        "ok": False,
        "error": {
            "code": 2001,
            "name": "PermissionDenied",
            "message": "Ask a host.",
            "field": None,
            "retry_after": None,
            "reason": None,
            "url": None,
        },
    }
    event = messages.SessionLeft(reason="left")
    assert json.loads(event_frame(3, event_text(event))) == {
        "seq": 3,
        "event": {"type": "session_left", "reason": "left"},
    }
