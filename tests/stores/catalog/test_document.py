"""The catalog's API document holds: generated requests meet no 5xx, and no status or body that it does not describe."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
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
from tests.signing import AUDIENCE, ISSUER, Signer
from tests.stores.catalog.shop import INTERNAL_KEY

START_DEADLINE = 20.0
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer()


@pytest.fixture(scope="module")
def keys(signer: Signer) -> Iterator[str]:
    """Auth's keys, on a port of their own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = signer.jwks()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/.well-known/jwks.json"
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture(scope="module")
def served(
    keys: str, new_postgres_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The base URL of the catalog as `python -m services.catalog` serves it."""
    port = throwaway.free_port()
    folder: Path = tmp_path_factory.mktemp("catalog")
    environment = {
        "CATALOG_PORT": str(port),
        "TOKEN_ISSUER": ISSUER,
        "TOKEN_AUDIENCE": AUDIENCE,
        "AUTH_JWKS_URL": keys,
        "CATALOG_DATABASE_URL": new_postgres_database(),
        "INTERNAL_API_KEY": INTERNAL_KEY,
        "DEMO_DATA": "true",
        "LOG_LEVEL": "ERROR",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.catalog"], env=os.environ | environment, stderr=log
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
    raise AssertionError(f"the catalog did not start: {log.read_text()}")


@pytest.mark.timeout(400)
def test_generated_requests_meet_what_is_documented(served: str, signer: Signer) -> None:
    schema = schemathesis.openapi.from_url(f"{served}/docs/openapi.json")
    headers = {
        "Authorization": f"Bearer {signer.token(roles=['admin'], exp=int(time.time()) + 3600)}",
        "X-Internal-Key": INTERNAL_KEY,
    }
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]
        tried += 1

        @settings(
            max_examples=25, deadline=None, database=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def call(case: Any) -> None:
            response = case.call(base_url=served, headers=headers)
            case.validate_response(response, checks=CHECKS)

        call()
    assert tried >= 20
