"""Is `/openapi.json` true? Requests made up from it (schemathesis), and every answer held to it.

    make fuzz-api
    python -m tests.compat.openapi [--examples 100] [--only meetings] [--minutes 60] [--no-aliases]

For each operation requests that the document allows, and requests that it does not. No answer may be a 5xx,
have a status that the document does not give for the operation, or look otherwise than the document says. The
ids in paths are mostly those of things that there are: they are made first, from the document's examples.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import shuffle
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.server import Server, start_server, stop_server, wait_healthy

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
UNLIMITED = tuple(
    part for limit in ("address", "key", "organization") for part in (f"--rate-limit-{limit}", "0")
)
"""Arguments of a server that is asked as often as one can."""
MOSTLY = 4
"""One of so many requests goes to a path whose ids are made up, too."""
ALIASES = "/accounts/{account_id}/realtime/kit/{app_id}/"
"""Operations with this before their path are others, with the same handlers."""


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def as_text(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


class Description:
    """The document, to hold answers to."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.schema = schemathesis.openapi.from_dict(document)
        operations = [one.ok() for one in self.schema.get_all_operations()]
        self.operations: dict[tuple[str, str], APIOperation[Any, Any, Any]] = {
            (one.method.upper(), one.path): one for one in operations
        }
        # A path without a parameter goes before one that has one in the same place.
        self._paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path)
            for path in sorted(document["paths"], key=lambda path: path.count("{"))
        ]

    def told(self, operation: APIOperation[Any, Any, Any]) -> dict[str, Any]:
        told: dict[str, Any] = self.document["paths"][operation.path][operation.method.lower()]
        return told

    def check(self, response: httpx.Response) -> None:
        """Raises `AssertionError` where the answer is not what the document says."""
        request, path = response.request, urlsplit(str(response.request.url)).path
        template = next((one for pattern, one in self._paths if pattern.fullmatch(path)), None)
        operation = self.operations.get((request.method, template)) if template else None
        assert operation is not None, f"{request.method} {path} is not in the document"
        told = self.told(operation)["responses"]
        assert str(response.status_code) in told, (
            f"{operation.label} answered {response.status_code}, not {list(told)}"
        )
        try:
            operation.validate_response(response)
        except FailureGroup as group:
            raise AssertionError("; ".join(str(one) for one in group.exceptions)) from None


@dataclass
class Fuzz:
    """`examples`: so many requests that are allowed, and as many that are not, for each operation. `seen`
    counts statuses by operation; `findings` are what is wrong, one for each operation and kind."""

    server: Server
    examples: int
    random: bool
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)
    findings: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        key = self.server.credentials
        self._organization_id = key.organization_id
        self._http = requests.Session()
        self._http.auth = (key.organization_id, key.api_key)
        self.description = Description(self._http.get(self.server.base_url + "/openapi.json").json())

    def run(self, only: str = "", *, aliases: bool = True, until: float | None = None) -> int:
        """Of the operations with `only` in their path, by chance in another order each time where it is
        `random`: those that are begun before `until`, by the monotonic clock. Returns how many are left."""
        wanted = [
            one
            for one in self.description.operations.values()
            if only in one.path and (aliases or not one.path.startswith(ALIASES))
        ]
        if self.random:
            shuffle(wanted)
        for number, operation in enumerate(wanted):
            if until is not None and time.monotonic() >= until:
                return len(wanted) - number
            self._try(operation, number)
        return 0

    def _try(self, operation: APIOperation[Any, Any, Any], seed: int) -> None:
        real, token = self._made(operation), self._token(operation)
        numbers = itertools.count(seed)
        self._try_example(operation, real)

        def ask(case: Case) -> None:
            if next(numbers) % MOSTLY:
                case.path_parameters = {**(case.path_parameters or {}), **real}
            # A session's own credentials would go before a header.
            session = requests.Session() if token else self._http
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            response = case.call(self.server.base_url, session, headers=headers, timeout=20)
            self.seen[operation.label, response.status_code] += 1
            try:
                case.validate_response(response, checks=CHECKS)
            except FailureGroup as group:
                for failure in group.exceptions:
                    kind = type(failure).__name__
                    self.findings.setdefault((operation.label, kind), f"{failure}\n{case.as_curl_command()}")

        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            limits = settings(
                max_examples=self.examples,
                phases=[Phase.generate],
                derandomize=not self.random,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            )
            try:
                limits(given(operation.as_strategy(generation_mode=mode))(ask))()
            except Unsatisfiable:
                pass  # Nothing about the operation can be wrong: it takes nothing.

    def _try_example(self, operation: APIOperation[Any, Any, Any], real: dict[str, str]) -> None:
        """What the document itself gives as an example has to be taken."""
        body = self._example(operation)
        if body is None or self._token(operation) or not real.keys() >= set(_parameters(operation)):
            return
        url = self.server.base_url + operation.path.format(**real)
        response = self._http.request(operation.method, url, json=body, timeout=20)
        self.seen[operation.label, response.status_code] += 1
        try:
            operation.validate_response(response)
        except FailureGroup as group:
            self.findings[operation.label, "Example"] = "; ".join(str(one) for one in group.exceptions)

    # --- what there is -----------------------------------------------------------------------------------

    def _made(self, operation: APIOperation[Any, Any, Any]) -> dict[str, str]:
        """Values for the parameters in the path, of things that were made for this."""
        real: dict[str, str] = {}
        path = ""
        for part in operation.path.split("/")[1:]:
            if part.startswith("{"):
                name = part[1:-1]
                ours = name in ("account_id", "app_id", "org_id")
                value = self._organization_id if ours else self._make(path, real)
                if value is None:
                    return real
                real[name] = value
            path += "/" + part
        return real

    def _make(self, collection: str, real: dict[str, str]) -> str | None:
        """The id of something new in a collection; None where the document does not say how to make it."""
        creating = self.description.operations.get(("POST", collection.replace("/rooms", "/meetings")))
        if creating is None:
            return None
        body = self._example(creating)
        if body is None:
            return None
        url = self.server.base_url + creating.path.format(**real)
        answer = self._http.post(url, json=body, timeout=20)
        return next(_ids(answer.json().get("data")), None) if answer.ok else None

    def _example(self, operation: APIOperation[Any, Any, Any]) -> dict[str, Any] | None:
        """Of the body, with names that nothing has yet and presets that there are."""
        content = self.description.told(operation).get("requestBody", {}).get("content", {})
        body: dict[str, Any] | None = content.get("application/json", {}).get("example")
        if body is None:
            return None
        fresh = {name: f"{body[name]} {uuid4()}" for name in ("name", "unique_name") if name in body}
        return body | fresh | ({"preset_name": "group_call_host"} if "preset_name" in body else {})

    def _token(self, operation: APIOperation[Any, Any, Any]) -> str | None:
        """Of a participant, where the operation wants one."""
        if self.description.told(operation)["security"] != [{"participant": []}]:
            return None
        base = self.server.base_url + "/v2/meetings"
        meeting_id = self._http.post(base, json={}, timeout=20).json()["data"]["id"]
        body = {"preset_name": "group_call_host", "custom_participant_id": "ada"}
        made = self._http.post(f"{base}/{meeting_id}/participants", json=body, timeout=20).json()["data"]
        return str(made["token"])


def _parameters(operation: APIOperation[Any, Any, Any]) -> list[str]:
    """In the path."""
    return re.findall(r"\{(\w+)\}", operation.path)


def _ids(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        if isinstance(data.get("id"), str):
            yield data["id"]
        for value in data.values():
            yield from _ids(value)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=100, help="for each operation, and as many bad ones")
    parser.add_argument("--only", default="", help="operations with this in their path")
    parser.add_argument("--minutes", type=float, help="begin with no operation after so many")
    parser.add_argument("--no-aliases", action="store_true", help="without those of the RealtimeKit prefix")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = start_server(Path(folder), arguments=UNLIMITED)
        try:
            asyncio.run(wait_healthy(server))
            fuzz = Fuzz(server, arguments.examples, random=True)
            until = None if arguments.minutes is None else time.monotonic() + 60 * arguments.minutes
            left = fuzz.run(arguments.only, aliases=not arguments.no_aliases, until=until)
        finally:
            problems = stop_server(server)
        log = server.log
    for (label, status), count in sorted(fuzz.seen.items()):
        print(f"{label} {status}: {count}")  # noqa: T201
    operations = len({label for label, _ in fuzz.seen})
    counts = f"{operations} operations, {fuzz.seen.total()} requests, {len(fuzz.findings)} findings"
    print(f"{counts}; {left} operations left")  # noqa: T201
    for (label, kind), finding in fuzz.findings.items():
        print(f"\n--- {label}: {kind}\n{finding}")  # noqa: T201
    if "Traceback" in log:
        problems.append(log[-4000:])
    print(*problems, sep="\n")  # noqa: T201
    return 1 if fuzz.findings or problems else 0


if __name__ == "__main__":
    sys.exit(main())
