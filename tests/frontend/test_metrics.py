"""What the proxy counts, and that nobody outside can read it."""

import asyncio
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from frontend_proxy.metrics import Metrics, journey, kind
from tests.frontend.conftest import Front, Start
from tests.frontend.doubles import access_token, refusal


def value(front: Front, name: str, **labels: str) -> float:
    registry: CollectorRegistry = front.metrics.registry
    return registry.get_sample_value(name, labels) or 0.0


async def test_requests_are_counted_by_kind_and_status(front: Front) -> None:
    for path in (
        "/sign-in",
        "/nowhere",
        "/api/home",
        "/api/home",
        "/health",
        "/api/auth/resume",
        "/static/x/y",
    ):
        async with front.browser.get(front.url + path, allow_redirects=False):
            pass
    counted = {
        key: value(front, "http_requests_total", kind=key[0], journey=key[1], status=key[2])
        for key in (
            *(("page", "sign_in", "200"), ("page", "other", "404"), ("api", "other", "200")),
            *(("health", "other", "200"), ("session", "sign_in", "303"), ("static", "other", "404")),
        )
    }
    assert counted == {
        ("page", "sign_in", "200"): 1,
        ("page", "other", "404"): 1,
        ("api", "other", "200"): 2,
        ("health", "other", "200"): 1,
        ("session", "sign_in", "303"): 1,
        ("static", "other", "404"): 1,
    }
    assert value(front, "http_request_duration_seconds_count", kind="api", journey="other") == 2
    assert value(front, "http_requests_in_flight") == 0
    called = front.metrics.registry.get_sample_value
    gateway = next(
        labels
        for family in front.metrics.registry.collect()
        if family.name == "http_client_requests"
        for labels in (sample.labels for sample in family.samples)
        if labels["outcome"] == "2xx"
    )
    assert (called("http_client_requests_total", gateway) or 0) >= 2


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "page"),
        ("/apiary", "page"),
        ("/api/x", "api"),
        ("/api/auth/login", "session"),
        ("/healthy", "page"),
    ],
)
def test_kinds_of_path(path: str, expected: str) -> None:
    assert kind(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "browse"),
        ("/products", "browse"),
        ("/products/a-mug", "browse"),
        ("/api/storefront", "browse"),
        ("/productsale", "other"),
        ("/sign-in", "sign_in"),
        ("/api/auth/login", "sign_in"),
        ("/cart/items", "checkout"),
        ("/api/orders/7", "checkout"),
        ("/api/home", "other"),
        ("/static/cart/x", "other"),
    ],
)
def test_journeys_of_path(path: str, expected: str) -> None:
    assert journey(path) == expected


async def test_refusals_are_counted_by_reason(front: Front) -> None:
    async with front.browser.post(f"{front.url}/account", headers={"Origin": "https://evil.example"}):
        pass
    for request in (b"GET /api/%00 HTTP/1.1\r\nHost: a\r\n\r\n", b"HELLO\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(request)
        await reader.read()
        writer.close()
    for reason in ("cross-site-request", "ambiguous-path", "malformed"):
        assert value(front, "frontend_refusals_total", reason=reason) == 1, reason


async def test_an_upstream_that_fails_is_counted_and_a_client_that_fails_is_not(start: Start) -> None:
    front = await start(client_timeout=0.2, upstream_timeout=2.0)

    async def failing(request: web.Request) -> web.Response:
        if request.path == "/api/cut":
            assert request.transport is not None
            request.transport.close()
        else:
            await asyncio.Event().wait()
        return web.Response()

    async def stalling() -> AsyncIterator[bytes]:
        yield b"some"
        await asyncio.sleep(10)

    async with front.browser.post(f"{front.url}/api/x", data=stalling()) as answer:
        assert answer.status == 408
    assert _failures(front) == (0, 0)
    front.gateway.answer = failing
    for path in ("/api/cut", "/api/silent"):
        async with front.browser.get(front.url + path):
            pass
    assert _failures(front) == (1, 1)


async def test_renewals_are_counted_by_how_they_end(front: Front) -> None:
    await front.sign_in()
    outcomes = {}
    for outcome in ("renewed", "failed", "over"):
        front.keep("/", access_token=access_token(expires_in=-1))
        if outcome == "failed":
            front.auth_server.answer = lambda _: _away()
        elif outcome == "over":
            front.auth.current, front.auth_server.answer = None, front.auth
        async with front.browser.get(f"{front.url}/api/home"):
            pass
        outcomes[outcome] = value(front, "frontend_renewals_total", outcome=outcome)
    assert outcomes == {"renewed": 1, "failed": 1, "over": 1}


async def test_the_public_port_has_no_metrics(front: Front) -> None:
    for path in ("/metrics", "/metrics/", "/health/metrics", "/api/auth/metrics"):
        front.gateway.answer = lambda _: _missing()
        async with front.browser.get(front.url + path) as answer:
            assert answer.status == 404
            assert "http_requests" not in await answer.text()


async def test_a_port_of_their_own_shows_them_and_closes_with_the_proxy() -> None:
    metrics, port = Metrics(), _free_port()
    metrics.answered("page", "/sign-in", 200, 0.01)
    async with aiohttp.ClientSession() as client:
        with metrics.shown("127.0.0.1", port):
            async with client.get(f"http://127.0.0.1:{port}/metrics") as answer:
                assert (
                    'http_requests_total{journey="sign_in",kind="page",status="200"} 1.0'
                    in await answer.text()
                )
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.get(f"http://127.0.0.1:{port}/metrics")


@pytest.mark.parametrize(
    "path", ["/", "/api/products", "/sign-in", "/api/auth/login", "/cart", "/api/orders"]
)
@pytest.mark.parametrize("status", ["500", "502", "503", "504"])
def test_a_failure_that_never_was_is_counted_from_zero(path: str, status: str) -> None:
    """Prometheus' `rate` begins at a series' first sample: the first failures would count for nothing."""
    labels = {"kind": kind(path), "journey": journey(path), "status": status}
    assert Metrics().registry.get_sample_value("http_requests_total", labels) == 0


def _failures(front: Front) -> tuple[float, float]:
    name = "frontend_upstream_failures_total"
    return (
        value(front, name, upstream="gateway", reason="unavailable"),
        value(front, name, upstream="gateway", reason="timeout"),
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def _away() -> web.Response:
    return refusal(500)


async def _missing() -> web.Response:
    return refusal(404)
