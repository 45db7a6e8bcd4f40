"""kong.yml.template itself: its Lua run for real, its routes asked the questions that matter."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import idempotency_key, request_ids
from common.reason_phrases import PHRASES
from devstack.gateway import chain, declarative
from devstack.gateway.entities import Configuration, Route
from devstack.gateway.exchange import Answer, Exchange, Exit, Source
from devstack.gateway.headers import Headers
from devstack.gateway.lua import LuaPlugin
from devstack.gateway.own_answers import OwnAnswers
from devstack.gateway.plugins import Attachment, LuaFunctions
from devstack.gateway.router import Match, Router

ROOT = Path(__file__).parents[3]
VALUES = {
    "AUTH_URL": "http://auth:4000",
    "MEMBER_URL": "http://member:5000",
    "BFF_URL": "http://bff:3001",
    "CATALOG_URL": "http://catalog:3002",
    "ORDER_URL": "http://order:7000",
    "PAYMENT_URL": "http://payment:7100",
    "AUTH_JWKS_URL": "http://auth:4000/.well-known/jwks.json",
    "TOKEN_ISSUER": "https://issuer.example",
    "TOKEN_AUDIENCE": "shop",
}
OWN = OwnAnswers({"json": (ROOT / "kong" / "errors" / "problem.json").read_text()})


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("rendered") / "kong.yml"
    subprocess.run(
        ["sh", str(ROOT / "kong" / "render.sh"), str(ROOT / "kong.yml.template"), str(output)],
        env={"PATH": "/usr/bin:/bin", **VALUES},
        check=True,
    )
    return output


@pytest.fixture(scope="module")
def configuration(rendered: Path) -> Configuration:
    return declarative.load(rendered)


@pytest.fixture
def pre_function(configuration: Configuration) -> LuaFunctions:
    plugin = next(plugin for plugin in configuration.plugins if plugin.name == "pre-function")
    assert plugin.route is None and plugin.service is None
    return LuaFunctions(plugin.name, plugin.id, plugin.config, OWN)


@pytest.fixture
def plugins_on(configuration: Configuration, pre_function: LuaFunctions) -> Callable[..., list[str]]:
    """The external plugins on the way of a request, in order; None without a route."""

    class Named(Attachment):
        def __init__(self, name: str) -> None:
            self.name = name
            self.priority = {"token-validator": 1050, "idempotency": 900}.get(name, 0)

    router = Router(configuration.routes)
    chains = chain.build(configuration, {plugin.id: Named(plugin.name) for plugin in configuration.plugins})

    def ask(method: str, path: str, **headers: str) -> Any:
        request = exchange(
            *((name.replace("_", "-"), value) for name, value in headers.items()), method=method, path=path
        )
        pre_function.rewrite(request)
        match = router.match(method, "localhost", 8000, path, request.headers)
        if match is None:
            return None
        names = [plugin.name for plugin in chains.for_route(match.route)]
        return [name for name in names if name in ("token-validator", "idempotency")]

    return ask


@pytest.fixture
def services_of(configuration: Configuration) -> Callable[..., str | None]:
    """The service that a request is for; None without a route."""
    router = Router(configuration.routes)

    def ask(method: str, path: str, **headers: str) -> str | None:
        fields = Headers((name.replace("_", "-"), value) for name, value in headers.items())
        match = router.match(method, "localhost", 8000, path, fields)
        return None if match is None else match.route.service.name

    return ask


def exchange(*headers: tuple[str, str], method: str = "GET", path: str = "/api/home") -> Exchange:
    return Exchange(
        method=method,
        target=path,
        path=path,
        query=None,
        version=1.1,
        headers=Headers(headers),
        body=b"",
        client=("127.0.0.1", 50000),
        port=8000,
    )


@pytest.mark.parametrize(
    "name",
    [
        *("X-User-Id", "x-user-id", "X_User_Id", "X-User_ID", "X_USER-ID"),
        *("X-User-Roles", "x_user_roles", "X-Session-Id", "X-SESSION_ID", "X-Internal-Key", "X_Internal_Key"),
    ],
)
def test_what_only_the_gateway_may_say_is_removed_in_every_spelling(
    pre_function: LuaFunctions, name: str
) -> None:
    request = exchange((name, "forged"), ("Accept", "*/*"), (name, "twice"))
    pre_function.rewrite(request)
    assert list(request.headers) == [("Accept", "*/*")]


def test_several_lines_of_forwarded_addresses_become_one(pre_function: LuaFunctions) -> None:
    """Kong passes on the first line alone: behind a proxy that adds its own, that one is the client's invention."""
    request = exchange(("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "203.0.113.7"))
    pre_function.rewrite(request)
    assert list(request.headers) == [("X-Forwarded-For", "6.6.6.6, 203.0.113.7")]


def test_other_headers_pass_untouched(pre_function: LuaFunctions) -> None:
    fields = [
        ("Authorization", "Bearer x"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("X-Request-Id", "client.chosen_id-1"),
        ("X-User-Idea", "keep"),
        ("Cookie", "a=b"),
        ("Cookie", "c=d"),
    ]
    request = exchange(*fields)
    pre_function.rewrite(request)
    assert list(request.headers) == fields


@pytest.mark.parametrize("bad", ["", "two words", 'quote"', "a" * 129, "line\tbreak", "é", "a:b", "a/b"])
def test_a_request_id_unfit_for_logs_is_dropped_here_as_behind_the_gateway(
    pre_function: LuaFunctions, bad: str
) -> None:
    request = exchange(("X-Request-Id", bad))
    pre_function.rewrite(request)
    assert request.headers.get("X-Request-Id") is None
    assert request_ids.from_headers([bad], []).request_id != bad


@pytest.mark.parametrize("good", ["a", "A.b_c-9", "a" * 128])
def test_a_request_id_fit_for_logs_is_kept_here_as_behind_the_gateway(
    pre_function: LuaFunctions, good: str
) -> None:
    request = exchange(("X-Request-Id", good))
    pre_function.rewrite(request)
    assert request.headers.get("X-Request-Id") == good == request_ids.from_headers([good], []).request_id


def test_two_request_ids_are_none(pre_function: LuaFunctions) -> None:
    request = exchange(("X-Request-Id", "one"), ("X-Request-Id", "two"))
    pre_function.rewrite(request)
    assert request.headers.get("X-Request-Id") is None


def test_more_headers_than_kong_looks_at_are_refused(pre_function: LuaFunctions) -> None:
    request = exchange(*((f"X-H{number}", "1") for number in range(100)), ("X-User-Id", "hidden"))
    with pytest.raises(Exit) as refused:
        pre_function.rewrite(request)
    assert refused.value.answer.status == 431


@pytest.mark.parametrize("name", ["Idempotency-Key", "X-Idempotency-Key"])
def test_an_empty_key_is_refused_as_the_plugin_would(pre_function: LuaFunctions, name: str) -> None:
    request = exchange((name, ""))
    with pytest.raises(Exit) as refused:
        pre_function.rewrite(request)
    body = finished(pre_function, request, refused.value.answer)
    assert (body["status"], body["type"]) == (400, "/problems/idempotency-key-malformed")


@pytest.mark.parametrize("name", ["Idempotency-Key", "X-Idempotency-Key"])
def test_a_key_beyond_ascii_is_refused_before_the_router_stumbles_over_it(
    pre_function: LuaFunctions, name: str
) -> None:
    request = exchange((name, "caf\xe9"), method="POST")
    with pytest.raises(Exit) as refused:
        pre_function.rewrite(request)
    body = finished(pre_function, request, refused.value.answer)
    assert (body["status"], body["type"]) == (400, "/problems/idempotency-key-malformed")


@pytest.mark.parametrize("name", ["Idempotency-Key", "X-Idempotency-Key"])
def test_a_key_that_was_sent_twice_is_refused_before_the_router_chooses_one(
    pre_function: LuaFunctions, name: str
) -> None:
    request = exchange((name, ""), (name, "k"), method="POST")
    with pytest.raises(Exit) as refused:
        pre_function.rewrite(request)
    body = finished(pre_function, request, refused.value.answer)
    assert (body["status"], body["type"]) == (400, "/problems/idempotency-key-malformed")


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ({}, []),
        ({"Idempotency-Key": "a"}, ["a"]),
        ({"X-Idempotency-Key": "a"}, ["a"]),
        ({"x-idempotency-key": '"a"', "Idempotency-Key": "a"}, ["a"]),
    ],
    ids=["none", "the draft's", "the older", "both"],
)
def test_routes_and_upstreams_find_each_key_in_one_header(
    pre_function: LuaFunctions, sent: dict[str, str], keys: list[str]
) -> None:
    request = exchange(*sent.items(), method="POST")
    pre_function.rewrite(request)
    assert request.headers.get_all("Idempotency-Key") == keys
    assert set(sent.items()) <= set(request.headers), "and what the client sent goes on"


@pytest.mark.parametrize(
    ("key", "other"), [("a", "b"), ('"a"', "b"), ("a", '"b"'), ("a-1", "a.1"), ("a", "A")]
)
def test_two_different_keys_are_refused(pre_function: LuaFunctions, key: str, other: str) -> None:
    request = exchange(("X-Idempotency-Key", other), ("Idempotency-Key", key), method="POST")
    with pytest.raises(Exit) as refused:
        pre_function.rewrite(request)
    body = finished(pre_function, request, refused.value.answer)
    assert (body["status"], body["type"]) == (400, "/problems/idempotency-key-malformed")


@pytest.mark.parametrize("key", ["a", '"a"', '"a";p=1', '"a";p="b"', " a"])
@pytest.mark.parametrize("other", ["a", '"a"', '"a";p=2', "a\t"])
def test_two_spellings_of_one_key_pass_as_they_are(pre_function: LuaFunctions, key: str, other: str) -> None:
    """common/idempotency_key.py says so: the gateway refuses none of what it takes for one key."""
    sent = [("Idempotency-Key", key), ("X-Idempotency-Key", other)]
    assert idempotency_key.find((name, [value]) for name, value in sent) == "a"
    request = exchange(*sent, method="POST")
    pre_function.rewrite(request)
    assert list(request.headers) == sent


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.sampled_from('aA1._-"\\;= ,')), st.text(st.sampled_from('aA1._-"\\;= ,')))
def test_the_gateway_calls_no_two_keys_different_that_are_one(
    pre_function: LuaFunctions, key: str, other: str
) -> None:
    try:
        idempotency_key.find([("a", [key]), ("b", [other])])
    except idempotency_key.MalformedKey:
        return
    pre_function.rewrite(exchange(("Idempotency-Key", key), ("X-Idempotency-Key", other), method="POST"))


@pytest.mark.parametrize("method", ["BREW", "QUERY", "PURGE", "TRACE", "CONNECT", "get"])
def test_a_method_that_kong_would_send_on_as_get_is_refused(pre_function: LuaFunctions, method: str) -> None:
    with pytest.raises(Exit) as refused:
        pre_function.rewrite(exchange(method=method))
    assert refused.value.answer.status == 501


def test_a_body_that_is_announced_too_large_is_413_to_a_client_that_asks_first_too(
    pre_function: LuaFunctions,
) -> None:
    announced = ("Content-Length", str(2**20 + 1))
    with pytest.raises(Exit) as refused:
        pre_function.rewrite(exchange(announced, ("Expect", "100-continue"), method="POST"))
    assert refused.value.answer.status == 413
    pre_function.rewrite(exchange(("Content-Length", str(2**20)), method="POST"))


async def test_what_the_router_takes_for_public_is_public_by_its_path_too(
    pre_function: LuaFunctions, configuration: Configuration
) -> None:
    # Its cache can be told that one request is another: the key is part of what it remembers by.
    route = next(route for route in configuration.routes if route.service.name == "auth-public")
    for name in PUBLIC:
        await pre_function.access(_routed(exchange(method="POST", path=f"/api/auth/{name}"), route))
    for path in ("/api/auth/verify", "/api/auth/me", "/api/auth/login|Z", "/api/auth/Z|/api/auth/login"):
        with pytest.raises(Exit) as refused:
            await pre_function.access(_routed(exchange(method="POST", path=path), route))
        assert refused.value.answer.status == 400, path
    problems = next(route for route in configuration.routes if route.service.name == "problems")
    await pre_function.access(_routed(exchange(path="/problems/token-invalid"), problems))
    for path in ("/api/home", "/problems/a|/api/home", "/problems/a/b"):
        with pytest.raises(Exit) as refused:
            await pre_function.access(_routed(exchange(path=path), problems))
        assert refused.value.answer.status == 400, path
    home = next(route for route in configuration.routes if route.service.name == "bff")
    await pre_function.access(_routed(exchange(), home))


def _routed(request: Exchange, route: Route) -> Exchange:
    request.match = Match(route, "")
    return request


def test_an_answer_that_broke_off_is_a_502_whatever_it_began_as(pre_function: LuaFunctions) -> None:
    request = exchange()
    request.shared |= {"idempotency": "a reservation: it went upstream", "passed": True}
    answer = OWN.failed(request, 201)
    answer.body = b'{"detail": "The upstream server responded with 201", "request_id": "x"}'
    answer.headers.set("Set-Cookie", "a=b")
    answer.headers.set("ETag", '"1"')
    body = finished(pre_function, request, answer)
    assert answer.status == body["status"] == 502
    assert body["detail"] == "The upstream broke off in the middle of its answer"
    assert answer.headers.get("Set-Cookie") is None
    assert answer.headers.get("ETag") is None


def test_what_a_plugin_answers_in_the_upstreams_place_stays_as_it_is(pre_function: LuaFunctions) -> None:
    """proxy-cache and request-termination, after a key was reserved: the request never passed every plugin."""
    request = exchange()
    request.shared["idempotency"] = "a reservation"
    answer = Answer(200, Headers([("Content-Type", "text/plain")]), b"from a cache", Source.EXIT)
    request.answer = answer
    pre_function.header_filter(request)
    pre_function.body_filter(request)
    assert (answer.status, answer.body) == (200, b"from a cache")


@pytest.mark.parametrize(
    ("option", "fields"),
    [
        ("Upgrade", [("Upgrade", "websocket")]),
        ("upgrade, HTTP2-Settings", [("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk")]),
        ("TE, X-Hop", [("TE", "trailers"), ("X-Hop", "a")]),
        ("keep-alive", [("Keep-Alive", "timeout=5"), ("Trailer", "X-A"), ("Proxy-Connection", "keep-alive")]),
        ("close", [("Upgrade", "websocket")]),
    ],
)
def test_what_ends_at_this_hop_goes_no_further(
    pre_function: LuaFunctions, option: str, fields: list[tuple[str, str]]
) -> None:
    request = exchange(("Connection", option), ("Accept", "*/*"), *fields)
    pre_function.rewrite(request)
    assert list(request.headers) == [("Connection", option), ("Accept", "*/*")]


@pytest.mark.parametrize(
    "option",
    [
        *(
            "Content-Length",
            "content_length",
            "Host",
            "Authorization",
            "Idempotency-Key",
            "X-Idempotency-Key",
        ),
        *("Transfer-Encoding", "X-Forwarded-For", "If-Match", "X-If-Match", "Cookie", "X-Request-Id"),
    ],
)
def test_connection_names_nothing_that_is_for_every_recipient(
    pre_function: LuaFunctions, option: str
) -> None:
    for value in ([option], [f"keep-alive,{option}"], ["close", f" {option.upper()} "]):
        request = exchange(*(("Connection", line) for line in value))
        with pytest.raises(Exit) as refused:
            pre_function.rewrite(request)
        assert refused.value.answer.status == 400


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("HEAD", 404), ("DELETE", 204), ("GET", 304)])
def test_no_length_is_given_of_a_body_that_is_not_sent(
    pre_function: LuaFunctions, method: str, status: int
) -> None:
    answer = Answer(
        status, Headers([("Content-Length", "0"), ("Idempotent-Replayed", "true")]), b"", Source.EXIT
    )
    finished(pre_function, exchange(method=method), answer)
    assert answer.headers.get("Content-Length") is None


@pytest.mark.parametrize("path", ['/a"b', "/a\\b", "/\xe9", "/a b", "/" + "x" * 2048])
def test_a_path_that_json_would_have_to_quote_is_left_out(pre_function: LuaFunctions, path: str) -> None:
    request = exchange(path=path)
    assert "instance" not in finished(pre_function, request, OWN.refused(request, 404, "no"))


def finished(pre_function: LuaFunctions, request: Exchange, answer: Answer) -> dict[str, Any]:
    """The answer's body, as the client gets it."""
    request.answer = answer
    pre_function.header_filter(request)
    pre_function.body_filter(request)
    body: dict[str, Any] = json.loads(answer.body or b"{}")
    return body


@pytest.mark.parametrize(
    ("status", "title"),
    [
        *(item for item in PHRASES.items() if item[0] != 405),
        (418, "Bad Request"),
        (599, "Internal Server Error"),
    ],
)
def test_kongs_own_errors_become_whole_problems(pre_function: LuaFunctions, status: int, title: str) -> None:
    request = exchange()
    answer = OWN.refused(request, status, "what happened")
    answer.headers.set("X-Request-Id", "id-1")
    assert finished(pre_function, request, answer) == {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": "what happened",
        "instance": "/api/home",
        "request_id": "id-1",
    }
    assert answer.headers.get("Content-Type") == "application/problem+json"
    assert answer.headers.get("Content-Length") is None


def test_nginxs_own_405_is_a_method_that_nobody_has(pre_function: LuaFunctions) -> None:
    """It refuses TRACE before any phase, and names no method in an Allow header."""
    request = exchange(method="TRACE")
    answer = OWN.failed(request, 405)
    answer.source = Source.ERROR
    body = finished(pre_function, request, answer)
    assert (answer.status, body["status"], body["title"]) == (501, 501, "Not Implemented")
    assert body["detail"] == "No service here knows this method"


def test_kongs_default_format_is_understood_too(pre_function: LuaFunctions) -> None:
    request = exchange()
    body = finished(pre_function, request, OwnAnswers({}).refused(request, 404, "no Route matched"))
    assert (body["detail"], body["request_id"]) == ("no Route matched", request.id)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, Headers([("Content-Type", "application/json")]), b'{"a": 1}', Source.SERVICE),
        Answer(401, Headers([("Content-Type", "application/problem+json")]), b'{"a": 1}', Source.EXIT),
        Answer(
            404, Headers([("Content-Type", "text/plain"), ("Idempotent-Replayed", "true")]), b"x", Source.EXIT
        ),
        Answer(200, Headers([("Content-Type", "application/json")]), b"{}", Source.EXIT),
    ],
    ids=["a service's", "a plugin's", "a replay", "a success"],
)
def test_other_answers_are_left_alone(pre_function: LuaFunctions, answer: Answer) -> None:
    request = exchange()
    request.answer = answer
    before = (list(answer.headers), answer.body)
    pre_function.header_filter(request)
    pre_function.body_filter(request)
    assert (list(answer.headers), answer.body) == before


@pytest.mark.parametrize(
    "path",
    [
        "/api/home",
        "/api/me",
        "/api/members",
        "/api/members/1",
        "/api/auth/me",
        "/api/auth/sessions",
        "/api/auth/verify",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS", "HEAD"])
def test_needs_a_token(plugins_on: Callable[..., list[str]], method: str, path: str) -> None:
    assert plugins_on(method, path) == ["token-validator"]
    assert plugins_on(method, path, Idempotency_Key="k") == ["token-validator", "idempotency"]
    assert plugins_on(method, path, X_Idempotency_Key="k") == ["token-validator", "idempotency"]
    assert plugins_on(method, path, Idempotency_Key="k", X_Idempotency_Key='"k"') == [
        "token-validator",
        "idempotency",
    ]


@pytest.mark.parametrize("path", ["/api/products", "/api/products/1", "/api/categories", "/api/categories/1"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_anybody_reads_the_catalog_and_a_token_is_looked_at(
    configuration: Configuration, plugins_on: Callable[..., list[str]], method: str, path: str
) -> None:
    for key in ({}, {"Idempotency_Key": "k"}, {"X_Idempotency_Key": "k"}):
        assert plugins_on(method, path, **key) == ["token-validator"]
    (validator,) = [
        plugin
        for plugin in configuration.plugins
        if plugin.service is not None and plugin.service.name == "catalog-public"
    ]
    assert validator.config["optional"] is True


@pytest.mark.parametrize(
    "path", ["/api/products", "/api/products/1", "/api/categories/1", "/api/stock/adjustments"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_changes_of_the_catalog_need_a_token(
    services_of: Callable[..., str | None], plugins_on: Callable[..., list[str]], method: str, path: str
) -> None:
    assert services_of(method, path) == services_of(method, path, Idempotency_Key="k") == "catalog"
    assert plugins_on(method, path) == ["token-validator"]
    assert plugins_on(method, path, Idempotency_Key="k") == ["token-validator", "idempotency"]
    assert plugins_on(method, path, X_Idempotency_Key="k") == ["token-validator", "idempotency"]


def test_only_the_public_reads_of_the_catalog_need_no_token(services_of: Callable[..., str | None]) -> None:
    assert services_of("GET", "/api/products") == services_of("GET", "/api/products", Idempotency_Key="k")
    assert services_of("GET", "/api/products") == "catalog-public"
    for method, path in (("GET", "/api/stock"), ("OPTIONS", "/api/products"), ("GET", "/api/stock/journal")):
        assert services_of(method, path) == "catalog"


ORDER = "/api/orders/01234567-89ab-cdef-0123-456789abcdef"


@pytest.mark.parametrize("path", [ORDER, f"{ORDER}/events"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_mailed_link_opens_an_order_without_a_token_and_a_bad_one_is_refused(
    configuration: Configuration,
    services_of: Callable[..., str | None],
    plugins_on: Callable[..., list[str]],
    method: str,
    path: str,
) -> None:
    for key in ({}, {"Idempotency_Key": "k"}):
        assert services_of(method, path, **key) == "order-public"
        assert plugins_on(method, path, **key) == ["token-validator"]
    (validator,) = [
        plugin
        for plugin in configuration.plugins
        if plugin.service is not None and plugin.service.name == "order-public"
    ]
    assert validator.config["optional"] is True


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/orders"),
        ("GET", "/api/orders/all"),
        ("GET", f"{ORDER}/eventsx"),
        ("GET", f"{ORDER}/refunds"),
        ("GET", "/api/cart"),
        ("PUT", "/api/cart/items/SHOE-250"),
        ("POST", "/api/orders"),
        ("POST", f"{ORDER}/payment"),
        ("DELETE", ORDER),
    ],
)
def test_everything_else_about_orders_needs_a_token(
    services_of: Callable[..., str | None], plugins_on: Callable[..., list[str]], method: str, path: str
) -> None:
    assert services_of(method, path) == "order"
    assert plugins_on(method, path) == ["token-validator"]
    keyed = ["token-validator", *(["idempotency"] if method != "GET" else [])]
    assert plugins_on(method, path, Idempotency_Key="k") == keyed


@pytest.mark.parametrize("service", ["auth", "catalog", "member", "order", "payment"])
def test_what_a_service_could_not_deliver_is_asked_of_that_service(
    services_of: Callable[..., str | None], plugins_on: Callable[..., list[str]], service: str
) -> None:
    path = f"/api/outbox/{service}"
    assert services_of("GET", path) == services_of("POST", f"{path}/1/retries") == service
    assert plugins_on("GET", path)[0] == "token-validator"
    assert "idempotency" in plugins_on("POST", f"{path}/1/retries", Idempotency_Key="k")


PUBLIC = [
    "register",
    "login",
    "guest",
    "refresh",
    "logout",
    "password/forgot",
    "password/reset",
    "email/verify",
]


def test_what_needs_no_token_at_auth_is_what_is_looked_at_once_more() -> None:
    """Two lists of one thing: a path that is in the route alone is refused as a contradiction."""
    text = (ROOT / "kong.yml.template").read_text()
    (route,) = re.findall(r"~/api/auth/\(\?:([a-z/|]+)\)\$", text)
    open_ = re.findall(r'\["/api/auth/([a-z/]+)"\] = true', text)
    assert sorted(open_) == sorted(route.split("|")) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_needs_no_token(plugins_on: Callable[..., list[str]], name: str) -> None:
    assert plugins_on("POST", f"/api/auth/{name}") == []
    assert plugins_on("POST", f"/api/auth/{name}", Idempotency_Key="k") == ["idempotency"]
    assert plugins_on("POST", f"/api/auth/{name}", X_Idempotency_Key="k") == ["idempotency"]


def test_what_a_problem_means_is_read_without_a_token(plugins_on: Callable[..., list[str]]) -> None:
    for document in (ROOT / "docs" / "problems").glob("*.md"):
        assert plugins_on("GET", f"/problems/{document.stem}") == []
        assert plugins_on("HEAD", f"/problems/{document.stem}") == []
        assert plugins_on("POST", f"/problems/{document.stem}") is None
    for path in (
        "/problems",
        "/problems/",
        "/problems/a/b",
        "/problems/../api/home",
        "/problems/a%2e",
        "/problems/a|b",
    ):
        assert plugins_on("GET", path) is None


@pytest.mark.parametrize("name", PUBLIC)
@pytest.mark.parametrize("tail", ["/", "x", "/more", "/../me"])
def test_what_only_begins_like_a_public_path_needs_a_token(
    plugins_on: Callable[..., list[str]], name: str, tail: str
) -> None:
    assert plugins_on("POST", f"/api/auth/{name}{tail}") == ["token-validator"]
    assert plugins_on("GET", f"/api/auth/{name}") == ["token-validator"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/internal/accounts/1/status",
        "/internal",
        "/api/internal/x",
        "/api",
        "/api/mex",
        "/docs",
        "/metrics",
    ],
)
def test_is_not_routed(plugins_on: Callable[..., list[str]], path: str) -> None:
    assert plugins_on("GET", path) is None
    assert plugins_on("PUT", path, Idempotency_Key="k") is None


def test_every_service_but_the_public_one_is_closed(configuration: Configuration) -> None:
    closed = {
        plugin.service.name
        for plugin in configuration.plugins
        if plugin.service is not None and plugin.name == "token-validator"
    }
    open_to_all = {service.name for service in configuration.services} - closed
    assert open_to_all == {"auth-public", "payment-public", "problems"}


def test_a_slow_upstream_ends_before_the_reservation_of_its_key_does(configuration: Configuration) -> None:
    for service in configuration.services:
        attempts = service.retries + 1
        assert attempts * (service.connect_timeout + service.read_timeout) < 30000


def test_services_go_by_dns_alone(rendered: Path) -> None:
    """An upstream entity would be looked up again only half a minute after its name was unknown once."""
    document = yaml.safe_load(rendered.read_text())
    assert "upstreams" not in document
    urls = {service["url"] for service in document["services"]}
    assert urls == {
        value for name, value in VALUES.items() if name.endswith("_URL") and name != "AUTH_JWKS_URL"
    }


@pytest.mark.parametrize(
    ("passed", "upstreams", "status"), [(True, None, 503), (False, None, 500), (True, 500, 500)]
)
def test_a_name_that_dns_could_not_tell_is_503_and_no_other_500_is(
    configuration: Configuration, passed: bool, upstreams: int | None, status: int
) -> None:
    """`passed` is what post-function notes after every other plugin; `upstreams`: the status of an upstream."""
    chunks = {plugin.name: plugin.config for plugin in configuration.plugins if "function" in plugin.name}
    lua = LuaPlugin(
        "both",
        {
            "access": chunks["post-function"]["access"],
            "header_filter": chunks["pre-function"]["header_filter"],
        },
    )
    now = {"status": 500}
    functions: dict[str, Callable[..., Any]] = {
        "kong.response.get_source": lambda: "exit",
        "kong.response.get_status": lambda: now["status"],
        "kong.response.set_status": lambda value: now.update(status=value),
        "kong.response.get_header": lambda _: None,
        "kong.response.set_header": lambda *_: None,
        "kong.response.clear_header": lambda _: None,
        "kong.request.get_method": lambda: "GET",
        "kong.service.response.get_status": lambda: upstreams,
    }
    contexts = (lua.context(), lua.context())
    if passed:
        lua.run("access", functions, contexts)
    lua.run("header_filter", functions, contexts)
    assert now["status"] == status
