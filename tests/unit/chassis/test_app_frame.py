"""What every service does around its handlers."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import uuid4

import msgspec
import pytest
from httpx import AsyncClient
from litestar import get, post, put
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from common import logs
from services.chassis import middleware
from services.chassis.app import create_app
from services.chassis.errors import Conflict, Problem, TooManyRequests, Unauthenticated
from services.chassis.identity import Identity
from tests.in_process import running
from tests.waiting import until

JSON = {"Content-Type": "application/json"}
INTERNAL_KEY = "internal-key-for-tests"


class Item(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(max_length=5)]
    count: int
    tags: list[str] = []


class AlreadyThereError(Exception):
    pass


class TryLaterError(Exception):
    pass


@post("/items", public=True)
async def make(data: JSONBody[Item]) -> Item:
    return data


@get("/search", public=True)
async def search(limit: FromQuery[int]) -> int:
    return limit


@get("/boom", public=True)
async def boom() -> None:
    raise RuntimeError("a secret detail")


@get("/refused", public=True)
async def refused() -> None:
    raise AlreadyThereError("it is there already")


@get("/later", public=True)
async def later() -> None:
    raise TryLaterError


@get("/own")
async def own(identity: NamedDependency[Identity]) -> str:
    return str(identity.subject)


@get("/admin", roles=("admin", "owner"))
async def admin() -> str:
    return "admin"


@put("/internal/thing", internal=True, status_code=204)
async def internal() -> None:
    return None


class Gate:
    """Holds requests back; `inside` are there just now."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.inside = 0


@get("/slow", public=True)
async def slow(state: State) -> None:
    gate: Gate = state.gate
    gate.inside += 1
    await gate.opened.wait()
    gate.inside -= 1


class Tokens:
    """Takes a token for the roles that it names."""

    async def authenticate(self, token: str) -> Identity:
        if token == "bad":
            raise Unauthenticated("the access token is malformed")
        return Identity(uuid4(), uuid4(), frozenset(token.split("+")), 2e9, token)


class Dependency:
    def __init__(self) -> None:
        self.up = True

    async def check(self) -> None:
        if not self.up:
            raise ConnectionError("down")


@pytest.fixture
def store() -> Dependency:
    return Dependency()


@pytest.fixture
async def gate() -> Gate:
    return Gate()


@pytest.fixture
async def api(store: Dependency, gate: Gate) -> AsyncIterator[AsyncClient]:
    app = create_app(
        title="Test",
        handlers=[make, search, boom, refused, later, own, admin, internal, slow],
        authenticator=Tokens(),
        internal_key=INTERNAL_KEY,
        refusals={
            AlreadyThereError: Conflict,
            TryLaterError: lambda _: TooManyRequests("not so fast", retry_after=7),
        },
        checks={"store": store.check},
    )
    app.state.gate = gate
    async with running(app) as client:
        yield client


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert {"type", "title", "detail", "instance", "request_id"} <= body.keys()
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return body


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"name": ' + b"[" * 100_000,
        b'{"name": "a", "count": 1, "more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
async def test_a_body_that_is_nested_without_end_is_malformed(api: AsyncClient, body: bytes) -> None:
    problem(
        await api.post("/items", content=body, headers={"Content-Type": "application/json"}),
        400,
    )


async def test_every_error_is_a_problem(api: AsyncClient) -> None:
    problem(await api.get("/nothing/here"), 404)
    wrong_method = await api.delete("/items")
    problem(wrong_method, 405)
    assert "POST" in wrong_method.headers["Allow"]
    problem(await api.post("/items", content=b"{", headers=JSON), 400)
    problem(await api.post("/items", content=b"\xff", headers=JSON), 400)
    problem(await api.post("/items", content=b"x" * 1_100_000), 413)
    problem(await api.get("/search?limit=x"), 400)
    problem(await api.get("/search"), 400)
    problem(await api.get("/refused"), 409)
    late = await api.get("/later")
    problem(late, 429)
    assert late.headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"name": "toolong", "count": 1}, ["name"]),
        ({"name": "a", "count": 1, "tags": [1]}, ["tags.0"]),
        ({"count": 1}, ["name"]),
        ({"name": "toolong", "count": "x"}, ["name", "count"]),
        ({}, ["name", "count"]),
        ([], [""]),
        (None, [""]),
    ],
)
async def test_each_wrong_field_is_named(api: AsyncClient, body: Any, fields: list[str]) -> None:
    answer = await api.post("/items", content=json.dumps(body), headers=JSON)
    assert [error["field"] for error in problem(answer, 400)["errors"]] == fields


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "\xff", "count": 1}',
        b'{"name": "a", "count": "x", "more": "\xff"}',
        b'{"name": "a", "count": 1, "more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"name": "a", "count": 1, "tags": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"[" * 100_000,
    ],
    ids=["no UTF-8", "no UTF-8 where nobody looks", "deep", "deep where a list belongs", "deep and open"],
)
async def test_a_body_that_no_decoder_can_read_is_the_callers_fault(api: AsyncClient, body: bytes) -> None:
    problem(await api.post("/items", content=body, headers=JSON), 400)


async def test_an_unexpected_error_tells_the_client_nothing_and_the_log_everything(
    api: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await api.get("/boom", headers={"X-Request-Id": "find-me"})
    assert problem(answer, 500)["request_id"] == "find-me"
    assert "secret" not in answer.text
    assert any("a secret detail" in str(record.exc_info) for record in caplog.records)


async def test_a_handler_is_closed_unless_it_says_otherwise(api: AsyncClient) -> None:
    without = await api.get("/own")
    problem(without, 401)
    assert without.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    bad = await api.get("/own", headers={"Authorization": "Bearer bad"})
    problem(bad, 401)
    assert 'error="invalid_token"' in bad.headers["WWW-Authenticate"]
    for scheme in ("bearer member", "Basic bWVtYmVy", "Bearer", "Bearer  "):
        answer = await api.get("/own", headers={"Authorization": scheme})
        assert answer.status_code == (200 if scheme == "bearer member" else 401)


async def test_two_tokens_are_refused_whatever_each_is_worth(api: AsyncClient) -> None:
    twice = [("Authorization", "Bearer member"), ("Authorization", "Bearer member")]
    problem(await api.get("/own", headers=twice), 400)
    problem(await api.get("/search", headers=twice), 400)


@pytest.mark.parametrize("sent", ["garbage", "Basic bWVtYmVy", "Bearer", "Bearer bad", "Bearer member"])
async def test_what_is_for_everybody_is_answered_whatever_token_comes_along(
    api: AsyncClient, sent: str
) -> None:
    """The gateway judges it. A service that did would need auth for what it serves without it."""
    answer = await api.get("/search", params={"limit": 3}, headers={"Authorization": sent})
    assert (answer.status_code, answer.json()) == (200, 3)


async def test_identity_headers_from_the_network_mean_nothing(api: AsyncClient) -> None:
    headers = {"X-User-Id": str(uuid4()), "X-User-Roles": "admin"}
    problem(await api.get("/own", headers=headers), 401)
    problem(await api.get("/admin", headers={**headers, "Authorization": "Bearer member"}), 403)


async def test_one_of_the_named_roles_is_enough(api: AsyncClient) -> None:
    for roles, status in (("owner", 200), ("member+admin", 200), ("member", 403)):
        answer = await api.get("/admin", headers={"Authorization": f"Bearer {roles}"})
        assert answer.status_code == status


async def test_the_internal_api_takes_its_key_and_nothing_else(api: AsyncClient) -> None:
    for headers in ({}, {"Authorization": "Bearer admin"}, {"X-Internal-Key": INTERNAL_KEY + "x"}):
        problem(await api.put("/internal/thing", headers=headers), 401)
    assert (await api.put("/internal/thing", headers={"X-Internal-Key": INTERNAL_KEY})).status_code == 204


async def test_without_a_configured_key_the_internal_api_is_closed() -> None:
    async with running(create_app(title="T", handlers=[internal], authenticator=None)) as api:
        problem(await api.put("/internal/thing", headers={"X-Internal-Key": ""}), 401)


async def test_readiness_names_each_dependency(api: AsyncClient, store: Dependency) -> None:
    assert (await api.get("/health")).json() == {"status": "ok"}
    ready = await api.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]) == (200, {"store": "ok"})
    store.up = False
    down = await api.get("/health/ready")
    assert (down.status_code, down.json()["checks"]) == (503, {"store": "down"})
    assert (await api.get("/health")).status_code == 200


async def test_the_documents_load_nothing_from_elsewhere(api: AsyncClient) -> None:
    page = await api.get("/docs")
    assert page.status_code == 200
    assert "://" not in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js"):
        assert f"/docs/{name}" in page.text
        assert (await api.get(f"/docs/{name}")).status_code == 200
    problem(await api.get("/docs/swagger-editor.js"), 404)
    document = (await api.get("/docs/openapi.json")).json()
    assert "/items" in document["paths"]
    assert document["openapi"].startswith("3.1")


async def test_requests_are_counted_by_their_template(api: AsyncClient) -> None:
    await api.get(f"/nothing/{uuid4()}")
    await api.get("/search?limit=1")
    text = (await api.get("/metrics")).text
    assert 'http_requests_total{method="GET",route="/search",status="200"} 1.0' in text
    assert 'route="unmatched",status="404"' in text
    assert "nothing" not in text


async def test_requests_in_flight_are_those_that_are_being_answered(api: AsyncClient, gate: Gate) -> None:
    slow = [asyncio.create_task(api.get("/slow")) for _ in range(3)]
    await until(lambda: gate.inside == 3)
    assert "http_requests_in_flight 4.0" in (await api.get("/metrics")).text
    gate.opened.set()
    await asyncio.gather(*slow)
    # The one that asks is the only one left.
    assert "http_requests_in_flight 1.0" in (await api.get("/metrics")).text


async def test_beyond_the_limit_requests_are_refused_with_a_problem(
    api: AsyncClient, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "MAX_CONCURRENT", 3)
    asking = [asyncio.create_task(api.get("/slow")) for _ in range(5)]
    await until(lambda: sum(task.done() for task in asking) == 2)
    assert gate.inside == 3
    gate.opened.set()
    answers = await asyncio.gather(*asking)
    refused = [answer for answer in answers if answer.status_code == 503]
    assert len(refused) == 2
    for answer in refused:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Retry-After"] == "1"
    assert (await api.get("/slow")).status_code == 200


async def test_a_log_line_is_json_with_the_requests_names(
    api: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    lines: list[dict[str, Any]] = []
    formatter = logs.JsonFormatter("test")

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(formatter.format(record)))

    logger = logging.getLogger("services.access")
    handler = Collect()
    logger.addHandler(handler)
    caplog.set_level(logging.INFO)
    try:
        await api.get("/search?limit=3", headers={"X-Request-Id": "abc-1"})
    finally:
        logger.removeHandler(handler)
    (line,) = lines
    assert line["http.request.id"] == "abc-1"
    assert (line["http.request.method"], line["url.path"], line["http.response.status_code"]) == (
        *("GET", "/search"),
        200,
    )
    assert line["event.duration"] > 0
    assert len(line["trace.id"]) == 32


async def test_a_request_id_that_could_forge_log_lines_is_replaced(api: AsyncClient) -> None:
    for bad in ("a b", "x" * 129, 'a"b'):
        answer = await api.get("/health", headers={"X-Request-Id": bad})
        assert answer.headers["X-Request-Id"] != bad


def test_a_problem_needs_no_request() -> None:
    assert Problem("x").status == 500


async def test_a_body_that_is_missing_is_named_so(api: AsyncClient) -> None:
    answer = await api.post("/items")
    assert answer.status_code == 400
    assert answer.json()["detail"] == "The request has no body."
    assert [error["code"] for error in answer.json()["errors"]] == ["required"]
    assert "'" not in answer.text, "no text of an exception"
