"""Plugins of stock Kong that answer in the upstream's place: their answer stands, and an idempotency key stays free."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e import people
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack

TERMINATED = '{"made":"up"}'
_BEFORE_EACH_KEY = "        plugins: &answer-repeats\n"
_TERMINATION = f"""          - name: request-termination
            config: {{status_code: 200, content_type: application/json, body: '{TERMINATED}'}}
"""
_CACHED = """
      - name: problems-cached
        methods: [GET]
        paths: ["~/problems/[a-z0-9-]+$"]
        strip_path: false
        headers: {Idempotency-Key: *any-value}
        plugins:
          - name: proxy-cache
            config: {strategy: memory, content_type: ["text/plain; charset=utf-8"]}
          - name: idempotency
            config: {ttl: 600, lock_ttl: 30}

plugins:
"""


@pytest.fixture(scope="module")
def template(stack: Stack) -> Iterator[Path]:
    """The stack's own copy, as it was afterwards."""
    if stack.template is None:
        pytest.skip("this stack reads its template from the checkout")
    written = stack.template.read_text()
    yield stack.template
    stack.template.write_text(written)
    stack.restart("kong")


def _problem(stack: Stack, name: str, key: str) -> httpx.Response:
    return httpx.get(f"{stack.gateway_url}/problems/{name}", headers={"Idempotency-Key": key}, timeout=20)


def test_a_hit_of_proxy_cache_is_its_answer_and_leaves_the_key_free(stack: Stack, template: Path) -> None:
    written = template.read_text()
    template.write_text(written.replace("\nplugins:\n", _CACHED, 1))
    stack.restart("kong")
    name = "token-missing"
    first = _problem(stack, name, people.new_key())
    assert (first.status_code, first.headers["X-Cache-Status"]) == (200, "Miss")
    key = people.new_key()
    for _ in range(2):
        hit = _problem(stack, name, key)
        assert (hit.status_code, hit.headers["X-Cache-Status"], hit.text) == (200, "Hit", first.text)
    without = re.sub(r"          - name: proxy-cache\n.*\n", "", _CACHED)
    template.write_text(written.replace("\nplugins:\n", without, 1))
    stack.restart("kong")
    replayed = ["Idempotent-Replayed" in _problem(stack, name, key).headers for _ in range(2)]
    assert replayed == [False, True], "the hit had used the key"
    template.write_text(written)


def test_request_termination_is_its_answer_and_leaves_the_key_free(
    stack: Stack, template: Path, admin: Tokens
) -> None:
    written = template.read_text()
    assert written.count(_BEFORE_EACH_KEY) == 1
    template.write_text(written.replace(_BEFORE_EACH_KEY, _BEFORE_EACH_KEY + _TERMINATION))
    stack.restart("kong")
    body, headers = people.new_member(), {**admin.bearer, "Idempotency-Key": people.new_key()}

    def create() -> httpx.Response:
        return httpx.post(f"{stack.gateway_url}/api/members", json=body, headers=headers, timeout=20)

    for _ in range(2):
        answer = create()
        assert (answer.status_code, answer.text) == (200, TERMINATED)
    template.write_text(written)
    stack.restart("kong")
    created = create()
    assert created.status_code == 201, created.text
    assert "Idempotent-Replayed" not in created.headers
