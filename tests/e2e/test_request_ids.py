"""One id finds a request in every hop's log: the client's, the problem's, Kong's own access log."""

import json
import time
import uuid

import httpx
import pytest

from tests.e2e import people
from tests.e2e.stack import Stack
from tests.waiting import WITHIN


def lines(stack: Stack, request_id: str, logger: str) -> list[dict[str, object]]:
    """The JSON lines of `logger` with that id, as soon as there are some."""
    give_up = time.monotonic() + WITHIN
    while time.monotonic() < give_up:
        objects = (
            line[line.index("{") :] for line in stack.log().splitlines() if request_id in line and "{" in line
        )
        found = [json.loads(text) for text in objects if logger in text and text.endswith("}")]
        if found := [line for line in found if line["http.request.id"] == request_id]:
            return found
        time.sleep(0.2)
    return []


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/api/home?token=not-for-logs", {}, 401),
        ("GET", "/nowhere?token=not-for-logs", {}, 404),
        ("BREW", "/api/home", {}, 501),
        ("POST", "/api/members", {"Idempotency-Key": ""}, 400),
        ("GET", "/nowhere", {"X-Request-Id": "not fit for a log"}, 404),
    ],
)
def test_what_the_gateway_answers_itself_is_found_by_the_problems_id(
    stack: Stack, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = httpx.request(method, f"{stack.gateway_url}{path}", headers=headers)
    problem = answer.json()
    assert (answer.status_code, problem["request_id"]) == (status, answer.headers["X-Request-Id"])
    (line,) = lines(stack, problem["request_id"], "kong.access")
    assert (line["http.response.status_code"], line["http.request.method"]) == (status, method)
    assert line["url.path"] == path.partition("?")[0]
    assert line["kong.request_id"] == answer.headers["X-Kong-Request-Id"]
    assert "not-for-logs" not in json.dumps(line)


def test_a_clients_own_id_is_in_the_log_of_every_hop(stack: Stack) -> None:
    mine, session = f"test-{uuid.uuid4()}", people.sign_in(stack)
    answer = httpx.get(
        f"{stack.gateway_url}/api/members/me", headers={**session.bearer, "X-Request-Id": mine}
    )
    assert (answer.status_code, answer.headers["X-Request-Id"]) == (200, mine)
    assert len(lines(stack, mine, "kong.access")) == 1
    assert "member" in {line["service.name"] for line in lines(stack, mine, "services.access")}


def test_no_line_of_the_gateway_holds_a_token(stack: Stack) -> None:
    session = people.sign_in(stack)
    mine = f"test-{uuid.uuid4()}"
    httpx.get(f"{stack.gateway_url}/api/home", headers={**session.bearer, "X-Request-Id": mine})
    assert lines(stack, mine, "kong.access")
    assert session.access not in stack.log()
