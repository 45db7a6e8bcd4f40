"""kong.yml.template, rendered once for each module, with its Lua and its routes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devstack.gateway import chain, declarative
from devstack.gateway.entities import Configuration
from devstack.gateway.headers import Headers
from devstack.gateway.plugins import Attachment, LuaFunctions
from devstack.gateway.router import Router
from tests.unit.gateway.template import OWN, ROOT, VALUES, exchange


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
