"""Whose `traceparent` counts at the gateway, and what the plugin servers are told of a trace."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest

from devstack.gateway import declarative, pdk
from devstack.gateway.exchange import Exchange
from devstack.gateway.headers import Headers
from devstack.gateway.own_answers import OwnAnswers
from devstack.gateway.plugins import LuaFunctions
from tests.unit.gateway.template import ROOT, VALUES

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0{}"
GIVEN = PARENT.format(1)

Rewrite = Callable[..., Exchange]


@pytest.fixture(scope="module")
def rewriting(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Rewrite]:
    def made(**variables: str) -> Rewrite:
        output = tmp_path_factory.mktemp("rendered") / "kong.yml"
        subprocess.run(
            ["sh", str(ROOT / "kong" / "render.sh"), str(ROOT / "kong.yml.template"), str(output)],
            env={"PATH": "/usr/bin:/bin", **VALUES, **variables},
            check=True,
        )
        (plugin,) = [each for each in declarative.load(output).plugins if each.name == "pre-function"]
        own = OwnAnswers({"json": (ROOT / "kong" / "errors" / "problem.json").read_text()})
        functions = LuaFunctions(plugin.name, plugin.id, plugin.config, own)

        def rewrite(client: str, *fields: tuple[str, str]) -> Exchange:
            request = Exchange(
                "GET", "/api/home", "/api/home", None, 1.1, Headers(fields), b"", (client, 1), 8000
            )
            functions.rewrite(request)
            return request

        return rewrite

    return made


@pytest.fixture
def trusted_ips(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def trust(networks: str) -> None:
        monkeypatch.setenv("KONG_TRUSTED_IPS", networks)
        pdk._trusted_networks.cache_clear()

    monkeypatch.delenv("KONG_TRUSTED_IPS", raising=False)
    pdk._trusted_networks.cache_clear()
    return trust


@pytest.mark.parametrize(
    ("peers", "client", "counts"),
    [
        ("", "127.0.0.1", True),
        ("", "127.0.0.2", False),
        ("", "::1", True),
        ("", "203.0.113.9", False),
        ("10.213.77.64/28", "10.213.77.64", True),
        ("10.213.77.64/28", "10.213.77.79", True),
        ("10.213.77.64/28", "10.213.77.80", False),
        ("10.213.77.64/28", "10.213.77.63", False),
        ("10.213.77.64/28", "127.0.0.1", False),
        ("10.0.0.0/8, 192.0.2.7,fd00::7", "10.255.0.1", True),
        ("10.0.0.0/8, 192.0.2.7,fd00::7", "192.0.2.7", True),
        ("10.0.0.0/8, 192.0.2.7,fd00::7", "192.0.2.8", False),
        ("10.0.0.0/8, 192.0.2.7,fd00::7", "fd00::7", True),
        ("10.0.0.0/8, 192.0.2.7,fd00::7", "fd00::8", False),
        ("0.0.0.0/0", "203.0.113.9", True),
        ("nonsense,/8,1.2.3/8", "1.2.3.4", False),
    ],
)
def test_a_trace_counts_from_the_peers_that_are_named(
    rewriting: Callable[..., Rewrite],
    trusted_ips: Callable[[str], None],
    peers: str,
    client: str,
    counts: bool,
) -> None:
    rewrite = rewriting(KONG_TRACE_PEERS=peers)
    request = rewrite(client, ("traceparent", GIVEN), ("tracestate", "a=b"))
    assert (request.headers.get("traceparent"), request.headers.get("tracestate")) == (
        (GIVEN, "a=b") if counts else (None, None)
    )


def test_who_passes_on_what_clients_say_is_no_peer(
    rewriting: Callable[..., Rewrite], trusted_ips: Callable[[str], None]
) -> None:
    trusted_ips("10.0.0.9/32")
    rewrite = rewriting(KONG_TRACE_PEERS="10.0.0.0/8")
    assert rewrite("10.0.0.8", ("traceparent", GIVEN)).headers.get("traceparent") == GIVEN
    assert rewrite("10.0.0.9", ("traceparent", GIVEN)).headers.get("traceparent") is None


@pytest.mark.parametrize(("excepted", "counts"), [("none", True), ("10.0.0.9", False), ("10.0.0.0/29", True)])
def test_the_front_may_be_trusted_and_a_peer(
    rewriting: Callable[..., Rewrite], trusted_ips: Callable[[str], None], excepted: str, counts: bool
) -> None:
    trusted_ips("10.0.0.0/8")
    rewrite = rewriting(KONG_TRACE_PEERS="10.0.0.0/28", KONG_TRACE_EXCEPT=excepted)
    assert (rewrite("10.0.0.9", ("traceparent", GIVEN)).headers.get("traceparent") == GIVEN) == counts


def test_two_traces_are_none(rewriting: Callable[..., Rewrite], trusted_ips: Callable[[str], None]) -> None:
    request = rewriting()("127.0.0.1", ("traceparent", GIVEN), ("traceparent", PARENT.format(0)))
    assert request.headers.get("traceparent") is None


def test_plugins_are_told_of_sampled_traces_alone(
    rewriting: Callable[..., Rewrite], trusted_ips: Callable[[str], None]
) -> None:
    off, never, always = (
        rewriting(),
        rewriting(KONG_TRACES="true", OTEL_TRACES_SAMPLER_ARG="0"),
        rewriting(KONG_TRACES="true", OTEL_TRACES_SAMPLER_ARG="1"),
    )
    assert off("127.0.0.1", ("traceparent", GIVEN)).shared == {}
    assert never("127.0.0.1", ("traceparent", GIVEN)).shared == {"traceparent": GIVEN}
    assert always("127.0.0.1", ("traceparent", PARENT.format(0))).shared == {}


def test_a_stranger_decides_nothing(
    rewriting: Callable[..., Rewrite], trusted_ips: Callable[[str], None]
) -> None:
    never = rewriting(KONG_TRACES="true", OTEL_TRACES_SAMPLER_ARG="0")
    always = rewriting(KONG_TRACES="true", OTEL_TRACES_SAMPLER_ARG="1")
    left_out = never("203.0.113.9", ("traceparent", GIVEN))
    assert left_out.shared == {}
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", left_out.headers.get("traceparent") or "")
    kept = always("203.0.113.9", ("traceparent", PARENT.format(0)))
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", str(kept.shared["traceparent"]))
    for request in (left_out, kept):
        assert GIVEN[3:35] not in (request.headers.get("traceparent") or "")
