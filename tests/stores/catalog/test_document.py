"""The catalog's API document holds: generated requests meet no 5xx, and no status or body that it does not describe."""

import asyncio
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from common.redis_link import RedisLink
from tests.revocations import mark_whole
from tests.signing import Signer
from tests.stores import own_redis
from tests.stores.catalog.replicas import Replica, environment
from tests.stores.catalog.shop import INTERNAL_KEY

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
def believed_redis() -> Iterator[str]:
    """A Redis for the whole module, in which no session has ended."""

    async def mark(url: str) -> None:
        async with RedisLink(url, 5.0) as link:
            await mark_whole(link)

    with own_redis.running() as redis:
        asyncio.run(mark(redis.url))
        yield redis.url


@pytest.fixture(scope="module")
def served(
    keys: str,
    believed_redis: str,
    new_postgres_database: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The base URL of a catalog with demo data."""
    variables = environment(
        new_postgres_database(), AUTH_JWKS_URL=keys, REDIS_URL=believed_redis, DEMO_DATA="true"
    )
    replica = Replica(variables, tmp_path_factory.mktemp("catalog") / "log")
    replica.start()
    try:
        replica.await_ready()
        yield replica.url
    finally:
        replica.stop()


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
