"""docs/adding-a-service.md, followed to the letter: its blocks become a service that runs, and are gone again."""

import asyncio
import os
import re
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from aiohttp import web

from tests.signing import AUDIENCE, ISSUER, Signer
from tests.unit.project.compose_files import ROOT

PAGE = (ROOT / "docs" / "adding-a-service.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the services with the page's files in it."""
    for package in ("common", "services"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, content in FILES.items():
        if name.startswith("services/"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@asynccontextmanager
async def auth_keys(signer: Signer) -> AsyncIterator[str]:
    """The address of a JWKS, as auth publishes it."""

    async def jwks(_: web.Request) -> web.Response:
        return web.Response(body=signer.jwks(), content_type="application/json")

    app = web.Application()
    app.router.add_get("/.well-known/jwks.json", jwks)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/.well-known/jwks.json"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running(checkout: Path, jwks_url: str) -> AsyncIterator[httpx.AsyncClient]:
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        "GREETING_PORT": str(port),
        "AUTH_JWKS_URL": jwks_url,
        "TOKEN_ISSUER": ISSUER,
        "TOKEN_AUDIENCE": AUDIENCE,
    }
    service = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.greeting"),
        cwd=checkout,
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            await until_ready(client, service)
            yield client
    finally:
        if service.returncode is None:
            service.terminate()
        await service.communicate()


async def until_ready(client: httpx.AsyncClient, service: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(30):
        while service.returncode is None:
            try:
                if (await client.get("/health/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                pass  # not listening yet
            await asyncio.sleep(0.05)
    assert service.stderr is not None
    raise AssertionError((await service.stderr.read()).decode())


async def test_the_example_service_runs_and_answers_only_who_has_a_token(checkout: Path) -> None:
    signer = Signer()
    async with auth_keys(signer) as jwks_url, running(checkout, jwks_url) as client:
        refused = await client.get("/api/greetings")
        assert refused.status_code == 401
        assert refused.headers["Content-Type"].startswith("application/problem+json")

        account = "00000000-0000-4000-8000-00000000000a"
        greeted = await client.get(
            "/api/greetings", headers={"Authorization": f"Bearer {signer.token(sub=account)}"}
        )
        assert (greeted.status_code, greeted.json()) == (200, {"text": f"Hello, {account}."})


def test_the_example_route_is_closed_by_the_plugin_that_it_names() -> None:
    # The block goes to the end of the template's services, where its anchors are known.
    template = (ROOT / "kong.yml.template").read_text(encoding="utf-8")
    services = template.index("\nservices:\n")
    following = re.compile(r"^[a-z]", re.MULTILINE).search(template, services + len("\nservices:\n"))
    end_of_services = following.start() if following else len(template)
    whole = yaml.safe_load(
        f"{template[:end_of_services]}\n{FILES['kong.yml.template']}{template[end_of_services:]}"
    )
    greeting = next(service for service in whole["services"] if service["name"] == "greeting")
    assert [plugin["name"] for plugin in greeting["plugins"]] == ["token-validator"]
    assert greeting["routes"][0]["paths"] == ["/api/greetings"]
