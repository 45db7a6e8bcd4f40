"""What tests do with a catalog over HTTP."""

from typing import Any
from uuid import UUID, uuid4

from httpx import AsyncClient, Response

INTERNAL_KEY = "internal-key-for-tests"
INTERNAL = {"X-Internal-Key": INTERNAL_KEY}


def variant(sku: str, price: int = 10_000, **changes: Any) -> dict[str, Any]:
    return {"sku": sku, "price": price, **changes}


def several(*variants: dict[str, Any]) -> dict[str, Any]:
    """The fields of a product with an option that tells its variants apart by their SKUs."""
    codes = [each["sku"].lower() for each in variants]
    values = [{"code": code, "names": {"ko": code}} for code in codes]
    return {
        "options": [{"code": "kind", "names": {"ko": "종류"}, "values": values}],
        "variants": [{**each, "values": [code]} for each, code in zip(variants, codes, strict=True)],
    }


class ShopApi:
    def __init__(self, client: AsyncClient, admin: dict[str, str]) -> None:
        self.client = client
        self.admin = admin

    async def category(self, slug: str = "shoes", **changes: Any) -> str:
        body = {"slug": slug, "names": {"ko": "신발", "en": "Shoes"}, **changes}
        answer = await self.client.post("/api/categories", json=body, headers=self.admin)
        assert answer.status_code == 201, answer.text
        id_: str = answer.json()["id"]
        return id_

    async def create(self, category: str, slug: str, **changes: Any) -> Response:
        body = {
            "category": category,
            "slug": slug,
            "status": "active",
            "texts": {"ko": {"name": f"상품 {slug}"}, "en": {"name": f"Product {slug}"}},
            "variants": [variant(f"SKU-{slug}")],
            **changes,
        }
        return await self.client.post("/api/products", json=body, headers=self.admin)

    async def product(self, category: str, slug: str, **changes: Any) -> dict[str, Any]:
        answer = await self.create(category, slug, **changes)
        assert answer.status_code == 201, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def change(self, method: str, id_: str, version: int, body: Any = None) -> Response:
        headers = {**self.admin, "If-Match": f'"{version}"'}
        return await self.client.request(method, f"/api/products/{id_}", json=body, headers=headers)

    async def stocked(self, sku: str, units: int) -> Response:
        body = {"sku": sku, "change": units, "reason": "delivery"}
        return await self.client.post("/api/stock/adjustments", json=body, headers=self.admin)

    async def reserve(
        self, goal: str, lines: dict[str, int], order: UUID | None = None, *, expected: int = 200
    ) -> dict[str, Any]:
        body = {
            "goal": goal,
            "lines": [{"variant_id": id_, "quantity": units} for id_, units in lines.items()],
        }
        path = f"/internal/reservations/{order or uuid4()}"
        answer = await self.client.put(path, json=body, headers=INTERNAL)
        assert answer.status_code == expected, answer.text
        outcome: dict[str, Any] = answer.json()
        return outcome

    async def quote(self, *lines: tuple[str, int]) -> dict[str, Any]:
        body = {"lines": [{"sku": sku, "quantity": units} for sku, units in lines]}
        answer = await self.client.post("/internal/quotes", json=body, headers=INTERNAL)
        assert answer.status_code == 200, answer.text
        quoted: dict[str, Any] = answer.json()
        return quoted

    async def listed(self, **query: Any) -> dict[str, Any]:
        answer = await self.client.get("/api/products", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def slugs(self, **query: Any) -> list[str]:
        return [item["slug"] for item in (await self.listed(**query))["items"]]

    async def page(self, slug: str, **query: Any) -> dict[str, Any]:
        answer = await self.client.get(f"/api/products/{slug}", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found
