"""A shared cache before the front: after a deploy nothing old is shown, and what never changes is fetched once."""

import asyncio
import re
import shutil
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import async_playwright

import frontend_proxy.app as front_app
from tests.chromium import CHROMIUM, NONE_HERE
from tests.frontend import shared_caches
from tests.frontend.conftest import Front

PAGE = {"Accept": "text/html"}
FOREVER = "public, max-age=31536000, immutable"


class Origin:
    """What the cache takes for the front: passes on to the release that is deployed, and counts."""

    def __init__(self) -> None:
        self.release: Front | None = None
        self.asked: Counter[str] = Counter()
        self.headers: dict[str, str] = {}

    async def answer(self, request: web.Request) -> web.Response:
        assert self.release is not None
        self.asked[request.path_qs] += 1
        self.headers = dict(request.headers)
        passed = {
            name: value for name, value in request.headers.items() if name not in {"Host", "Connection"}
        }
        async with self.release.browser.get(self.release.url + request.path_qs, headers=passed) as answer:
            left_out = {"Content-Length", "Connection", "Transfer-Encoding", "Date"}
            headers = [(name, value) for name, value in answer.headers.items() if name not in left_out]
            return web.Response(status=answer.status, body=await answer.read(), headers=headers)


class Cdn:
    def __init__(self, url: str, origin: Origin, client: aiohttp.ClientSession) -> None:
        self.url = url
        self.origin = origin
        self._client = client

    async def get(self, address: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        if not address.startswith("http"):
            address = self.url + address
        async with self._client.get(address, headers={"Accept-Encoding": "identity", **headers}) as answer:
            return answer.status, await answer.read(), dict(answer.headers)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture(params=shared_caches.KINDS)
def address(request: pytest.FixtureRequest, listener: socket.socket) -> Iterator[str]:
    with shared_caches.running(request.param, listener.getsockname()[1]) as url:
        yield url


@pytest.fixture
async def cdn(address: str, listener: socket.socket) -> AsyncIterator[Cdn]:
    origin, app = Origin(), web.Application()
    app.router.add_get("/{path:.*}", origin.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    async with aiohttp.ClientSession(auto_decompress=False) as client:
        yield Cdn(address, origin, client)
    await runner.cleanup()


async def release(start: Any, cdn: Cdn, root: Path, monkeypatch: pytest.MonkeyPatch, mark: str) -> Front:
    """The front with static files that say which release they are of."""
    shutil.copytree(front_app.ROOT / "static", root / "static")
    (root / "pages").symlink_to(Path(front_app.__file__).parent / "pages")
    for file in (*root.glob("static/js/*.js"), *root.glob("static/css/site/*.css")):
        file.write_text(f"{file.read_text(encoding='utf-8')}\n/* {mark} */\n", encoding="utf-8")
    monkeypatch.setattr(front_app, "ROOT", root)
    front: Front = await start(asset_origin=cdn.url, media_origin=cdn.url)
    return front


async def assets_of(front: Front) -> list[str]:
    """The addresses of the sheet and the script in a page of it, and of a module that the script imports."""
    async with front.browser.get(f"{front.url}/sign-in", headers=PAGE) as answer:
        assert answer.status == 200
        page = await answer.text()
    found: list[str] = re.findall(r'(?:href|src)="([^"]+\.(?:css|js))"', page)
    assert len(found) == 2, page
    return [*found, found[1].replace("site.js", "toasts.js")]


async def test_a_deploy_shows_no_static_file_of_another_release(
    cdn: Cdn, start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = front_app.ROOT
    first = await release(start, cdn, tmp_path / "1", monkeypatch, "first")
    monkeypatch.setattr(front_app, "ROOT", root)
    second = await release(start, cdn, tmp_path / "2", monkeypatch, "second")
    former, later = await assets_of(first), await assets_of(second)
    cdn.origin.release = first
    for address in former:
        assert address.startswith(f"{cdn.url}/static/")
        for _ in range(3):
            status, body, headers = await cdn.get(address)
            assert (status, body.rstrip()[-11:]) == (200, b"/* first */"), address
        assert headers["Cache-Control"] == FOREVER
        assert headers["Access-Control-Allow-Origin"] == "*", "modules are fetched by CORS"
        assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Set-Cookie" not in headers
    assert [cdn.origin.asked[address.removeprefix(cdn.url)] for address in former] == [1, 1, 1]

    # In a rollout a new page's file may be asked of an old replica: that it has none is not kept.
    assert (await cdn.get(later[0]))[0] == 404
    cdn.origin.release = second
    for address in later:
        status, body, _ = await cdn.get(address)
        assert (status, body.rstrip()[-12:]) == (200, b"/* second */"), address
    for address in former:
        assert (await cdn.get(address))[1].rstrip().endswith(b"/* first */"), "of a page that is still open"
    never_kept = former[1].replace("site.js", "shop.js")
    assert (await cdn.get(never_kept))[0] == 404, "an old page is given no new script"


async def test_a_file_in_two_encodings_is_never_the_wrong_one(cdn: Cdn, start: Any) -> None:
    cdn.origin.release = front = await start(asset_origin=cdn.url)
    sheet = (await assets_of(front))[0]
    for _ in range(2):
        plain, packed = await cdn.get(sheet), await cdn.get(sheet, **{"Accept-Encoding": "gzip"})
        assert "Content-Encoding" not in plain[2]
        assert plain[1][:2] != b"\x1f\x8b"
        assert (packed[2]["Content-Encoding"], packed[1][:2]) == ("gzip", b"\x1f\x8b")


async def test_a_picture_is_fetched_once_whoever_asks(cdn: Cdn, start: Any) -> None:
    cdn.origin.release = front = await start(media_origin=cdn.url)

    async def picture(_: web.Request) -> web.Response:
        await asyncio.sleep(0.2)
        return web.Response(body=b"webp", content_type="image/webp", headers={"Cache-Control": FOREVER})

    front.gateway.answer = picture
    path = "/media/abc-320.webp"
    answers = await asyncio.gather(*(cdn.get(path, Cookie=f"session={number}") for number in range(20)))
    assert {(status, body) for status, body, _ in answers} == {(200, b"webp")}
    assert cdn.origin.asked[path] == 1
    assert (await cdn.get(path))[2]["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert cdn.origin.asked[path] == 1
    assert {"Cookie", "Authorization"}.isdisjoint(cdn.origin.headers)
    assert cdn.origin.headers["Host"] == "shop.example"


async def test_nothing_else_of_the_site_is_there(cdn: Cdn, start: Any) -> None:
    cdn.origin.release = await start()
    for path in ("/", "/login", "/api/products", "/static/../login", "/media/abc-320.webp?size=1"):
        assert (await cdn.get(path))[0] == 404, path
    assert not cdn.origin.asked
    missing = "/static/0000000000000000/js/site.js"
    for count in (1, 2):
        assert (await cdn.get(missing))[0] == 404
        assert cdn.origin.asked[missing] == count, "that there is none is not kept"


@pytest.mark.browser
@pytest.mark.parametrize("address", ["nginx"], indirect=True)
async def test_a_browser_takes_modules_and_sheet_of_the_cdn(cdn: Cdn, start: Any) -> None:
    if CHROMIUM is None:
        pytest.skip(NONE_HERE)
    cdn.origin.release = front = await start(asset_origin=cdn.url, media_origin=cdn.url)
    said: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("requestfailed", lambda request: said.append(f"{request.url}: {request.failure}"))
        await page.goto(f"{front.url}/sign-in", wait_until="networkidle")
        assert await page.locator("button.reveal").count(), "site.js and its modules ran"
        line = await page.locator(".brand").evaluate("link => getComputedStyle(link).textDecorationLine")
        await browser.close()
    assert said == []
    assert line == "none", "the sheet is in force"
    assert any(path.endswith("/js/passwords.js") for path in cdn.origin.asked)
