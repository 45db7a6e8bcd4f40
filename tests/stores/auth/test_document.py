"""auth's API document holds: generated requests meet no 5xx, and no status or body that it does not describe."""

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from devstack import throwaway
from devstack.redis import Redis
from tests.stores.auth.calls import DEMO
from tests.stores.auth.conftest import INTERNAL_KEY

START_DEADLINE = 20.0
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def served(
    redis_server: Redis, new_postgres_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The base URL of auth as `python -m services.auth` serves it."""
    port = throwaway.free_port()
    folder: Path = tmp_path_factory.mktemp("auth")
    environment = {
        "AUTH_PORT": str(port),
        "TOKEN_ISSUER": "https://auth.test",
        "TOKEN_AUDIENCE": "tests",
        "AUTH_DATABASE_URL": new_postgres_database(),
        "REDIS_URL": redis_server.url(),
        "MEMBER_URL": "http://127.0.0.1:9",
        "INTERNAL_API_KEY": INTERNAL_KEY,
        "AUTH_KEY_ENCRYPTION_KEY": base64.b64encode(bytes(range(32))).decode(),
        "DEMO_DATA": "true",
        "ARGON2_M": "8192",
        "ARGON2_T": "1",
        "MAIL_URL": f"file://{folder}/mail",
        "LOG_LEVEL": "ERROR",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.auth"], env=os.environ | environment, stderr=log
        )
    try:
        _await_ready(f"http://127.0.0.1:{port}", process, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def _await_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_DEADLINE
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"auth did not start: {log.read_text()}")


@pytest.mark.timeout(300)
def test_every_answer_is_as_documented(served: str) -> None:
    document = schemathesis.openapi.from_url(f"{served}/docs/openapi.json")
    operations: list[Any] = [found.ok() for found in document.get_all_operations()]  # type: ignore[union-attr]
    assert len(operations) >= 18
    for operation in operations:
        _explore(operation, served)


def _explore(operation: Any, served: str) -> None:
    headers = _credentials(served)

    @settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def answers_as_documented(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    answers_as_documented()


def _credentials(served: str) -> dict[str, str]:
    """Signed in for each operation anew: the one before may have ended the session."""
    headers = {"X-Internal-Key": INTERNAL_KEY}
    signed_in = httpx.post(f"{served}/api/auth/login", json=DEMO)
    if signed_in.status_code == 200:
        headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"
    return headers
