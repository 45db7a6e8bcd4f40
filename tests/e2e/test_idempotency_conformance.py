"""draft-ietf-httpapi-idempotency-key-header-07 sentence by sentence, and what this project adds to it.

Each test is named for a sentence and quotes it. It is run with both headers, and against both layers: `gateway` sends
everything through the gateway, so that its plugin answers repeats; `service` sends repeats to the service itself, as if
the gateway had forgotten the key.
"""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e import people
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack
from tests.waiting import WITHIN

ROOT = Path(__file__).parents[2]
LEASE = 5
"""Seconds; lock_ttl of member's routes in kong.yml.template."""
MARKS = ("Idempotent-Replayed", "X-Idempotency-Replayed")


@dataclass
class Client:
    """Creates members with a key; `send` is the first attempt, `again` any later one."""

    stack: Stack
    bearer: dict[str, str]
    header: str
    layer: str
    body: dict[str, Any] = field(default_factory=people.new_member)
    key: str = field(default_factory=people.new_key)

    def send(self, **changes: Any) -> httpx.Response:
        return self._request(self.stack.gateway_url, **changes)

    def again(self, **changes: Any) -> httpx.Response:
        base = self.stack.gateway_url if self.layer == "gateway" else self.stack.member_url
        return self._request(base, **changes)

    def send_and_leave(self) -> None:
        """Sends the first attempt whole and closes the connection without waiting for an answer."""
        connection = http.client.HTTPConnection(self.stack.gateway_url.removeprefix("http://"), timeout=30)
        headers = {**self.bearer, "Content-Type": "application/json", self.header: self.key}
        connection.request("POST", "/api/members", json.dumps(self.body, separators=(",", ":")), headers)
        connection.close()

    def rows(self) -> int:
        """How many members have this client's e-mail, by the service's own account."""
        count = 0
        cursor: str | None = None
        while True:
            query = {"limit": "100", **({"cursor": cursor} if cursor else {})}
            url = f"{self.stack.member_url}/api/members"
            page = httpx.get(url, params=query, headers=self.bearer).raise_for_status().json()
            count += sum(bool(item["email"] == self.body["email"]) for item in page["items"])
            cursor = page["next_cursor"]
            if not cursor:
                return count

    def _request(
        self,
        base: str,
        *,
        key: str | None = None,
        body: dict[str, Any] | None = None,
        query: str = "",
        headers: list[tuple[str, str]] | None = None,
    ) -> httpx.Response:
        keyed = [(self.header, self.key if key is None else key)] if headers is None else headers
        lines = [(name.encode(), value.encode()) for name, value in (*self.bearer.items(), *keyed)]
        return httpx.post(
            f"{base}/api/members{query}",
            json=self.body if body is None else body,
            headers=lines,
            timeout=30,
        )


@pytest.fixture(params=["Idempotency-Key", "X-Idempotency-Key"])
def header(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["gateway", "service"])
def client(request: pytest.FixtureRequest, stack: Stack, admin: Tokens, header: str) -> Client:
    return Client(stack, admin.bearer, header, request.param)


@pytest.fixture
def through_gateway(stack: Stack, admin: Tokens, header: str) -> Client:
    return Client(stack, admin.bearer, header, "gateway")


def replayed(answer: httpx.Response) -> bool:
    marks = {answer.headers.get(mark) for mark in MARKS}
    assert marks in ({None}, {"true"}), "both marks or none"
    return marks == {"true"}


def problem(answer: httpx.Response, status: int, name: str) -> dict[str, Any]:
    """The problem document, whose type leads to a page."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"/problems/{name}"
    assert (ROOT / "docs" / "problems" / f"{name}.md").is_file()
    assert isinstance(document["retryable"], bool)
    return document


# §2.1 Syntax


@pytest.mark.parametrize("sent", ['"8e03978e-{}"', '"quotes-\\"-and-\\\\-{}"', "bare-{}", '"{}";p=1'])
def test_its_value_is_a_string(client: Client, sent: str) -> None:
    """§2.1: "Idempotency-Key is an Item Structured Header. Its value MUST be a String." Bare values pass as well, and
    parameters, of which none is defined, are ignored (RFC 9651 §3.1.2)."""
    key = sent.format(client.key)
    first, second = client.send(key=key), client.again(key=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert (replayed(first), replayed(second)) == (False, True)


def test_a_quoted_and_a_bare_spelling_are_one_key(client: Client) -> None:
    """§2.1, RFC 9651 §4.2.5: the quotes are the string's spelling, not part of it."""
    first, second = client.send(key=f'"{client.key}"'), client.again(key=client.key)
    assert second.content == first.content
    assert client.rows() == 1


@pytest.mark.parametrize(
    "key",
    [
        "",
        '""',
        '"open',
        '"a"b',
        '"a\\b"',
        "a,b",
        "a b",
        '"a b"',
        "x" * 256,
        "café",
    ],
    ids=[
        "empty",
        "empty-string",
        "open",
        "tail",
        "escape",
        "comma",
        "space",
        "quoted-space",
        "long",
        "not-ascii",
    ],
)
def test_any_other_value_is_refused_before_any_effect(client: Client, key: str) -> None:
    """§2.1 with design: 1 to 255 visible ASCII characters, no comma."""
    refused = client.again(headers=[(client.header, key)])
    assert "key" in problem(refused, 400, "idempotency-key-malformed")["detail"].lower()
    assert client.rows() == 0


def test_255_characters_are_a_key(client: Client) -> None:
    key = (client.key * 8)[:255]
    assert replayed(client.send(key=key)) is False
    assert replayed(client.again(key=key)) is True


def test_a_client_must_not_send_it_more_than_once(client: Client) -> None:
    """§2.1: an Item has one value; of two, nobody could say which counts."""
    refused = client.again(headers=[(client.header, client.key), (client.header, people.new_key())])
    problem(refused, 400, "idempotency-key-malformed")
    assert client.rows() == 0


def test_two_headers_that_disagree_are_refused(client: Client) -> None:
    refused = client.again(headers=[("Idempotency-Key", client.key), ("X-Idempotency-Key", people.new_key())])
    problem(refused, 400, "idempotency-key-malformed")
    assert client.rows() == 0


def test_two_headers_that_agree_are_one_key(client: Client) -> None:
    both = [("Idempotency-Key", client.key), ("X-Idempotency-Key", client.key)]
    assert client.send(headers=both).status_code == 201
    assert replayed(client.again()) is True


# §2.2 Uniqueness of Idempotency Key


def test_a_key_must_not_be_reused_with_another_payload(client: Client) -> None:
    """§2.2, §2.7: "MUST NOT be reused with another request with a different request payload"; then 422."""
    assert client.send().status_code == 201
    other = Client(client.stack, client.bearer, client.header, client.layer)
    document = problem(client.again(body=other.body), 422, "idempotency-key-reused")
    assert document["retryable"] is False
    assert (client.rows(), other.rows()) == (1, 0)


def test_another_key_is_another_operation(client: Client) -> None:
    """§2.2: a unique key names one operation, so a second key asks for a second effect: here, a taken e-mail."""
    assert client.send().status_code == 201
    second = client.again(key=people.new_key())
    assert second.status_code == 409
    assert second.json()["type"] != "/problems/idempotency-in-progress"


def test_keys_are_the_callers_own(client: Client) -> None:
    """Design §6: "Callers with the same key never see each other's answer"."""
    first = client.send()
    credentials = {"email": people.new_member()["email"], "password": "correct horse battery", "name": "Eve"}
    httpx.post(f"{client.stack.auth_url}/api/auth/register", json=credentials).raise_for_status()
    client.bearer = people.sign_in(client.stack, credentials["email"], credentials["password"]).bearer
    theirs = client.again()
    assert replayed(theirs) is False
    assert first.json()["id"] not in theirs.text


def test_a_caller_without_a_session_shares_no_key_with_one(through_gateway: Client) -> None:
    """Design §6: the account that token-validator found, else the client's address."""
    assert through_gateway.send().status_code == 201
    through_gateway.bearer = {}
    nobody = through_gateway.again()
    assert (nobody.status_code, replayed(nobody)) == (401, False)
    forged = httpx.post(
        f"{through_gateway.stack.gateway_url}/api/auth/login",
        json={"email": people.ADMIN[0], "password": "wrong"},
        headers={through_gateway.header: through_gateway.key, "X-User-Id": "somebody"},
    )
    assert replayed(forged) is False


# §2.4 Idempotency Fingerprint


def test_the_fingerprint_covers_the_query(client: Client) -> None:
    """§2.4: "An idempotency fingerprint MAY be used in conjunction with an idempotency key"."""
    assert client.send().status_code == 201
    problem(client.again(query="?other=1"), 422, "idempotency-key-reused")


def test_the_fingerprint_covers_the_content_type(client: Client) -> None:
    assert client.send().status_code == 201
    typed = [(client.header, client.key), ("Content-Type", "application/json; charset=utf-8")]
    problem(client.again(headers=typed), 422, "idempotency-key-reused")


# §2.5, §2.6 Responsibilities and enforcement


def test_a_first_request_is_processed_normally(client: Client) -> None:
    """§2.6: "First time request ... the resource server SHOULD process the request normally"."""
    first = client.send()
    assert (first.status_code, replayed(first)) == (201, False)
    assert client.rows() == 1


def test_a_retry_gets_the_result_of_the_completed_operation(client: Client) -> None:
    """§2.6: "SHOULD respond with the result of the previously completed operation, success or an error"."""
    first = client.send()
    for _ in range(3):
        later = client.again()
        assert replayed(later) is True
        assert (later.status_code, later.content) == (first.status_code, first.content)
        for name in ("Location", "ETag", "Content-Type"):
            assert later.headers[name] == first.headers[name]
    assert client.rows() == 1


def test_a_retry_of_a_failed_operation_gets_its_error(through_gateway: Client) -> None:
    """§2.6, "or an error": a 4xx that says something of the operation is its outcome."""
    wrong = {"email": "no address"}
    first, second = through_gateway.send(body=wrong), through_gateway.again(body=wrong)
    assert (first.status_code, second.status_code) == (400, 400)
    assert second.content == first.content
    assert replayed(second) is True


def test_a_conditional_change_is_judged_once_and_then_repeated(through_gateway: Client) -> None:
    """The change makes the version that it was conditional on an old one: its repeat is a retry all the same."""
    made = through_gateway.send()
    url = f"{through_gateway.stack.gateway_url}/api/members/{made.json()['id']}"
    headers = {
        **through_gateway.bearer,
        through_gateway.header: people.new_key(),
        "If-Match": made.headers["ETag"],
    }
    first, second = (httpx.patch(url, json={"name": "Changed"}, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200), first.text
    assert (replayed(first), replayed(second)) == (False, True)
    assert second.json() == first.json()
    assert first.headers["ETag"] != made.headers["ETag"]
    stale = httpx.patch(
        url, json={"name": "Late"}, headers={**headers, through_gateway.header: people.new_key()}
    )
    assert stale.status_code == 412


def test_a_replay_is_about_the_operation_not_about_the_moment(through_gateway: Client) -> None:
    """Design §6: hop-by-hop headers, `Date`, `Set-Cookie` and the gateway's own are not replayed."""
    first, second = through_gateway.send(), through_gateway.again()
    assert replayed(second) is True
    assert second.headers["X-Request-Id"] != first.headers["X-Request-Id"]


def test_concurrent_requests_are_one_effect(client: Client) -> None:
    """§2.6: a request that is repeated before the first completed "MUST respond with a resource conflict error"."""
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: client.again(), range(10)))
    made = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.content for answer in made}) == 1
    for answer in answers:
        if answer not in made:
            problem(answer, 409, "idempotency-in-progress")
    assert client.rows() == 1


def test_a_client_that_goes_away_learns_the_outcome_when_it_comes_back(client: Client) -> None:
    """§1, what keys are for: the connection was lost, and nobody knows whether the request took effect."""
    client.send_and_leave()
    give_up = time.monotonic() + LEASE + WITHIN
    while (answer := client.again()).status_code != 201:
        problem(answer, 409, "idempotency-in-progress")
        assert time.monotonic() < give_up
        time.sleep(0.2)
    assert client.rows() == 1


# §2.7 Error scenarios


def test_while_the_first_is_not_known_to_be_over_the_answer_is_409(through_gateway: Client) -> None:
    """§2.7: "SHOULD reply with an HTTP 409 status code with body containing a link pointing to the relevant
    documentation". The gateway's own 502 ends no reservation, so it is known for sure only when the lease is over.
    """
    client = through_gateway
    client.stack.stop("member")
    try:
        assert client.send().status_code in (502, 503, 504)
        waiting = client.again()
        document = problem(waiting, 409, "idempotency-in-progress")
        assert int(waiting.headers["Retry-After"]) >= 1
        assert document["retryable"] is True
        assert 0 < document["lease_expires_in"] <= LEASE
        problem(client.again(body=people.new_member()), 422, "idempotency-key-reused")
    finally:
        client.stack.restart("member")
    give_up = time.monotonic() + LEASE + WITHIN
    while (answer := client.again()).status_code != 201:
        assert answer.status_code in (409, 502, 503, 504)
        assert time.monotonic() < give_up, "the key is free once its lease is over"
        time.sleep(0.5)
    assert client.rows() == 1


@pytest.fixture
def key_required(through_gateway: Client) -> Iterator[Client]:
    """The gateway with `required: true` on every route of member."""
    stack = through_gateway.stack
    if stack.template is None:
        pytest.skip("this stack reads the checkout's own kong.yml.template")
    before = stack.template.read_text()
    paths = "paths: &members [/api/members, /api/outbox/member]"
    plain = f"      - name: members\n        {paths}\n        strip_path: false\n"
    assert plain in before
    plugin = "        plugins: [{name: idempotency, config: {required: true}}]\n"
    stack.template.write_text(before.replace(plain, plain + plugin))
    try:
        stack.restart("kong")
        yield through_gateway
    finally:
        stack.template.write_text(before)
        stack.restart("kong")


def test_a_key_that_is_required_and_missing_is_400(key_required: Client) -> None:
    """§2.7: "If the Idempotency-Key request header is missing for a documented idempotent operation requiring this
    header, the resource server SHOULD reply with an HTTP 400 status code with body containing a link"."""
    problem(key_required.send(headers=[]), 400, "idempotency-key-required")
    assert key_required.rows() == 0
    url = f"{key_required.stack.gateway_url}/api/members?limit=1"
    assert httpx.get(url, headers=key_required.bearer).status_code == 200, "a safe method needs none"


def test_a_request_body_over_the_limit_is_413(through_gateway: Client) -> None:
    """Design §6: "A request body over 1 MiB with a key: 413"."""
    big = through_gateway.send(body={**through_gateway.body, "name": "x" * (1 << 20)})
    assert big.status_code == 413
    assert big.headers["Content-Type"].startswith("application/problem+json")
    assert through_gateway.rows() == 0
