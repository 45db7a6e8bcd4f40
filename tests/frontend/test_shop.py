"""The shop's pages where something is down or named strangely."""

import asyncio
import json
import re
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from frontend_proxy.pages.shop import catalog
from tests.frontend.conftest import Front, Start
from tests.frontend.doubles import access_token, refusal
from tests.frontend.shopping import PAGE, PRODUCT, gateway, look, send


async def test_a_list_without_its_catalog_is_an_error_page_with_a_way_on(front: Front) -> None:
    front.gateway.answer = gateway({"GET /api/products": 503, "GET /api/categories": 503})
    status, text = await look(front, "/products?q=shoe")
    assert status == 503 and "Try again" in text and "/products?q=shoe" in text


@pytest.mark.parametrize(("headers", "waits"), [({}, "2"), ({"Retry-After": "7"}, "7")])
async def test_a_page_of_what_is_away_says_when_to_come_again(
    front: Front, headers: dict[str, str], waits: str
) -> None:
    async def away(_: web.Request) -> web.Response:
        return refusal(503, **headers)

    front.gateway.answer = away
    for path, said in (("/products", waits), ("/unavailable", "2")):
        async with front.browser.get(front.url + path, headers=PAGE) as answer:
            assert (answer.status, answer.headers.getall("Retry-After")) == (503, [said])


@pytest.mark.parametrize("name", ["documents", "suggestions", PRODUCT["id"], "Shoe", "a" * 101])
async def test_what_is_no_products_name_is_a_missing_page_and_asked_of_nobody(
    front: Front, name: str
) -> None:
    status, text = await look(front, f"/products/{name}")
    assert status == 404 and "This page does not exist" in text
    assert front.gateway.seen == []


async def test_shelves_show_whose_session_it_is_without_renewing_it(front: Front) -> None:
    front.keep("/", access_token=access_token(expires_in=-10, roles=("admin",)))
    front.gateway.answer = gateway({"GET /api/products/shoe": PRODUCT})
    status, text = await look(front, "/products/shoe")
    assert status == 200 and "Sign out" in text
    assert all("Authorization" not in seen.headers for seen in front.gateway.seen)


async def test_a_chosen_language_wins_over_one_in_the_address(front: Front) -> None:
    form = {"language": "en", "next": "/products/shoe?lang=ko&done=added"}
    assert (await send(front, "/language", form))[1] == "/products/shoe?done=added"


async def test_a_catalog_that_hangs_keeps_nobody_from_the_first_page(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "PATIENCE", 0.2)
    monkeypatch.setattr(catalog, "WAITED_FOR", 0.1)
    end = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/api/storefront":
            return web.json_response({"arrivals": None, "degraded": ["arrivals"]})
        await end.wait()
        return refusal(503)

    front.gateway.answer = answer
    status, text = await look(front, "/")
    assert status == 200 and "The products could not be loaded" in text
    status, text = await look(front, "/products")
    assert status == 504 and "Try again" in text
    end.set()


async def test_what_a_product_is_called_ends_no_script(front: Front) -> None:
    front.gateway.answer = gateway({"GET /api/products/shoe": PRODUCT})
    _, text = await look(front, "/products/shoe")
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    assert block and json.loads(block[1])["name"] == PRODUCT["name"]
    assert "<b>" not in text


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ({}, "Shipping ₩3,000, free from ₩50,000 on"),
        ({"shipping_free_from": 0}, "Shipping ₩3,000"),
        ({"shipping_fee": 0}, "Free shipping"),
        (
            {"shipping_fee": 499, "shipping_free_from": 7500, "store_currency": "USD"},
            "Shipping $4.99, free from $75.00 on",
        ),
    ],
)
async def test_a_product_says_what_sending_it_costs(start: Start, costs: dict[str, Any], said: str) -> None:
    front = await start(**costs)
    front.gateway.answer = gateway({"GET /api/products/shoe": PRODUCT})
    _, text = await look(front, "/products/shoe")
    promises = re.search(r'<ul class="promises">(.*?)</ul>', text, re.DOTALL)
    assert promises and re.findall(r"</svg>\s*(.*?)\s*</li>", promises[1])[-1] == said


async def test_pictures_are_fetched_without_anybodys_session_and_kept(front: Front) -> None:
    async def picture(_: web.Request) -> web.Response:
        kept = {"Cache-Control": "public, max-age=31536000, immutable"}
        return web.Response(body=b"webp", content_type="image/webp", headers=kept)

    await front.sign_in()
    front.gateway.answer = picture
    async with front.browser.get(f"{front.url}/media/abc-320.webp") as answer:
        assert (answer.status, await answer.read()) == (200, b"webp")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin", "a CDN passes this on"
    assert {"Authorization", "Cookie"}.isdisjoint(front.gateway.seen[-1].headers)
    async with front.browser.post(f"{front.url}/media/abc-320.webp") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


async def test_a_cdns_pictures_may_be_shown_and_nothing_else_of_it(start: Any) -> None:
    front = await start(media_origin="https://cdn.example")
    front.gateway.answer = gateway({"GET /api/products/shoe": PRODUCT})
    async with front.browser.get(f"{front.url}/products/shoe", headers=PAGE) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert [rule for rule in policy.split("; ") if "cdn.example" in rule] == [
        "img-src 'self' https://cdn.example"
    ]


async def test_a_page_takes_its_static_files_from_the_cdn_and_its_policy_lets_it(start: Any) -> None:
    front = await start(asset_origin="https://cdn.example", media_origin="https://pictures.example")
    async with front.browser.get(f"{front.url}/sign-in", headers=PAGE) as answer:
        policy, page = answer.headers["Content-Security-Policy"], await answer.text()
    assert [rule for rule in policy.split("; ") if ".example" in rule] == [
        "script-src 'self' https://cdn.example",
        "style-src 'self' https://cdn.example",
        "img-src 'self' https://cdn.example https://pictures.example",
        "font-src 'self' https://cdn.example",
    ]
    addresses = re.findall(r'(?:href|src)="([^"]*/static/[^"]*)"', page)
    assert addresses
    assert all(address.startswith("https://cdn.example/static/") for address in addresses)
    async with front.browser.get(front.url + addresses[0].removeprefix("https://cdn.example")) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


async def test_without_a_cdn_static_files_are_this_sites_alone(front: Any) -> None:
    async with front.browser.get(f"{front.url}/sign-in", headers=PAGE) as answer:
        address = re.findall(r'href="(/static/[^"]*)"', await answer.text())[0]
    async with front.browser.get(front.url + address) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_a_kept_product_page_is_for_those_alone_who_see_the_same(front: Front) -> None:
    """Whoever differs by what a page shows of them gets their own, before and after others saw theirs."""
    said: dict[str, Any] = {"GET /api/products/shoe": PRODUCT, "GET /api/categories": {"items": []}}
    front.gateway.answer = gateway(said)
    session = f"access_token={access_token(roles=('admin',))}"

    async def seen(path: str = "/products/shoe", **headers: str) -> str:
        async with (
            aiohttp.ClientSession() as stranger,
            stranger.get(front.url + path, headers={**PAGE, **headers}) as answer,
        ):
            return await answer.text()

    ways = {
        "anybody": await seen(),
        "in Korean": await seen(**{"Accept-Language": "ko"}),
        "with a cart": await seen(Cookie="in_cart=3"),
        "signed in": await seen(Cookie=session),
        "added": await seen("/products/shoe?done=added"),
        "by another name": await seen(Host="other.example"),
    }
    assert len(set(ways.values())) == len(ways)
    assert (await seen(), await seen(Cookie="in_cart=3")) == (ways["anybody"], ways["with a cart"])
    said["GET /api/products/shoe"] = PRODUCT | {"name": "Boot"}
    assert "<h1>Boot</h1>" in await seen()
