"""Every problem of the two plugins has its page, with the title's status on it."""

from pathlib import Path

import pytest

from kong.plugins.idempotency import problems as idempotency
from kong.plugins.problems import Problem
from kong.plugins.token_validator import problems as token_validator

PAGES = Path(__file__).parents[3] / "docs" / "problems"

PROBLEMS = [
    idempotency.malformed("It is empty."),
    idempotency.required(["Idempotency-Key"]),
    idempotency.protocol_change(),
    idempotency.too_many_keys(300),
    idempotency.too_many_headers(100),
    idempotency.request_too_large(10),
    idempotency.in_progress(3.2),
    idempotency.reused(),
    idempotency.not_kept("it was too large"),
    idempotency.store_unavailable(),
    token_validator.missing("api"),
    token_validator.invalid("api", "It has expired."),
    token_validator.insufficient("api", ["admin"], ["orders:read"]),
    token_validator.keys_unavailable(),
    token_validator.revocations_unavailable(),
]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_a_problem_has_a_page_that_explains_it(problem: Problem) -> None:
    page = (PAGES / f"{problem.name}.md").read_text()
    assert f"`/problems/{problem.name}` · status {problem.status} " in page
    assert "## What happened" in page
    assert "## What to do" in page


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_whether_to_repeat_goes_with_when(problem: Problem) -> None:
    assert ("Retry-After" in problem.headers) is bool(problem.members.get("retryable"))


def test_what_a_client_sent_can_not_break_the_document() -> None:
    body = idempotency.reused().body(instance="/caf\udce9/" + "x" * 10_000, request_id='"\r\n')
    assert len(body) < 4000
    assert rb"\r\n" in body
