"""The PDK's answers in the shapes that the recorded frames show (fixtures/kong-wire/events.jsonl)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from devstack.gateway.entities import Route, Service
from devstack.gateway.exchange import Answer, Exchange, Exit, Source
from devstack.gateway.headers import Headers
from devstack.gateway.own_answers import OwnAnswers
from devstack.gateway.pdk import Functions, PhaseError, _trusted_networks, functions
from devstack.gateway.router import Match
from kong.plugins.request_summary import VARIABLE, Summary


def exchange(query: str | None = None, *headers: tuple[str, str]) -> Exchange:
    return Exchange("GET", "/a", "/a", query, 1.1, Headers(headers), b"body", ("127.0.0.1", 5), 8000)


def table(request: Exchange) -> Functions:
    return functions(request, OwnAnswers({}), lambda _: None)


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        (None, {}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=1&a=2&a=3", {"a": ["1", "2", "3"]}),
        ("flag&empty=", {"flag": True, "empty": ""}),
        ("a%20b=c+d%2B", {"a b": "c d+"}),
    ],
)
def test_query_arguments(query: str | None, arguments: dict[str, Any]) -> None:
    assert table(exchange(query))["kong.request.get_query"]() == arguments


def test_of_repeated_arguments_and_headers_the_first_is_the_single_one() -> None:
    pdk = table(exchange("a=1&a=2", ("K", "1"), ("k", "2")))
    assert pdk["kong.request.get_query_arg"]("a") == "1"
    assert pdk["kong.request.get_header"]("K") == "1"
    assert pdk["kong.request.get_headers"]() == ({"k": ["1", "2"]}, None)


def test_what_one_plugin_sets_the_next_one_reads() -> None:
    pdk = table(exchange(None, ("X-User-Id", "forged")))
    pdk["kong.service.request.clear_header"]("x-user-id")
    assert pdk["kong.request.get_header"]("X-User-Id") is None
    pdk["kong.service.request.set_header"]("X-User-Id", "known")
    assert pdk["kong.request.get_header"]("x-user-id") == "known"


@pytest.mark.parametrize(
    ("trusted", "forwarded", "client"),
    [
        ("", "203.0.113.9", "127.0.0.1"),
        ("127.0.0.0/8", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.0/8", "198.51.100.1, 203.0.113.9, 127.0.0.7", "203.0.113.9"),
        ("10.0.0.0/8", "203.0.113.9", "127.0.0.1"),
    ],
)
def test_the_client_is_whom_trusted_proxies_name(
    monkeypatch: pytest.MonkeyPatch, trusted: str, forwarded: str, client: str
) -> None:
    monkeypatch.setenv("KONG_TRUSTED_IPS", trusted)
    _trusted_networks.cache_clear()
    pdk = table(exchange(None, ("X-Forwarded-For", forwarded)))
    try:
        assert pdk["kong.client.get_forwarded_ip"]() == client
        assert pdk["kong.client.get_ip"]() == "127.0.0.1"
    finally:
        _trusted_networks.cache_clear()


def test_an_exit_with_a_list_repeats_the_header() -> None:
    with pytest.raises(Exit) as left:
        table(exchange())["kong.response.exit"](401, b"no", {"WWW-Authenticate": ["Bearer", "Basic"]})
    answer = left.value.answer
    assert (answer.status, answer.body, answer.source) == (401, b"no", Source.EXIT)
    assert answer.headers.get_all("WWW-Authenticate") == ["Bearer", "Basic"]


def test_there_is_no_response_before_there_is_one() -> None:
    request = exchange()
    with pytest.raises(PhaseError):
        table(request)["kong.response.get_status"]()
    request.answer = Answer(200, Headers([("ETag", '"1"')]), b"x", Source.SERVICE)
    assert table(request)["kong.response.get_headers"]() == {"etag": '"1"'}
    assert table(request)["kong.service.response.get_headers"]() == {}


def test_kongs_nginx_is_told_the_variable_and_the_access_log_and_nothing_else() -> None:
    """Without the variable all works, and each request costs more questions."""
    kong = Path(__file__).parents[3] / "kong"
    (pattern,) = re.findall(
        r'NGINX_HTTP_INCLUDE="\$GATEHOUSE_HOME/(.*)"', (kong / "environment.sh").read_text()
    )
    assert {path.name for path in kong.glob(pattern)} == {"access-log.conf", "access-summary.conf"}
    mounted = (kong.parent / "deploy" / "compose.base.yaml").read_text()
    assert all(f"../kong/{path.name}:/gatehouse/{path.name}:ro" in mounted for path in kong.glob(pattern))


def test_a_summary_has_the_parts_of_the_variable_of_kongs_nginx_in_its_order() -> None:
    conf = (Path(__file__).parents[3] / "kong" / "access-summary.conf").read_text(encoding="utf-8")
    (form,) = re.findall(rf'^map "" \${VARIABLE} {{[^}}]*default "(.*)";', conf, re.MULTILINE)
    assert form.split(r"\n") == [
        *("$kong_request_id", "$request_method", "$host", "$request_uri", "$gatehouse_service"),
        "$upstream_host",
    ]
    request = exchange("b=1", ("Host", "Shop.example:8000"))
    service = Service("1", "members", "http", "member", 5000, None, 1, 1, 1, 1)
    request.match = Match(Route("2", "r", service, (), (), (), (), {}, 0, False, True), "/a")
    told = table(request)["kong.nginx.get_var"](VARIABLE)
    assert Summary(*told.split("\n")) == Summary(
        request.id, "GET", "shop.example", "/a", "members", "shop.example"
    )
    assert len(form.split(r"\n")) == len(msgspec.structs.fields(Summary))
