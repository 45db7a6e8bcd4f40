"""What a gateway gets wrong when it is asked oddly: found on a running Kong, held on whichever gateway runs here."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from devstack import control
from tests.e2e import people
from tests.e2e.local_stack import LocalStack
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack


def ask(stack: Stack, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, Any]:
    """Status and body of a request that no client library would send."""
    address = urlsplit(stack.gateway_url)
    lines = [f"{method} {path} HTTP/1.1", "Host: gateway", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if "Transfer-Encoding" not in headers:
        lines.append(f"Content-Length: {len(body)}")
    with socket.create_connection((address.hostname or "", address.port or 80), timeout=20) as connection:
        connection.sendall("\r\n".join([*lines, "\r\n"]).encode("latin-1") + body)
        head, _, rest = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 100 "):
        head, _, rest = rest.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), rest.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/api/auth/verify", "K{}|/api/auth/login|Z"),
        ("/api/auth/login|Z", None),
        ("/api/auth/Z|/api/auth/login", None),
    ],
)
def test_no_key_makes_the_router_take_a_path_for_a_public_one(
    stack: Stack, path: str, key: str | None
) -> None:
    """Kong's router remembers by path and keys run together, in an order that each start chooses anew."""
    for number in range(8):
        poisons = [
            {"Idempotency-Key": f"K{number}", "X-Idempotency-Key": f"Z|{path}|"},
            {"Idempotency-Key": "Z"},
            {"X-Idempotency-Key": "Z"},
        ]
        for headers in poisons:
            ask(stack, "POST", "/api/auth/login", {**headers, "Content-Type": "application/json"}, b"{}")
        asked = {"Idempotency-Key": key.format(number)} if key else {}
        status, body = ask(stack, "POST", path, {**asked, "Content-Type": "application/json"}, b"{}")
        assert status in (400, 401)
        assert status == 400 or "/problems/token-missing" in body, f"it passed the gateway: {body}"


@pytest.mark.parametrize("method", ["SEARCH", "PURGE"])
def test_an_unknown_method_reaches_nobody(stack: Stack, admin: Tokens, method: str) -> None:
    headers = {**admin.bearer, "Idempotency-Key": people.new_key()}
    status, body = ask(stack, method, "/api/members", headers)
    assert status == 501
    assert '"status":501' in body


@pytest.mark.parametrize("sizes", [[17_000], [900] * 90])
def test_a_head_that_is_too_large_is_told_so(stack: Stack, sizes: list[int]) -> None:
    """nginx' 400 for it looks like any other (RFC 6585 §5)."""
    headers = {f"X-Large-{number}": "a" * size for number, size in enumerate(sizes)}
    status, body = ask(stack, "GET", "/api/home", headers)
    assert status == 431
    assert '"status":431' in body and "A header is larger than 16 KiB" in body
    status, body = ask(stack, "GET", "/api/home", {"Host": "two"})
    assert status == 400 and '"status":400' in body
    assert ask(stack, "HEAD", "/api/home", headers) == (431, "")


def test_a_body_over_the_limit_is_413_to_a_client_that_asks_first(stack: Stack, admin: Tokens) -> None:
    headers = {**admin.bearer, "Idempotency-Key": people.new_key(), "Expect": "100-continue"}
    status, _ = ask(stack, "POST", "/api/members", headers, bytes(2**20 + 1))
    assert status == 413


def test_a_body_in_small_chunks_is_as_good_as_any(stack: Stack, admin: Tokens) -> None:
    member = people.new_member()
    padding = " " * 700_000
    text = f'{{"email": "{member["email"]}", "name": "{member["name"]}"{padding}}}'.encode()
    chunks = b"".join(b"10\r\n%b\r\n" % text[at : at + 16] for at in range(0, len(text) // 16 * 16, 16))
    rest = text[len(text) // 16 * 16 :]
    chunks += (b"%x\r\n%b\r\n" % (len(rest), rest) if rest else b"") + b"0\r\n\r\n"
    headers = {
        **admin.bearer,
        "Idempotency-Key": people.new_key(),
        "Content-Type": "application/json",
        "Transfer-Encoding": "chunked",
    }
    status, body = ask(stack, "POST", "/api/members", headers, chunks)
    assert status == 201, body


def test_a_key_beyond_ascii_is_malformed_and_not_unrouted(stack: Stack, admin: Tokens) -> None:
    status, body = ask(stack, "POST", "/api/members", {**admin.bearer, "Idempotency-Key": "caf\xe9"}, b"{}")
    assert status == 400
    assert "/problems/idempotency-key-malformed" in body


def test_a_change_with_if_none_match_is_answered_whole(stack: Stack, admin: Tokens) -> None:
    made = httpx.post(f"{stack.gateway_url}/api/members", json=people.new_member(), headers=admin.bearer)
    headers = {
        **admin.bearer,
        "Idempotency-Key": people.new_key(),
        "If-Match": made.headers["ETag"],
        "If-None-Match": '"another"',
    }
    url = f"{stack.gateway_url}{made.headers['Location']}"
    changed = httpx.patch(url, json={"phone": "+821012345678"}, headers=headers)
    assert (changed.status_code, changed.json()["phone"]) == (200, "+821012345678")


@pytest.mark.parametrize(
    "condition", ["If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT", "If-Match: *", 'If-Match: W/"a"']
)
def test_a_read_of_what_is_kept_is_answered_whatever_its_conditions(stack: Stack, condition: str) -> None:
    """nginx judges them a second time where Kong buffers the answer, and one without Last-Modified it never sent."""
    name, _, value = condition.partition(": ")
    for _ in range(2):
        status, body = ask(stack, "GET", "/api/products?limit=1", {name: value})
        assert status == (412 if "W/" in value else 200), body
        assert body


@contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def test_a_plugin_process_that_dies_inside_a_request_lets_it_go_on_once(stack: Stack, admin: Tokens) -> None:
    """Kong asks the next process again, which finds the reservation that the request has already."""
    if not isinstance(stack, LocalStack):
        pytest.skip("signals go to processes of this machine")
    parts = {part["name"]: part["pid"] for part in control.ask(_control(stack), command="status")["parts"]}
    members = f"{stack.gateway_url}/api/members"
    for _ in range(3):
        body = people.new_member()
        headers = {**admin.bearer, "Idempotency-Key": people.new_key()}
        answers: list[httpx.Response] = []
        sending = threading.Thread(
            target=lambda: answers.append(httpx.post(members, json=body, headers=headers, timeout=20))  # noqa: B023
        )
        (worker,) = psutil.Process(parts["idempotency"]).children()
        with stopped(psutil.Process(parts["redis"])):
            sending.start()
            sending.join(0.25)  # it is inside access now, and Redis has the command
            worker.kill()
        sending.join()
        assert answers[0].status_code == 201, answers[0].text
        again = httpx.post(members, json=body, headers=headers)
        assert (again.status_code, again.content) == (201, answers[0].content)


def _control(stack: LocalStack) -> Any:
    return stack.directory / "run" / "control.socket"
