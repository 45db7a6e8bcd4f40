"""What the journeys see when a part is gone: errors, never a way around, and then service again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.e2e import people
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack

RECOVERY_DEADLINE = 60.0  # seconds


@contextmanager
def without(stack: Stack, name: str) -> Iterator[None]:
    """A part is gone inside, and back afterwards for whoever comes next."""
    stack.stop(name)
    try:
        yield
    finally:
        stack.restart(name)


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + RECOVERY_DEADLINE
    while not condition():
        assert time.monotonic() < give_up, "it did not recover"
        time.sleep(0.2)


def statuses(url: str, headers: dict[str, str], seconds: float) -> set[int]:
    """Every status that comes while somebody asks again and again."""
    seen = set()
    finish = time.monotonic() + seconds
    while time.monotonic() < finish:
        seen.add(httpx.get(url, headers=headers, timeout=30).status_code)
    return seen


def test_without_the_token_validator_nobody_gets_in_and_it_recovers_by_itself(
    stack: Stack, admin: Tokens
) -> None:
    home = f"{stack.gateway_url}/api/home"
    assert httpx.get(home, headers=admin.bearer).status_code == 200
    assert httpx.get(home).status_code == 401
    stack.kill("token-validator")
    meanwhile = statuses(home, {}, 2.0)
    assert meanwhile <= {401, 500, 502, 503}
    until(lambda: httpx.get(home, headers=admin.bearer).status_code == 200)
    assert httpx.get(home).status_code == 401


@pytest.mark.parametrize("name", ["token-validator", "idempotency"])
def test_while_a_plugin_server_is_down_its_routes_answer_5xx_and_never_200(
    stack: Stack, admin: Tokens, name: str
) -> None:
    home = f"{stack.gateway_url}/api/home"
    headers = {**admin.bearer, "Idempotency-Key": people.new_key()}
    assert httpx.get(home, headers=headers).status_code == 200
    with without(stack, name):
        seen = statuses(home, {**admin.bearer, "Idempotency-Key": people.new_key()}, 1.0)
        assert seen and all(500 <= status <= 599 for status in seen)
        answer = httpx.get(home, headers={**admin.bearer, "Idempotency-Key": people.new_key()})
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert answer.json()["status"] == answer.status_code
    until(
        lambda: (
            httpx.get(home, headers={**admin.bearer, "Idempotency-Key": people.new_key()}).status_code == 200
        )
    )


def test_without_redis_a_key_is_refused_and_nothing_takes_effect(stack: Stack, admin: Tokens) -> None:
    body = people.new_member()
    headers = {**admin.bearer, "Idempotency-Key": people.new_key()}
    members = f"{stack.gateway_url}/api/members"
    with without(stack, "redis"):
        refused = httpx.post(members, json=body, headers=headers, timeout=30)
        assert refused.status_code == 503
        assert refused.headers["Retry-After"]
    until(lambda: httpx.get(members, headers=admin.bearer).status_code == 200)
    until(lambda: httpx.post(members, json=body, headers=headers).status_code == 201)


def test_with_member_gone_the_screen_says_what_is_missing(stack: Stack, admin: Tokens) -> None:
    home = f"{stack.gateway_url}/api/home"
    with without(stack, "member"):
        degraded = httpx.get(home, headers=admin.bearer)
        assert degraded.status_code == 200
        assert (degraded.json()["member"], "member" in degraded.json()["degraded"]) == (None, True)
        refused = httpx.get(f"{stack.gateway_url}/api/members", headers=admin.bearer)
        # Refused, known by then to be gone, or without an answer: nobody has its address.
        assert refused.status_code in (502, 503, 504)
        assert refused.json()["status"] == refused.status_code
    until(lambda: httpx.get(home, headers=admin.bearer).json()["degraded"] == [])
