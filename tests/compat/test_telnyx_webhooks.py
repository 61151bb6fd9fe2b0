"""`telnyx` takes what a room is told of what happened in it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from signaling.clock import SystemClock
from signaling.domain.webhook import Shape, Subscriber, Target
from signaling.domain.webhook_events import Setting, delivery
from signaling.webhooks.key_ring import WebhookKeyRing
from signaling.webhooks.signing import WebhookKeys, signed_headers
from tests.signaling import values
from tests.signaling.values import NOON


def test_the_vendors_own_sdk_takes_what_a_room_is_sent() -> None:
    from telnyx import Telnyx

    keys = WebhookKeys.generate()
    published = WebhookKeyRing.of(keys, SystemClock()).document()
    room = Subscriber("meeting:1", Shape.ROOM, target=Target("https://room.example/", None, 3))
    client = Telnyx(api_key="unused", public_key=published["ed25519"])
    for told in values.occurrences(values.session(values.meeting(values.organization()))):
        one = delivery(told, room, Setting("Acme", None), NOON)
        assert one is not None
        headers = signed_headers(one, 1, keys, datetime.now(UTC))
        event = client.webhooks.unwrap(one.body, headers=headers)
        assert event.data is not None
        assert event.data.to_dict()["event_type"] == one.event
        with pytest.raises(ValueError, match="does not match"):
            client.webhooks.unwrap(one.body + " ", headers=headers)
