"""The Lua of kong.yml.template, run for real: what it lets through, and what it makes of answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lupa.luajit21 import LuaRuntime

from common import idempotency_key, request_ids
from common.reason_phrases import PHRASES
from devstack.gateway import pdk
from devstack.gateway.entities import Configuration, Route
from devstack.gateway.exchange import Answer, Exchange, Exit, Source
from devstack.gateway.headers import Headers
from devstack.gateway.lua import LuaPlugin
from devstack.gateway.own_answers import OwnAnswers
from devstack.gateway.plugins import LuaFunctions
from devstack.gateway.router import Match
from kong.plugins.request_headers import API_KEYS
from tests.unit.gateway.template import OWN, PUBLIC, exchange


@pytest.mark.parametrize(
    "name",
    [
        *("X-User-Id", "x-user-id", "X_User_Id", "X-User_ID", "X_USER-ID"),
        *("X-User-Roles", "x_user_roles", "X-Session-Id", "X-SESSION_ID", "X-Internal-Key", "X_Internal_Key"),
        *("X-Consumer-Username", "x_consumer_groups", "X-Credential-Identifier", "X-Authenticated-Userid"),
        "X-Anonymous-Consumer",
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


@pytest.mark.parametrize("path", ["/api/auth%2Flogin", "/api/auth/%2flogin", "/api/products%2Fdocuments"])
def test_a_path_that_services_would_take_for_another_one_is_refused(
    pre_function: LuaFunctions, path: str
) -> None:
    with pytest.raises(Exit) as refused:
        pre_function.rewrite(exchange(method="POST", path=path))
    assert refused.value.answer.status == 400
    pre_function.rewrite(exchange(path=path.replace("%2", "%20")))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_body_that_http_2_does_not_announce_is_refused_where_none_is_expected(
    pre_function: LuaFunctions, method: str
) -> None:
    """response-cache would overlook it, and keep what upstream makes of it for everybody."""
    request = exchange(method=method)
    request.version = 2.0
    pre_function.rewrite(request)
    request.body = b"[1]"
    with pytest.raises(Exit) as refused:
        pre_function.rewrite(request)
    assert refused.value.answer.status == 400
    request.headers.set("Content-Length", "3")
    pre_function.rewrite(request)


@pytest.mark.parametrize(
    ("trusted", "sent", "told"),
    [("", None, "https"), ("", "http", "https"), ("127.0.0.1", None, "https"), ("127.0.0.1", "http", "http")],
)
def test_of_a_request_over_tls_plugins_know_what_upstream_is_told(
    pre_function: LuaFunctions, monkeypatch: pytest.MonkeyPatch, trusted: str, sent: str | None, told: str
) -> None:
    known = pdk._request
    monkeypatch.setattr(pdk, "_request", lambda of: known(of) | {"kong.request.get_scheme": lambda: "https"})
    monkeypatch.setattr(pdk, "_trusted", lambda address: address == trusted)
    request = exchange(*([("X-Forwarded-Proto", sent)] if sent else []))
    pre_function.rewrite(request)
    assert request.headers.get("X-Forwarded-Proto") == told


@pytest.mark.parametrize("trusted", ["", "127.0.0.1"])
def test_what_only_a_trusted_proxy_may_say_of_the_address_is_taken_from_others(
    pre_function: LuaFunctions, monkeypatch: pytest.MonkeyPatch, trusted: str
) -> None:
    """Kong does not tell upstream either what others say, and response-cache tells answers apart by it."""
    monkeypatch.setattr(pdk, "_trusted", lambda address: address == trusted)
    said = [(f"X-Forwarded-{name}", "a") for name in ("Host", "Proto", "Port", "Path", "Prefix")]
    request = exchange(*said)
    pre_function.rewrite(request)
    assert list(request.headers) == (said if trusted else [])


def test_other_headers_pass_untouched(pre_function: LuaFunctions) -> None:
    fields = [
        ("Authorization", "Bearer x"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("X-Request-Id", "client.chosen_id-1"),
        ("X-User-Idea", "keep"),
        ("X-Consumers", "keep"),
        ("X", "keep"),
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


async def test_a_slash_more_gets_no_call_past_the_limit_of_what_needs_no_token(
    pre_function: LuaFunctions, configuration: Configuration
) -> None:
    route = next(route for route in configuration.routes if route.service.name == "auth")
    for name in PUBLIC:
        with pytest.raises(Exit) as refused:
            await pre_function.access(_routed(exchange(method="POST", path=f"/api/auth/{name}/"), route))
        assert refused.value.answer.status == 404
    await pre_function.access(_routed(exchange(path="/api/auth/me/"), route))
    payment = next(route for route in configuration.routes if route.service.name == "payment")
    with pytest.raises(Exit):
        await pre_function.access(
            _routed(exchange(method="POST", path="/api/payments/webhooks/stripe/"), payment)
        )


async def test_the_body_of_a_slow_client_is_here_before_a_plugin_asks_for_it(
    pre_function: LuaFunctions, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the plugin's time two seconds were all that it had, and few slow clients took the room of everybody's keys."""
    asked: list[Exchange] = []
    known = pdk._request
    monkeypatch.setattr(
        pdk, "_request", lambda of: known(of) | {"kong.request.get_raw_body": lambda: asked.append(of)}
    )
    member, public = (
        next(route for route in configuration.routes if route.service.name == name)
        for name in ("member", "auth-public")
    )
    key, token = ("Idempotency-Key", "a"), ("Authorization", "Bearer a")
    read = [
        _routed(exchange(key, token, method="POST", path="/api/members"), member),
        _routed(exchange(key, method="POST", path="/api/auth/login"), public),
    ]
    unread = [
        _routed(exchange(token, method="POST", path="/api/members"), member),
        _routed(exchange(key, method="POST", path="/api/members"), member),  # 401, whatever the body
    ]
    for request in read + unread:
        await pre_function.access(request)
    assert asked == read


def test_bodies_are_left_unread_only_where_a_token_is_needed(configuration: Configuration) -> None:
    """A service of one's own with another plugin for who calls (key-auth) has them read."""
    function = next(plugin for plugin in configuration.plugins if plugin.name == "pre-function")
    (listed,) = re.findall(r"local CLOSED = {(.*)}", "".join(function.config["access"]))
    needing = {
        plugin.service.name
        for plugin in configuration.plugins
        if plugin.name == "token-validator" and plugin.service and not plugin.config.get("optional")
    }
    assert set(re.findall(r"(\w+) = true", listed)) == needing


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
        ("close", [("Upgrade", "websocket"), ("Proxy-Authorization", "Basic eDp5")]),
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
        # Kong takes away what plugins have set: the service would hear of nobody.
        *("X-User-Id", "x_user_roles", "X-Session-Id", "X-Consumer-Id"),
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


async def test_an_answer_that_a_plugin_has_handed_over_is_given_and_nothing_goes_upstream(
    configuration: Configuration,
) -> None:
    plugin = next(each for each in configuration.plugins if each.name == "post-function")
    post_function = LuaFunctions("post-function", plugin.id, plugin.config, OWN)
    request = exchange()
    body = b"[1] \xff\xec"
    request.shared["answer"] = {
        "status": 200.0,
        "body": body.decode("latin-1"),
        "headers": {"X-Two": ["a", "b"], "ETag": '"1"'},
    }
    with pytest.raises(Exit) as given:
        await post_function.access(request)
    answer = given.value.answer
    assert (answer.status, answer.body, answer.source) == (200, body, Source.EXIT)
    assert sorted(answer.headers) == [
        ("Content-Length", str(len(body))),
        ("ETag", '"1"'),
        ("X-Two", "a"),
        ("X-Two", "b"),
    ]
    assert "passed" not in request.shared


@pytest.mark.parametrize(
    ("alive", "expected", "posted"),
    [("256", "256", 1), ("256", "300", 1), ("300", "256", 45), ("nil", "nil", 1)],
    ids=["as many as needed", "more are on their way", "some are to end", "a Kong that does not count them"],
)
def test_a_job_of_kongs_timers_wakes_one_thread_and_those_that_are_to_end(
    configuration: Configuration, alive: str, expected: str, posted: int
) -> None:
    """Such a thread leaves without looking for jobs: woken alone, it would leave this one lying."""
    plugin = next(each for each in configuration.plugins if each.name == "post-function")
    lua = LuaRuntime()
    lua.execute(f"""
        kong = {{ctx = {{shared = {{}}}}, timer = {{thread_group = {{worker_thread = {{
          alive_threads_count = {alive}, expected_alive_thread_count = {expected},
          wake_up = function(self, jobs) self.wake_up_semaphore:post(jobs + 256) end,
          wake_up_semaphore = {{posted = 0, post = function(self, count) self.posted = self.posted + count end}},
        }}}}}}}}
    """)
    request = lua.execute(plugin.config["access"][0])
    request()
    lua.execute("kong.timer.thread_group.worker_thread:wake_up(1)")
    assert lua.eval("kong.timer.thread_group.worker_thread.wake_up_semaphore.posted") == posted
    assert lua.eval("kong.ctx.shared.passed")


@pytest.mark.parametrize(
    "timer", ["nil", "{}", "{thread_group = {}}", "{thread_group = {worker_thread = {}}}"]
)
def test_a_kong_with_other_timers_keeps_them(configuration: Configuration, timer: str) -> None:
    plugin = next(each for each in configuration.plugins if each.name == "post-function")
    lua = LuaRuntime()
    lua.execute(f"kong = {{ctx = {{shared = {{}}}}, timer = {timer}}}")
    lua.execute(plugin.config["access"][0])()
    assert lua.eval("kong.ctx.shared.passed")


def test_what_opens_something_is_hidden_from_plugins_that_log(configuration: Configuration) -> None:
    """What Kong's own redaction leaves: cookies, keys, and a query that may have a mailed link's token."""
    plugin = next(each for each in configuration.plugins if each.name == "pre-function")
    hidden = {"cookie", *API_KEYS, *idempotency_key.HEADERS}
    lua = LuaRuntime()
    lua.execute("""
        said = {}
        kong = {log = {}, response = {}}
        function kong.log.set_serialize_value(field, value, options)
            said[field] = options.mode == "replace" and value or "added"
        end
        function kong.response.get_header(name) return name == "Set-Cookie" and "s=1" or nil end
        ngx = {var = {is_args = "?", request_uri = "/a?k=1", upstream_uri = "/b?k=1", scheme = "http", host = "h"}}
    """)
    for name in hidden:
        lua.eval("function(name) ngx.var[name] = 'opens' end")("http_" + name.replace("-", "_"))
    lua.execute(plugin.config["log"][0])()
    said = dict(lua.globals().said)
    assert dict(said.pop("request.querystring")) == {}
    assert said == {
        **{f"request.headers.{name}": "REDACTED" for name in hidden},
        "response.headers.set-cookie": "REDACTED",
        "request.uri": "/a",
        "request.url": "http://h/a",
        "upstream_uri": "/b",
    }


async def test_without_an_answer_the_request_has_passed_every_plugin(configuration: Configuration) -> None:
    plugin = next(each for each in configuration.plugins if each.name == "post-function")
    request = exchange()
    await LuaFunctions("post-function", plugin.id, plugin.config, OWN).access(request)
    assert request.shared == {"passed": True}


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
