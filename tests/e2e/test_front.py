"""The web front through the whole chain: sessions in cookies, and what it refuses on everybody's behalf."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.e2e import people
from tests.e2e.stack import Stack
from tests.waiting import WITHIN

REFUSED = {
    "both lengths": (
        b"POST /api/members HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "two hosts": (b"GET /api/home HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "two lengths": (
        b"POST /api/members HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n",
        400,
    ),
    "empty segment": (b"GET /api//home HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "escaped dots": (b"GET /api/%2e%2e/internal/accounts HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "escaped slash": (b"GET /api%2f..%2finternal HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "escaped null": (b"GET /api/home%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "large headers": (b"GET /api/home HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 33_000 + b"\r\n\r\n", 431),
}


@pytest.fixture
def browser(stack: Stack) -> Iterator[httpx.Client]:
    """A client with a cookie jar and a session, as a browser has it."""
    with httpx.Client(base_url=stack.frontend_url) as client:
        credentials = {"email": people.ADMIN[0], "password": people.ADMIN[1]}
        client.post("/api/auth/login", json=credentials).raise_for_status()
        yield client


@pytest.mark.parametrize("name", REFUSED)
def test_ambiguous_requests_end_at_the_front(stack: Stack, name: str) -> None:
    request, status = REFUSED[name]
    where = urlsplit(stack.frontend_url)
    with socket.create_connection((where.hostname or "", where.port or 80), timeout=WITHIN) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert int(answer.split(b" ", 2)[1]) == status


def test_a_session_of_cookies_reaches_every_part(browser: httpx.Client) -> None:
    assert browser.get("/api/home").json()["member"]["email"] == people.ADMIN[0]
    assert browser.get("/api/members", params={"limit": 2}).status_code == 200
    assert browser.get("/api/auth/me").json()["email"] == people.ADMIN[0]


def test_an_action_repeated_through_the_front_has_one_effect(browser: httpx.Client) -> None:
    headers = {"Idempotency-Key": people.new_key()}
    body = people.new_member()
    first, second = (browser.post("/api/members", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"


def test_another_sites_page_changes_nothing(browser: httpx.Client) -> None:
    body = people.new_member()
    refused = browser.post("/api/members", json=body, headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403
    assert refused.json()["type"] == "/problems/cross-site-request"
    assert browser.get("/api/members", params={"q": body["email"]}).json()["items"] == []


@pytest.mark.parametrize(
    ("accept", "media_type"), [("text/html,*/*;q=0.8", "text/html"), ("*/*", "application/problem+json")]
)
def test_a_refusal_is_a_page_for_people_and_a_problem_for_programs(
    stack: Stack, accept: str, media_type: str
) -> None:
    headers = {"Accept": accept, "Origin": "https://evil.example"}
    refused = httpx.post(f"{stack.frontend_url}/account", headers=headers)
    assert (refused.status_code, refused.headers["Content-Type"].split(";")[0]) == (403, media_type)
    assert refused.headers["X-Request-Id"] in refused.text


def test_the_public_port_has_no_metrics(stack: Stack) -> None:
    assert httpx.get(f"{stack.frontend_url}/metrics").status_code == 404


def test_the_gateways_problems_pass_through(browser: httpx.Client, stack: Stack) -> None:
    anonymous = httpx.get(f"{stack.frontend_url}/api/home")
    assert anonymous.status_code == 401
    assert anonymous.headers["WWW-Authenticate"].startswith("Bearer")
    assert anonymous.json()["request_id"] == anonymous.headers["X-Request-Id"]
    unknown = browser.get("/api/nowhere")
    assert unknown.status_code == 404
    assert unknown.headers["Content-Type"].startswith("application/problem+json")


def test_another_replica_that_renews_at_the_same_time_hands_out_the_same_session(
    browser: httpx.Client, stack: Stack
) -> None:
    """A renewal that has ended is no longer shared inside a process: the second one is what another process does."""
    presented = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
    answers = [httpx.post(f"{stack.frontend_url}/api/auth/refresh", headers=presented) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert len({answer.cookies["refresh_token"] for answer in answers}) == 1
    for answer in answers:
        renewed = {"Cookie": f"access_token={answer.cookies['access_token']}"}
        assert httpx.get(f"{stack.frontend_url}/api/home", headers=renewed).status_code == 200


def test_signing_out_ends_the_session_everywhere_at_once(browser: httpx.Client, stack: Stack) -> None:
    token = browser.cookies["access_token"]
    assert browser.post("/api/auth/logout").status_code == 204
    assert "access_token" not in browser.cookies
    stolen = httpx.get(f"{stack.gateway_url}/api/home", headers={"Authorization": f"Bearer {token}"})
    assert stolen.status_code == 401
