"""Who is let in, seen from outside the gateway."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.e2e import people
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack
from tests.waiting import WITHIN

FORGED = [
    {"X-User-Id": "00000000-0000-4000-8000-000000000001"},
    {"X_User_Id": "00000000-0000-4000-8000-000000000001"},
    {"X-User-Id": "1", "X-User-Roles": "admin", "X-Session-Id": "1"},
    {"X-Internal-Key": "guess"},
    {"Authorization": "Basic dGVzdDp0ZXN0"},
    {"Authorization": "Bearer not.a.token"},
    {"Cookie": "access_token=x"},
]


def test_the_screen_is_there_for_whoever_signed_in(stack: Stack, admin: Tokens) -> None:
    answer = httpx.get(f"{stack.gateway_url}/api/home", headers=admin.bearer)
    assert answer.status_code == 200
    assert set(answer.json()) == {"member", "session", "notices", "sections", "degraded"}
    assert answer.headers["X-Request-Id"]


def test_without_a_token_the_answer_is_a_problem_with_a_challenge(stack: Stack) -> None:
    answer = httpx.get(f"{stack.gateway_url}/api/home")
    assert answer.status_code == 401
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    problem = answer.json()
    assert problem["status"] == 401
    assert problem["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize("headers", FORGED, ids=[" ".join(headers) for headers in FORGED])
@pytest.mark.parametrize("path", ["/api/home", "/api/members", "/api/auth/me"])
def test_nothing_else_stands_in_for_a_token(stack: Stack, path: str, headers: dict[str, str]) -> None:
    assert httpx.get(f"{stack.gateway_url}{path}", headers=headers).status_code == 401


def test_a_forged_identity_beside_a_good_token_changes_nothing(stack: Stack, admin: Tokens) -> None:
    email = people.new_member()["email"]
    registration = {"email": email, "password": "correct horse battery", "name": "Somebody"}
    httpx.post(f"{stack.auth_url}/api/auth/register", json=registration).raise_for_status()
    somebody = people.sign_in(stack, email, registration["password"])
    forged = {**somebody.bearer, "X-User-Id": "00000000-0000-4000-8000-000000000001", "X-User-Roles": "admin"}
    assert httpx.get(f"{stack.gateway_url}/api/members", headers=forged).status_code == 403
    assert httpx.get(f"{stack.gateway_url}/api/auth/me", headers=forged).json()["email"] == email
    assert httpx.get(f"{stack.gateway_url}/api/members", headers=admin.bearer).status_code == 200


def test_after_signing_out_the_same_token_is_refused(stack: Stack) -> None:
    """How soon is measured by bench/revocation.py; here the machine may be busy."""
    tokens = people.sign_in(stack)
    home = f"{stack.gateway_url}/api/home"
    assert httpx.get(home, headers=tokens.bearer).status_code == 200
    signed_out = httpx.post(f"{stack.gateway_url}/api/auth/logout", json={"refresh_token": tokens.refresh})
    assert signed_out.status_code == 204
    deadline = time.monotonic() + WITHIN
    while (refused := httpx.get(home, headers=tokens.bearer)).status_code == 200:
        assert time.monotonic() < deadline, "the token is still accepted"
        time.sleep(0.02)
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "path", ["/internal/accounts/1/status", "/internal/members/1", "/api/../internal/members/1"]
)
def test_what_is_internal_is_not_routed(stack: Stack, admin: Tokens, path: str) -> None:
    with httpx.Client() as client:
        request = client.build_request(
            "PUT", stack.gateway_url, headers={**admin.bearer, "X-Internal-Key": stack.internal_key}, json={}
        )
        request.url = request.url.copy_with(raw_path=path.encode())
        assert client.send(request).status_code == 404


def test_an_unknown_path_is_a_whole_problem_too(stack: Stack) -> None:
    answer = httpx.get(f"{stack.gateway_url}/nowhere")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert {**answer.json(), "detail": ""} == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "",
        "instance": "/nowhere",
        "request_id": answer.headers["X-Request-Id"],
    }


def test_a_client_may_choose_its_request_id_if_it_is_fit_for_a_log(stack: Stack) -> None:
    chosen = httpx.get(f"{stack.gateway_url}/api/home", headers={"X-Request-Id": "journey-1"})
    assert chosen.headers["X-Request-Id"] == chosen.json()["request_id"] == "journey-1"
    refused = httpx.get(f"{stack.gateway_url}/api/home", headers={"X-Request-Id": "a b"})
    assert refused.headers["X-Request-Id"] not in ("", "a b")
