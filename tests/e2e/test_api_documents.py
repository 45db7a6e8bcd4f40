"""member's and bff's API documents hold through the gateway: generated requests meet no 5xx, and no status or body that
the documents do not describe."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
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

from tests.e2e import people
from tests.e2e.stack import Stack

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 40

# What the gateway says of any request whatever its address, before a service could: the target or a header is too long.
OF_THE_GATEWAY = {414, 431}

# Of the document's addresses, what the gateway routes.
ROUTED = "^/api/"


@pytest.mark.parametrize("service", ["member", "bff"])
def test_every_answer_through_the_gateway_is_as_documented(stack: Stack, service: str) -> None:
    base = stack.member_url if service == "member" else stack.bff_url
    document = httpx.get(f"{base}/docs/openapi.json").json()
    routed = schemathesis.openapi.from_dict(document).include(path_regex=ROUTED)
    operations: list[Any] = [found.ok() for found in routed.get_all_operations()]  # type: ignore[union-attr]
    assert {operation.path for operation in operations} == {
        path for path in document["paths"] if path.startswith("/api/")
    }
    for operation in operations:
        _explore(stack, operation)


def _explore(stack: Stack, operation: Any) -> None:
    # An administrator of this operation's own, so that nothing ends at a 403 or depends on the one before. What is
    # deleted is a member that was made for it: made-up identifiers find nobody's account.
    headers = people.sign_in(stack).bearer
    present = _member(stack, headers)

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=_cases(operation), finds_one=st.booleans())
    def answers_as_documented(case: schemathesis.Case[Any], finds_one: bool) -> None:
        if finds_one and "member_id" in (case.path_parameters or {}):
            case.path_parameters["member_id"] = present
            case.headers["If-Match"] = "*"
        answer = case.call(base_url=stack.gateway_url, headers=headers)
        if answer.status_code in OF_THE_GATEWAY:
            assert answer.headers["content-type"][0].startswith("application/problem+json")
        else:
            case.validate_response(answer, checks=CHECKS)

    answers_as_documented()


def _cases(operation: Any) -> st.SearchStrategy[schemathesis.Case[Any]]:
    """Requests as the document wants them, and requests that break it somewhere."""
    good: st.SearchStrategy[schemathesis.Case[Any]] = operation.as_strategy()
    broken: st.SearchStrategy[schemathesis.Case[Any]] = operation.as_strategy(
        generation_mode=GenerationMode.NEGATIVE
    )
    return good | broken


def _member(stack: Stack, headers: dict[str, str]) -> str:
    made = httpx.post(f"{stack.gateway_url}/api/members", json=people.new_member(), headers=headers)
    return str(made.raise_for_status().json()["id"])
