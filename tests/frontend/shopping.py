"""What the shop's services say in the tests of its pages, and what a browser sends."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from tests.frontend.conftest import Front
from tests.frontend.doubles import access_token, refusal

PAGE = {"Accept": "text/html"}
PRODUCT: dict[str, Any] = {
    "id": "0d7f7a0e-1d3c-4b0e-9d0a-0f5c4a4b0d11",
    "slug": "shoe",
    "name": "Shoe </script><b>",
    "description": "One.\nTwo.",
    "brand": "B",
    "categories": [],
    "currency": "KRW",
    "price": 1000,
    "compare_at_price": None,
    "availability": "in_stock",
    "options": [],
    "variants": [
        {
            "id": "0d7f7a0e-1d3c-4b0e-9d0a-0f5c4a4b0d12",
            "sku": "SHOE",
            "values": [],
            "price": 1000,
            "compare_at_price": None,
            "availability": "in_stock",
        }
    ],
    "images": [],
    "updated_at": "2026-03-01T09:00:00Z",
}
LINE = {
    "sku": "SHOE",
    "slug": "shoe",
    "name": {"ko": "신발", "en": "Shoe"},
    "option_names": {},
    "image": None,
    "quantity": 2,
    "unit_price": 1000,
    "compare_at_price": None,
    "available": 9,
    "availability": "in_stock",
}
CART: dict[str, Any] = {
    "version": 4,
    "currency": "KRW",
    "lines": [LINE],
    "unavailable": [],
    "changes": [],
    "items": 2000,
    "shipping": 3000,
    "tax": 455,
    "total": 5000,
    "free_shipping_from": 50_000,
    "countries": ["KR"],
}
TYPED = {
    "idempotency_key": "11111111-2222-4333-8444-555555555555",
    "cart_version": "4",
    "expected_total": "5000",
    "where": "new",
    "email": "guest@example.com",
    "phone": "010-1234-5678",
    "recipient": "Minji",
    "postal_code": "04524",
    "city": "Seoul",
    "line1": "Sejong-daero 110",
}
Said = dict[str, Any] | int


def gateway(answers: dict[str, Said]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Answers `METHOD path` with a document or a status."""

    async def answer(request: web.Request) -> web.Response:
        found = answers.get(f"{request.method} {request.path}", 404)
        if isinstance(found, int):
            return refusal(found)
        return web.json_response(found, status=found.get("status", 200))

    return answer


def guest(front: Front, **changes: Any) -> str:
    token = access_token(roles=("guest",), **changes)
    front.keep("/", access_token=token)
    return token


async def send(front: Front, path: str, form: dict[str, str], **headers: str) -> tuple[int, str, str]:
    """The status, where it leads, and the text."""
    async with front.browser.post(
        front.url + path,
        data=urlencode(form),
        headers={**PAGE, "Content-Type": "application/x-www-form-urlencoded", **headers},
        allow_redirects=False,
    ) as answer:
        return answer.status, answer.headers.get("Location", ""), await answer.text()


async def look(front: Front, path: str) -> tuple[int, str]:
    async with front.browser.get(front.url + path, headers=PAGE, allow_redirects=False) as answer:
        return answer.status, await answer.text()
