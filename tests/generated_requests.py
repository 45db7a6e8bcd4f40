"""Requests that are generated from a service's own API document, at the service in this process: no 5xx, and no status
or body that the document does not describe."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 20


async def explore(
    client: httpx.AsyncClient, headers: Mapping[str, str], *, known: Mapping[str, str]
) -> set[str]:
    """The operations that were tried. `known` are path parameters of what there is: half of the requests name it."""
    loop = asyncio.get_running_loop()
    document = (await client.get("/docs/openapi.json")).json()

    def send(case: Any) -> httpx.Response:
        made = requests.Request(
            **case.as_transport_kwargs(base_url="http://service.test", headers=headers)
        ).prepare()
        body = made.body.encode() if isinstance(made.body, str) else made.body
        assert body is None or isinstance(body, bytes)
        fields = [
            (name, value if isinstance(value, str) else value.decode())
            for name, value in made.headers.items()
        ]
        sending = client.request(str(made.method), str(made.url), headers=fields, content=body)
        return asyncio.run_coroutine_threadsafe(sending, loop).result()

    def try_all() -> set[str]:
        tried = set()
        for found in schemathesis.openapi.from_dict(document).get_all_operations():
            operation: Any = found.ok()  # type: ignore[union-attr]
            tried.add(operation.label)
            _explore(operation, send, known)
        return tried

    return await asyncio.to_thread(try_all)


def _explore(operation: Any, send: Any, known: Mapping[str, str]) -> None:
    broken = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy() | broken, finds_one=st.booleans())
    def answers_as_documented(case: Any, finds_one: bool) -> None:
        for name in known.keys() & (case.path_parameters or {}).keys() if finds_one else ():
            case.path_parameters[name] = known[name]
        case.validate_response(send(case), checks=CHECKS)

    answers_as_documented()
