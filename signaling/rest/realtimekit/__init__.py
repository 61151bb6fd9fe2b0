"""The RealtimeKit prefix: the operations of `/v2` by another path.

`account_id` is the organization's id and `app_id` an app's; the default app has the organization's id. The
vendor's own base URL ends in `/client/v4`, so all of it answers below that too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from signaling.rest.operation import Operation

PREFIX: Final = "/accounts/{account_id}/realtime/kit/{app_id}"
BASE: Final = "/client/v4"


def realtimekit(operations: Iterable[Operation]) -> list[Operation]:
    return [one.below(PREFIX, of="RealtimeKit") for one in operations]
