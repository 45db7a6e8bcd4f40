"""What a shopkeeper's pages ask of the catalog: variants off sale, products with their stock, and counts."""

import pytest

from tests.stores.catalog.shop import ShopApi, several, variant


async def test_a_variant_that_is_not_active_is_not_for_sale_and_keeps_its_stock(api: ShopApi) -> None:
    category = await api.category()
    both = several(variant("S", 5_000), variant("L", 9_000))
    made = await api.product(category, "shoe", **both)
    await api.stocked("S", 3)
    await api.stocked("L", 2)
    off = {"variants": [{**both["variants"][0], "active": False}, both["variants"][1]]}
    changed = (await api.change("PATCH", made["id"], made["version"], off)).json()
    assert [each["active"] for each in changed["variants"]] == [False, True]
    assert [each["id"] for each in changed["variants"]] == [each["id"] for each in made["variants"]]
    page = await api.page("shoe")
    assert [each["sku"] for each in page["variants"]] == ["L"]
    assert (await api.listed())["items"][0]["price"] == 9_000
    quote = await api.quote(("S", 1))
    assert [(each["sku"], each["reason"]) for each in quote["unavailable"]] == [("S", "not_sold")]
    levels = await stock(api, sku="S")
    assert [(each["on_hand"], each["for_sale"]) for each in levels] == [(3, False)]
    # What only they have is not in stock.
    await api.client.post(
        "/api/stock/adjustments",
        json={"sku": "L", "counted": 0, "reason": "count"},
        headers=api.admin,
    )
    assert await api.slugs(in_stock=True) == []


async def test_a_product_for_sale_has_a_variant_for_sale(api: ShopApi) -> None:
    category = await api.category()
    none = [variant("A", active=False)]
    answer = await api.create(category, "shoe", variants=none)
    assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [
        ("variants", "none_active")
    ]
    assert (await api.create(category, "shoe", variants=none, status="draft")).status_code == 201


async def test_documents_are_narrowed_by_category_and_say_what_there_is(api: ShopApi) -> None:
    top = await api.category("shoes")
    below = await api.category("boots", parent=top)
    other = await api.category("bags")
    await api.product(below, "boot", **several(variant("B1"), variant("B2"), variant("B3", active=False)))
    await api.product(other, "bag", variants=[variant("C")])
    await api.stocked("B1", 4)
    await api.stocked("B3", 50)
    found = await documents(api, category=top)
    assert [(each["slug"], each["stock"]) for each in found] == [
        ("boot", {"available": 4, "sold_out": 1, "few_left": 1})
    ]
    assert [each["slug"] for each in await documents(api, category=other)] == ["bag"]
    assert await documents(api, category="00000000-0000-4000-8000-0000000000ff") == []


async def test_what_runs_out_comes_first_page_by_page(api: ShopApi) -> None:
    category = await api.category()
    made = await api.product(category, "shoe", **several(*(variant(sku) for sku in ("A", "B", "C", "D"))))
    await api.product(category, "draft", status="draft", variants=[variant("X")])
    for sku, units in (("A", 9), ("B", 1), ("C", 5)):
        await api.stocked(sku, units)
    query = {"sort": "available", "for_sale": "true", "limit": "2"}
    first = (await api.client.get("/api/stock", params=query, headers=api.admin)).json()
    second = (
        await api.client.get(
            "/api/stock", params={**query, "cursor": first["next_cursor"]}, headers=api.admin
        )
    ).json()
    assert [each["sku"] for each in first["items"] + second["items"]] == ["D", "B", "C", "A"]
    assert second["next_cursor"] is None
    assert [each["option_names"] for each in first["items"]] == [
        {"ko": "d", "en": "d"},
        {"ko": "b", "en": "b"},
    ]
    assert [each["sku"] for each in await stock(api, product_id=made["id"])] == ["A", "B", "C", "D"]
    assert len(await stock(api)) == 5
    wrong = await api.client.get("/api/stock", params={"cursor": first["next_cursor"]}, headers=api.admin)
    assert wrong.json()["errors"][0]["code"] == "invalid_cursor"


async def test_a_count_says_what_there_is_whatever_was_believed(api: ShopApi) -> None:
    category = await api.category()
    (made,) = (await api.product(category, "shoe", variants=[variant("A")]))["variants"]
    await api.stocked("A", 10)
    await api.reserve("held", {made["id"]: 2})
    counted = {"sku": "A", "counted": 7, "reason": "count"}
    headers = {**api.admin, "Idempotency-Key": "the-count"}
    for _ in range(2):
        answer = await api.client.post("/api/stock/adjustments", json=counted, headers=headers)
        assert (answer.status_code, answer.json()["on_hand"], answer.json()["available"]) == (201, 7, 5)
    same = await api.client.post("/api/stock/adjustments", json=counted, headers=api.admin)
    assert (same.status_code, same.json()["on_hand"]) == (201, 7)
    journal = (await api.client.get("/api/stock/journal", headers=api.admin)).json()["items"]
    assert [(each["change"], each["on_hand"], each["reason"]) for each in journal] == [
        (-3, 7, "count"),
        (10, 10, "delivery"),
    ]
    refused = await api.client.post(
        "/api/stock/adjustments", json={**counted, "counted": 1}, headers=api.admin
    )
    assert (refused.status_code, refused.json()["code"], refused.json()["reserved"]) == (
        409,
        "below_reserved",
        2,
    )


@pytest.mark.parametrize("said", [{}, {"change": 1, "counted": 1}, {"change": 0}])
async def test_an_adjustment_is_either_a_change_or_a_count(api: ShopApi, said: dict[str, int]) -> None:
    await api.product(await api.category(), "shoe", variants=[variant("A")])
    body = {"sku": "A", "reason": "count", **said}
    answer = await api.client.post("/api/stock/adjustments", json=body, headers=api.admin)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "change")


async def test_a_conflict_says_what_is_taken(api: ShopApi) -> None:
    category = await api.category()
    await api.product(category, "one", variants=[variant("A")])
    slug = (await api.create(category, "one", variants=[variant("B")])).json()
    sku = (await api.create(category, "two", variants=[variant("A")])).json()
    assert (slug["code"], sku["code"], sku["sku"]) == ("slug_taken", "sku_taken", "A")


async def stock(api: ShopApi, **query: str) -> list[dict]:  # type: ignore[type-arg]
    answer = await api.client.get("/api/stock", params=query, headers=api.admin)
    assert answer.status_code == 200, answer.text
    found: list[dict] = answer.json()["items"]  # type: ignore[type-arg]
    return found


async def documents(api: ShopApi, **query: str) -> list[dict]:  # type: ignore[type-arg]
    answer = await api.client.get("/api/products/documents", params=query, headers=api.admin)
    assert answer.status_code == 200, answer.text
    found: list[dict] = answer.json()["items"]  # type: ignore[type-arg]
    return found
