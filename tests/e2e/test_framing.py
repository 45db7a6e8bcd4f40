"""A request's body stays its own on the whole stack: at the gateway, at the front and straight at each service.

tests/framing has the corpus. Here is what was found on a running stack: Kong passed an upgrade on, a service took its
large body for requests, and Kong gave the answers to whoever came next.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from tests.e2e import people
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack

LINES = (40, 100_000, 200_000, 400_000)
"""Bytes of line ends before the hidden request: below and above what one read takes."""
OFFERS = {
    "websocket": "Connection: Upgrade\r\nUpgrade: websocket\r\n",
    "h2c": "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
}
PLACES = ("gateway", "frontend", "auth", "member", "bff")
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def _url(stack: Stack, place: str) -> str:
    return str(getattr(stack, f"{place}_url"))


def _hidden_login() -> bytes:
    body = json.dumps({"email": people.ADMIN[0], "password": people.ADMIN[1]})
    return (
        "POST /api/auth/login HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
        f"X-Forwarded-For: 203.0.113.66\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def attack(url: str, offer: str, lines: int) -> list[int]:
    """The statuses of all that comes back for one request whose body hides another."""
    address = urlsplit(url)
    body = b"\r\n" * (lines // 2) + _hidden_login()
    head = (
        f"POST /api/auth/logout HTTP/1.1\r\nHost: {address.netloc}\r\n{offer}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    after = f"GET /api/nothing HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n"
    answer = b""
    with socket.create_connection((address.hostname or "", address.port or 80), timeout=20) as connection:
        try:
            connection.sendall(head.encode())
            connection.sendall(body)
            connection.sendall(after.encode())
        except OSError:
            pass  # refused before its end
        try:
            while piece := connection.recv(65536):
                answer += piece
        except OSError:
            pass  # closed in the middle, or kept without a word
    return [int(status) for status in _STATUS.findall(answer)]


@contextmanager
def victims(stack: Stack, tokens: Tokens) -> Iterator[list[str]]:
    """Beside the attacks: users who keep their connections. What they were told that was not theirs."""
    stop, wrong = threading.Event(), list[str]()

    def use(number: int) -> None:
        with httpx.Client(base_url=stack.gateway_url, timeout=20) as client:
            count = 0
            while not stop.is_set() or not count:
                count += 1
                me = client.get("/api/auth/me", headers=tokens.bearer)
                if me.status_code != 200 or me.json().get("email") != people.ADMIN[0] or "token" in me.text:
                    wrong.append(f"/api/auth/me: {me.status_code} {me.text[:200]}")
                lost = client.get(f"/api/lost/{number}/{count}")
                if lost.status_code != 404 or lost.json()["instance"] != f"/api/lost/{number}/{count}":
                    wrong.append(f"/api/lost: {lost.status_code} {lost.text[:200]}")

    threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield wrong
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("place", PLACES)
def test_a_body_is_never_another_request(stack: Stack, place: str, admin: Tokens) -> None:
    with victims(stack, admin) as wrong:
        for offer in OFFERS.values():
            for lines in LINES * 3:
                found = attack(_url(stack, place), offer, lines)
                # One answer to the request, one to the request after it: none to the body.
                assert 1 <= len(found) <= 2 and 200 not in found, (offer, lines, found)
    assert wrong == []


def test_the_services_hold_where_the_gateway_passes_an_upgrade_on(stack: Stack, admin: Tokens) -> None:
    """The template without the line that ends hop-by-hop headers: what a service is sent depends on no other part."""
    template = stack.template
    if template is None:
        pytest.skip("this stack reads its template from the checkout")
    written = template.read_text()
    without, lines = re.subn(r"local HOP_BY_HOP = \{.*\}", "local HOP_BY_HOP = {}", written)
    assert lines == 1
    try:
        template.write_text(without)
        stack.restart("kong")
        test_a_body_is_never_another_request(stack, "gateway", admin)
    finally:
        template.write_text(written)
        stack.restart("kong")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on the PATH")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("body", [None, "{}"], ids=["no body", "a body"])
def test_clients_that_offer_h2c_are_answered_in_http_1_1(stack: Stack, place: str, body: str | None) -> None:
    asked = ["curl", "-s", "-o", "-", "-w", "\n%{http_code} %{http_version}", "--http2", "--max-time", "20"]
    if body is None:
        url = _url(stack, place) + ("/api/products" if place == "gateway" else "/health")
    else:
        url = _url(stack, place) + "/api/auth/login"
        asked += ["-H", "Content-Type: application/json", "--data", body]
    finished = subprocess.run([*asked, url], capture_output=True, text=True, check=True)
    status, version = finished.stdout.rsplit("\n", 1)[1].split()
    assert version == "1.1"
    assert int(status) == 200 if body is None else 400 <= int(status) < 500, finished.stdout
