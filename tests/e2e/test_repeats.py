"""An idempotency key, seen from outside: one effect, one answer."""

from __future__ import annotations

import concurrent.futures

import httpx
import pytest

from tests.e2e import people
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack

KEY_HEADERS = ["Idempotency-Key", "X-Idempotency-Key"]


def members_named(stack: Stack, admin: Tokens, name: str) -> int:
    """How many rows there are of that name, over all pages."""
    found = 0
    cursor: str | None = None
    while True:
        query = {"limit": "100", **({"cursor": cursor} if cursor else {})}
        page = httpx.get(f"{stack.gateway_url}/api/members", params=query, headers=admin.bearer).json()
        found += sum(bool(item["name"] == name) for item in page["items"])
        cursor = page["next_cursor"]
        if not cursor:
            return found


@pytest.mark.parametrize("header", KEY_HEADERS)
def test_a_read_with_a_key_is_answered_from_memory_the_second_time(
    stack: Stack, admin: Tokens, header: str
) -> None:
    headers = {**admin.bearer, header: people.new_key()}
    first = httpx.get(f"{stack.gateway_url}/api/home", headers=headers)
    second = httpx.get(f"{stack.gateway_url}/api/home", headers=headers)
    assert (first.status_code, second.status_code) == (200, 200)
    assert "X-Idempotency-Replayed" not in first.headers
    assert second.headers["X-Idempotency-Replayed"] == second.headers["Idempotent-Replayed"] == "true"
    assert second.json() == first.json()


def test_a_read_that_was_answered_not_modified_is_whole_for_a_repeat_without_the_condition(
    stack: Stack, admin: Tokens
) -> None:
    url = f"{stack.gateway_url}/api/members"
    made = httpx.post(url, json=people.new_member(), headers=admin.bearer)
    url = f"{url}/{made.json()['id']}"
    keyed = {**admin.bearer, "Idempotency-Key": people.new_key()}
    first = httpx.get(url, headers={**keyed, "If-None-Match": made.headers["ETag"]})
    second = httpx.get(url, headers=keyed)
    assert (first.status_code, second.status_code) == (304, 200)
    assert second.json()["id"] == made.json()["id"]


def test_a_creation_repeated_is_one_row_and_the_same_answer(stack: Stack, admin: Tokens) -> None:
    body = people.new_member()
    headers = {**admin.bearer, "Idempotency-Key": people.new_key()}
    first = httpx.post(f"{stack.gateway_url}/api/members", json=body, headers=headers)
    second = httpx.post(f"{stack.gateway_url}/api/members", json=body, headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Idempotent-Replayed"] == "true"
    assert members_named(stack, admin, body["name"]) == 1


def test_a_key_with_another_body_is_refused(stack: Stack, admin: Tokens) -> None:
    headers = {**admin.bearer, "X-Idempotency-Key": people.new_key()}
    body, other = people.new_member(), people.new_member()
    assert httpx.post(f"{stack.gateway_url}/api/members", json=body, headers=headers).status_code == 201
    refused = httpx.post(f"{stack.gateway_url}/api/members", json=other, headers=headers)
    assert refused.status_code == 422
    assert refused.headers["Content-Type"].startswith("application/problem+json")
    assert members_named(stack, admin, other["name"]) == 0


def test_twenty_at_once_with_one_key_are_one_row(stack: Stack, admin: Tokens) -> None:
    body = people.new_member()
    headers = {**admin.bearer, "Idempotency-Key": people.new_key()}

    def create(_: int) -> httpx.Response:
        return httpx.post(f"{stack.gateway_url}/api/members", json=body, headers=headers, timeout=30)

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(create, range(20)))
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {201, 409} and 201 in statuses
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status_code == 409)
    assert members_named(stack, admin, body["name"]) == 1
    assert httpx.post(f"{stack.gateway_url}/api/members", json=body, headers=headers).status_code == 201


def test_another_callers_same_key_is_another_key(stack: Stack, admin: Tokens) -> None:
    key = people.new_key()
    email = people.new_member()["email"]
    registration = {"email": email, "password": "correct horse battery", "name": "Somebody"}
    httpx.post(f"{stack.auth_url}/api/auth/register", json=registration).raise_for_status()
    somebody = people.sign_in(stack, email, registration["password"])
    theirs = httpx.get(f"{stack.gateway_url}/api/auth/me", headers={**admin.bearer, "Idempotency-Key": key})
    own = httpx.get(f"{stack.gateway_url}/api/auth/me", headers={**somebody.bearer, "Idempotency-Key": key})
    assert (theirs.json()["email"], own.json()["email"]) == (people.ADMIN[0], email)
    assert "Idempotent-Replayed" not in own.headers


def test_a_sign_out_under_somebody_elses_key_is_a_sign_out(stack: Stack) -> None:
    """Its route needs no token of the gateway's, both come from one address, and neither has a body."""
    key = {"Idempotency-Key": people.new_key()}
    for somebody in (people.sign_in(stack, *people.ADMIN), people.sign_in(stack, *people.ADMIN)):
        headers = {**somebody.bearer, **key}
        ended = httpx.post(f"{stack.gateway_url}/api/auth/logout", headers=headers)
        assert (ended.status_code, "Idempotent-Replayed" in ended.headers) == (204, False)
        assert httpx.get(f"{stack.gateway_url}/api/auth/me", headers=somebody.bearer).status_code == 401
        again = httpx.post(f"{stack.gateway_url}/api/auth/logout", headers=headers)
        assert (again.status_code, "Idempotent-Replayed" in again.headers) == (204, True)


@pytest.mark.parametrize("header", KEY_HEADERS)
@pytest.mark.parametrize("key", ["", "with space", "a,b", "x" * 256], ids=["empty", "space", "comma", "long"])
def test_a_malformed_key_is_refused_not_ignored(stack: Stack, admin: Tokens, header: str, key: str) -> None:
    body = people.new_member()
    headers = {**admin.bearer, header: key}
    refused = httpx.post(f"{stack.gateway_url}/api/members", json=body, headers=headers)
    assert refused.status_code == 400
    assert refused.json()["type"] == "/problems/idempotency-key-malformed"
    assert members_named(stack, admin, body["name"]) == 0


@pytest.mark.parametrize("header", KEY_HEADERS)
def test_a_key_does_not_open_what_needs_a_token(stack: Stack, header: str) -> None:
    assert httpx.get(f"{stack.gateway_url}/api/home", headers={header: people.new_key()}).status_code == 401


def test_a_body_over_the_limit_is_refused(stack: Stack, admin: Tokens) -> None:
    big = b'{"email": "' + b"x" * (1 << 20) + b'"}'
    headers = {**admin.bearer, "Content-Type": "application/json"}
    refused = httpx.post(f"{stack.gateway_url}/api/members", content=big, headers=headers)
    assert refused.status_code == 413
    assert refused.headers["Content-Type"].startswith("application/problem+json")


def test_a_registration_sent_twice_to_the_front_makes_one_account_and_one_answer(stack: Stack) -> None:
    account = {**people.new_member(), "password": "a long and private sentence"}
    headers = {"Idempotency-Key": people.new_key()}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda _: httpx.post(
                    f"{stack.frontend_url}/api/auth/register", json=account, headers=headers, timeout=20
                ),
                range(4),
            )
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert httpx.post(f"{stack.frontend_url}/api/auth/register", json=account).status_code == 409
