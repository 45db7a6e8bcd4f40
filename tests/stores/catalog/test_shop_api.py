"""What anybody may read, on a real database."""

from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from services.chassis import pages
from tests.signing import Signer
from tests.stores.catalog.shop import ShopApi, several, variant
from tests.stores.catalog.test_products_api import SIZES


async def named(api: ShopApi, category: str, slug: str, name: str, **changes: Any) -> dict[str, Any]:
    return await api.product(category, slug, texts={"ko": {"name": name}}, **changes)


async def test_hazard_27_words_of_one_two_and_more_syllables_are_found_in_the_middle_of_others(
    api: ShopApi,
) -> None:
    category = await api.category()
    await named(api, category, "shoe", "남성운동화 하늘")
    await named(api, category, "phone", "갤럭시S25 케이스", keywords=["휴대폰"])
    await named(api, category, "sock", "양말", brand="운동")
    for query, found in {
        "운동화": ["shoe"],
        "동화": ["shoe"],
        "운동": ["shoe", "sock"],
        "화": ["shoe"],
        "갤럭시 s25": ["phone"],
        "갤럭시ｓ２５": ["phone"],
        "S2": ["phone"],
        "휴대폰 케이스": ["phone"],
        "동운": [],
        "운동화 양말": [],
    }.items():
        assert sorted(await api.slugs(q=query)) == sorted(found), query


async def test_what_is_in_the_name_comes_before_brand_keywords_and_text(api: ShopApi) -> None:
    category = await api.category()
    await api.product(category, "text", texts={"ko": {"name": "상자", "description": "컵을 담는다"}})
    await named(api, category, "keyword", "그릇", keywords=["컵"])
    await named(api, category, "brand", "접시", brand="컵나라")
    await named(api, category, "inside", "머그컵")
    await named(api, category, "first", "컵 받침")
    assert await api.slugs(q="컵") == ["first", "inside", "brand", "keyword", "text"]
    first = await api.listed(q="컵", limit=2)
    rest = await api.listed(q="컵", limit=9, cursor=first["next_cursor"])
    assert [each["slug"] for each in rest["items"]] == ["brand", "keyword", "text"]
    assert rest["facets"] is None


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("!!", "no_words"),
        ("가" * 65, "too_long"),
        ("a b c d e f g h i", "too_many_words"),
    ],
)
async def test_a_query_that_cannot_be_searched_for_says_why(api: ShopApi, query: str, code: str) -> None:
    for path in ("/api/products", "/api/products/suggestions"):
        answer = await api.client.get(path, params={"q": query})
        assert answer.status_code == 400
        assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("q", code)]


async def test_suggestions_are_products_whose_names_hold_what_is_typed(api: ShopApi) -> None:
    category = await api.category()
    await named(api, category, "shoe", "하늘 운동화")
    await named(api, category, "case", "운동 가방", keywords=["모자"])
    answer = await api.client.get("/api/products/suggestions", params={"q": "운동"})
    assert [each["slug"] for each in answer.json()["items"]] == ["case", "shoe"]
    assert (await api.client.get("/api/products/suggestions", params={"q": "모자"})).json() == {"items": []}
    assert (await api.client.get("/api/products/suggestions")).status_code == 400


async def test_only_active_products_are_for_sale(api: ShopApi) -> None:
    category = await api.category()
    for status in ("draft", "active", "archived"):
        await api.product(category, status, status=status)
    assert await api.slugs() == ["active"]
    assert await api.slugs(q="product") == ["active"]
    for slug in ("draft", "archived", "nothing"):
        assert (await api.client.get(f"/api/products/{slug}")).status_code == 404
    assert (await api.listed())["facets"]["total"] == 1


async def test_filters_and_facets_each_without_its_own(api: ShopApi) -> None:
    top = await api.category("shoes")
    below = await api.category("boots", parent=top)
    other = await api.category("bags")
    await api.product(top, "cheap", variants=[variant("A", 5_000)])
    await api.product(below, "middle", **several(variant("B", 20_000), variant("B2", 90_000)))
    await api.product(other, "dear", variants=[variant("C", 250_000)])
    await api.stocked("B", 3)
    assert sorted(await api.slugs(category="shoes")) == ["cheap", "middle"]
    assert await api.slugs(category="boots") == ["middle"]
    assert await api.slugs(min_price=5_001, max_price=249_999) == ["middle"]
    assert await api.slugs(in_stock=True) == ["middle"]
    facets = (await api.listed(category="boots", max_price=100_000))["facets"]
    assert facets["total"] == 1
    assert {each["slug"]: each["count"] for each in facets["categories"]} == {"shoes": 2, "boots": 1}
    assert facets["prices"] == [{"min_price": 10_000, "max_price": 29_999, "count": 1}]
    bounds = [(each["min_price"], each["max_price"]) for each in (await api.listed())["facets"]["prices"]]
    assert bounds == [(None, 9_999), (10_000, 29_999), (200_000, None)]
    answer = await api.client.get("/api/products", params={"category": "nothing"})
    assert answer.json()["errors"][0]["code"] == "unknown_category"


@pytest.mark.parametrize("sort", ["newest", "price", "-price"])
@pytest.mark.parametrize("within", [None, "shoes"])
async def test_hazard_28_pages_neither_skip_nor_repeat_while_products_come_and_go(
    api: ShopApi, sort: str, within: str | None
) -> None:
    category = await api.category()
    made = [
        await api.product(category, f"p{number}", variants=[variant(f"P{number}", 1_000 * (number % 3))])
        for number in range(9)
    ]
    query = {"sort": sort, "limit": 2, **({"category": within} if within else {})}
    whole = await api.slugs(**{**query, "limit": 100})
    seen: list[str] = []
    cursor = None
    while True:
        page = await api.listed(**query, **({"cursor": cursor} if cursor else {}))
        seen += [each["slug"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        if len(seen) == 4:
            await api.product(category, "late-cheap", variants=[variant("LC", 0)])
            await api.product(category, "late-dear", variants=[variant("LD", 9_000_000)])
            gone = next(each for each in made if each["slug"] == seen[0])
            await api.change("DELETE", gone["id"], 1)
    assert [slug for slug in seen if not slug.startswith("late")] == whole
    assert len(set(seen)) == len(seen)


async def test_prices_sort_up_and_down(api: ShopApi) -> None:
    category = await api.category()
    for slug, price in (("b", 2_000), ("a", 1_000), ("c", 3_000)):
        await api.product(category, slug, **several(variant(slug, 9_000), variant(f"{slug}2", price)))
    assert await api.slugs(sort="price") == ["a", "b", "c"]
    assert await api.slugs(sort="-price") == ["c", "b", "a"]
    prices = [each["price"] for each in (await api.listed(sort="price"))["items"]]
    assert all(lower <= higher for lower, higher in pairwise(prices))
    refused = await api.client.get("/api/products", params={"sort": "relevance"})
    assert [each["field"] for each in refused.json()["errors"]] == ["sort"]


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJuZXdlc3QiLCIyMDI2IiwiMSJd", "WyJwcmljZSIsMSwiMDAwIl0"])
async def test_a_cursor_of_another_list_is_refused(api: ShopApi, cursor: str) -> None:
    answer = await api.client.get("/api/products", params={"cursor": cursor})
    assert answer.status_code == 400
    assert [each["code"] for each in answer.json()["errors"]] == ["invalid_cursor"]


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("newest", "0001-01-01T00:00:00+23:59"),
        ("newest", "9999-12-31T23:59:59-23:59"),
        ("newest", "2026-11-27T09:00:00"),
        ("price", 2**63),
        ("-price", -(2**63) - 1),
    ],
)
async def test_a_cursor_with_a_value_that_no_row_can_have_is_refused(
    api: ShopApi, sort: str, value: str | int
) -> None:
    query = {"sort": sort, "cursor": pages.encode(sort, value, uuid4())}
    answer = await api.client.get("/api/products", params=query)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_cursor")


async def test_hazard_6_every_place_says_the_same_of_what_is_held(api: ShopApi) -> None:
    made = await api.product(
        await api.category(), "shoe", options=SIZES,
        variants=[variant("S", values=["s"], compare_at_price=15_000), variant("L", values=["l"])],
    )  # fmt: skip
    small, _ = (each["id"] for each in made["variants"])
    await api.stocked("S", 10)
    assert (await api.page("shoe"))["availability"] == "in_stock"
    await api.reserve("held", {small: 6})

    async def told() -> list[Any]:
        page = await api.page("shoe")
        (card,) = (await api.listed())["items"]
        (level,) = (await api.client.get("/api/stock", params={"sku": "S"}, headers=api.admin)).json()[
            "items"
        ]
        return [
            page["availability"],
            card["availability"],
            level["availability"],
            *(each["availability"] for each in (await api.quote(("S", 1)))["lines"]),
            *(each["availability"] for each in page["variants"]),
        ]

    assert await told() == ["few_left"] * 4 + ["few_left", "sold_out"]
    await api.reserve("held", {small: 4})
    assert await told() == ["sold_out"] * 3 + ["sold_out", "sold_out"]
    assert await api.slugs(in_stock=True) == []
    await api.stocked("L", 1)
    assert await api.slugs(in_stock=True) == ["shoe"]


async def test_a_page_is_in_one_language_and_falls_back(api: ShopApi) -> None:
    top = await api.category("shoes", names={"ko": "신발"})
    await api.product(
        top, "shoe", options=SIZES, variants=[variant("S", values=["s"], compare_at_price=12_000)],
        texts={"ko": {"name": "하늘", "description": "가볍다"}, "en": {"name": "Sky"}},
    )  # fmt: skip
    page = await api.page("shoe", lang="en")
    assert (page["name"], page["description"], page["categories"]) == (
        "Sky",
        "가볍다",
        [{"slug": "shoes", "name": "신발"}],
    )
    assert page["options"][0]["values"][0] == {"code": "s", "name": "Small"}
    assert (page["price"], page["compare_at_price"], page["currency"]) == (10_000, 12_000, "KRW")
    assert (await api.client.get("/api/products/shoe", params={"lang": "fr"})).status_code == 400


async def test_what_is_public_is_cacheable_by_its_etag_and_tags(api: ShopApi, signer: Signer) -> None:
    category = await api.category()
    made = await api.product(category, "shoe")
    for path, tags in {
        "/api/products": ["products", f"product:{made['id']}"],
        "/api/products?category=shoes": ["products", "category:shoes", f"product:{made['id']}"],
        "/api/products/shoe": [f"product:{made['id']}", "categories", "category:shoes"],
        "/api/categories": ["categories"],
        "/api/products/suggestions?q=product": ["products"],
    }.items():
        answer = await api.client.get(path)
        assert answer.headers["Cache-Control"] == "public, no-cache"
        assert answer.headers["Cache-Tag"].split(",") == tags
        for sent in (answer.headers["ETag"], f'"x", W/{answer.headers["ETag"]}', "*"):
            again = await api.client.get(path, headers={"If-None-Match": sent})
            assert (again.status_code, again.content) == (304, b""), path
            assert again.headers["ETag"] == answer.headers["ETag"]
        assert (await api.client.get(path, headers={"If-None-Match": '"x"'})).status_code == 200
        # Nobody's own: the same with a token.
        signed_in = {"Authorization": f"Bearer {signer.token()}"}
        assert (await api.client.get(path, headers=signed_in)).content == answer.content
    before = (await api.client.get("/api/products/shoe")).headers["ETag"]
    await api.change("PATCH", made["id"], 1, {"brand": "바람길"})
    assert (await api.client.get("/api/products/shoe")).headers["ETag"] != before


async def test_a_quote_prices_every_line_and_says_what_cannot_be_had(api: ShopApi) -> None:
    category = await api.category()
    await api.product(
        category, "shoe", options=SIZES, variants=[variant("S", 11_000, values=["s"]), variant("L", values=["l"])]
    )  # fmt: skip
    await api.product(category, "book", variants=[variant("BOOK", 16_000, vat_class="zero")])
    await api.product(category, "old", status="archived", variants=[variant("OLD")])
    await api.stocked("S", 3)
    await api.stocked("BOOK", 9)
    quoted = await api.quote(("S", 2), ("BOOK", 1), ("L", 1), ("OLD", 1), ("NONE", 1))
    fields = ("sku", "quantity", "unit_price", "tax", "vat_rate")
    assert [[line[field] for field in fields] for line in quoted["lines"]] == [
        ["S", 2, 11_000, 2_000, 1_000],
        ["BOOK", 1, 16_000, 0, 0],
    ]
    assert quoted["lines"][0]["option_names"] == {"ko": "작은", "en": "Small"}
    assert quoted["lines"][0]["name"] == {"ko": "상품 shoe", "en": "Product shoe"}
    assert (quoted["total"], quoted["tax"], quoted["currency"]) == (38_000, 2_000, "KRW")
    gone = {"name": {"ko": "상품 shoe", "en": "Product shoe"}}
    old = quoted["unavailable"][1].pop("name")
    assert old["en"].startswith("Product "), "what is no longer sold keeps its name"
    assert quoted["unavailable"] == [
        {"sku": "L", "reason": "sold_out", "left": 0, **gone},
        {"sku": "OLD", "reason": "not_sold", "left": 0},
        {"sku": "NONE", "reason": "unknown", "left": 0},
    ]


async def test_hazard_4_lines_with_one_sku_are_summed_first(api: ShopApi) -> None:
    made = await api.product(await api.category(), "shoe")
    await api.stocked("SKU-shoe", 3)
    quoted = await api.quote(("SKU-shoe", 2), ("SKU-shoe", 2))
    assert [each["quantity"] for each in quoted["lines"]] == [4]
    assert quoted["unavailable"] == [{"sku": "SKU-shoe", "reason": "too_few", "left": 3}]
    id_ = made["variants"][0]["id"]
    body = {"goal": "held", "lines": [{"variant_id": id_, "quantity": 2}] * 2}
    answer = await api.client.put(
        f"/internal/reservations/{made['id']}",
        json=body,
        headers={"X-Internal-Key": "internal-key-for-tests"},
    )
    assert answer.json() == {"state": "sold_out", "short": [{"variant_id": id_, "left": 3}]}


async def test_hazard_22_prices_are_whole_numbers_of_the_minor_unit(api: ShopApi) -> None:
    category = await api.category()
    for price in (10.5, "1000", -1, 10**15):
        answer = await api.create(category, "shoe", variants=[variant("A", price)])  # type: ignore[arg-type]
        assert answer.status_code == 400, price
    await api.product(category, "shoe", variants=[variant("A", 1)])
    assert (await api.listed())["items"][0]["price"] == 1
