"""The proxy as it is served, with its own protocol, between a real client and real upstream doubles."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

import aiohttp
import jinja2
import pytest
from yarl import URL

from frontend_proxy.app import create_app
from frontend_proxy.metrics import Metrics
from frontend_proxy.server import server
from frontend_proxy.settings import Settings
from tests.frontend.doubles import Auth, Double, running


@dataclass
class Front:
    """A running proxy, its upstreams, and a browser's HTTP side (a cookie session_cookies, no redirects followed)."""

    url: str
    port: int
    gateway: Double
    auth_server: Double
    auth: Auth
    browser: aiohttp.ClientSession
    metrics: Metrics

    def cookies(self, path: str) -> dict[str, str]:
        """What the browser would send to `path`."""
        return {
            name: morsel.value
            for name, morsel in self.browser.cookie_jar.filter_cookies(self._at(path)).items()
        }

    def keep(self, path: str, **cookies: str) -> None:
        """Puts cookies into the browser as if the proxy had set them for `path`."""
        session_cookies = self.browser.cookie_jar
        for name, value in cookies.items():
            cookie: SimpleCookie = SimpleCookie({name: value})
            cookie[name]["path"] = path
            session_cookies.update_cookies(cookie, self._at("/api/auth/x"))

    async def sign_in(self) -> None:
        """Signs the browser in."""
        body = {"email": "test@example.com", "password": "password123"}
        async with self.browser.post(f"{self.url}/api/auth/login", json=body) as answer:
            assert answer.status == 200

    def _at(self, path: str) -> URL:
        return URL(self.url + path)


Start = Callable[..., Any]


@pytest.fixture(scope="session", autouse=True)
def templates_are_compiled_once() -> Iterator[None]:
    """Each test has a proxy of its own, and all have the same templates: half of a proxy's start."""
    compile_template, compiled = jinja2.Environment.compile, {}

    def once(environment: jinja2.Environment, *template: Any) -> Any:
        if template not in compiled:
            compiled[template] = compile_template(environment, *template)
        return compiled[template]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", once)
        yield


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts a proxy with settings of the test's choice."""
    async with AsyncExitStack() as stack:

        async def begin(**overrides: Any) -> Front:
            gateway, auth_server, auth = Double(), Double(), Auth()
            auth_server.answer = auth
            await stack.enter_async_context(running(gateway))
            await stack.enter_async_context(running(auth_server))
            return await _serve(stack, gateway, auth_server, auth, overrides)

        yield begin


@pytest.fixture
async def front(start: Start) -> Front:
    """A proxy with the defaults."""
    started: Front = await start()
    return started


async def _serve(
    stack: AsyncExitStack, gateway: Double, auth_server: Double, auth: Auth, overrides: dict[str, Any]
) -> Front:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    settings = Settings(
        **{"auth_url": auth_server.url, "gateway_url": gateway.url, "port": port, **overrides}
    )
    metrics = Metrics()
    serving = server(create_app(settings, metrics), settings, metrics, timeout_graceful_shutdown=1)
    # The test runner owns the signals.
    task = asyncio.create_task(serving._serve([listener]))
    while not serving.started:
        await asyncio.sleep(0.005)

    async def stop() -> None:
        serving.should_exit = True
        await task
        listener.close()

    stack.push_async_callback(stop)
    browser = await stack.enter_async_context(
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), auto_decompress=False)
    )
    return Front(f"http://127.0.0.1:{port}", port, gateway, auth_server, auth, browser, metrics)
