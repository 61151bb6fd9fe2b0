"""What reading messages leaves behind."""

from __future__ import annotations

import gc
import tracemalloc

from sfu.control.messages import ConsumerClosed, event_adapter

MESSAGES = 2000
ID_BYTES = 70
"""What a text of an id's length takes at least."""


def test_ids_that_were_read_are_not_kept() -> None:
    texts = [
        event_adapter.dump_json(ConsumerClosed(consumer_id=f"cs_{number:026d}", reason="producer_closed"))
        for number in range(MESSAGES)
    ]
    gc.collect()
    tracemalloc.start()
    try:
        for text in texts:
            event_adapter.validate_json(text)
        gc.collect()
        # What other threads of the process allocate meanwhile is theirs.
        of_reading = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*pydantic*")])
    finally:
        tracemalloc.stop()
    kept = sum(one.size for one in of_reading.statistics("filename"))
    assert kept < MESSAGES * ID_BYTES / 10
