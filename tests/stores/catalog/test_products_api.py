"""What administrators do with products and categories, on a real database."""

from typing import Any

import pytest

from tests.signing import Signer
from tests.stores.catalog.shop import ShopApi, several, variant

NOBODYS = "00000000-0000-4000-8000-0000000000ff"
SIZES = [
    {
        "code": "size",
        "names": {"ko": "사이즈", "en": "Size"},
        "values": [
            {"code": "s", "names": {"ko": "작은", "en": "Small"}},
            {"code": "l", "names": {"ko": "큰", "en": "Large"}},
        ],
    }
]


async def test_a_product_is_found_at_its_location_in_normal_form(api: ShopApi) -> None:
    category = await api.category()
    answer = await api.create(category, "shoe", brand=" 바람길  ", keywords=["러닝화", "러닝화"])
    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"1"'
    found = await api.client.get(answer.headers["Location"], headers=api.admin)
    assert found.json() == answer.json()
    assert (found.json()["brand"], found.json()["keywords"]) == ("바람길", ["러닝화"])
    assert found.headers["Cache-Control"] == "private, no-cache"


async def test_every_wrong_field_is_named(api: ShopApi) -> None:
    category = await api.category()
    answer = await api.create(
        category,
        "No Slug",
        texts={"ko": {"name": "\u200b"}, "fr": {"name": "x"}},
        options=SIZES,
        variants=[
            variant("bad sku", values=["s"]),
            variant("A", values=["xl"]),
            variant("B", 10, values=["l"], compare_at_price=10),
            variant("B", values=["l"]),
        ],
    )
    assert answer.status_code == 400
    assert {(error["field"], error["code"]) for error in answer.json()["errors"]} == {
        ("slug", "invalid_slug"),
        ("texts.ko.name", "blank"),
        ("texts.fr", "not_allowed"),
        ("variants.0.sku", "invalid_sku"),
        ("variants.1.values", "unknown_option_value"),
        ("variants.2.compare_at_price", "not_above_price"),
        ("variants.3", "duplicate"),
    }


@pytest.mark.parametrize("slug", ["suggestions", "documents", NOBODYS, "a--b", "Ä", "a" * 101])
async def test_a_slug_never_looks_like_another_address(api: ShopApi, slug: str) -> None:
    answer = await api.create(await api.category(), slug, variants=[variant("A")])
    assert [error["field"] for error in answer.json()["errors"]] == ["slug"]


async def test_a_slug_of_32_digits_has_its_page(api: ShopApi) -> None:
    """Without hyphens it would be a UUID as well, which asked for the administrators' document."""
    slug = "20261128" * 4
    await api.product(await api.category(), slug)
    page = await api.client.get(f"/api/products/{slug}")
    assert (page.status_code, page.json().get("slug")) == (200, slug)


async def test_a_taken_slug_or_sku_is_a_conflict(api: ShopApi) -> None:
    category = await api.category()
    await api.product(category, "one")
    assert (await api.create(category, "one", variants=[variant("X")])).status_code == 409
    answer = await api.create(category, "two", variants=[variant("SKU-one")])
    assert answer.status_code == 409
    assert "SKU-one" in answer.json()["detail"]


async def test_an_unknown_category_is_a_wrong_field(api: ShopApi) -> None:
    answer = await api.create(NOBODYS, "shoe")
    assert answer.json()["errors"][0]["code"] == "unknown_category"


async def test_a_variant_keeps_its_id_for_as_long_as_its_sku_is_there(api: ShopApi) -> None:
    made = await api.product(await api.category(), "shoe", **several(variant("A"), variant("B")))
    ids = {each["sku"]: each["id"] for each in made["variants"]}
    patch = several(variant("C"), variant("B", 12_000))
    changed = (await api.change("PATCH", made["id"], 1, patch)).json()
    now = {each["sku"]: each["id"] for each in changed["variants"]}
    assert list(now) == ["C", "B"]
    assert now["B"] == ids["B"]
    assert changed["version"] == 2


async def test_hazard_26_a_deleted_sku_is_free_again_and_is_another_variant(api: ShopApi) -> None:
    category = await api.category()
    made = await api.product(category, "shoe", **several(variant("A"), variant("B")))
    await api.stocked("A", 5)
    await api.change("PATCH", made["id"], 1, several(variant("B")))
    other = await api.product(category, "boot", variants=[variant("A")])
    assert other["variants"][0]["id"] != made["variants"][0]["id"]
    gone = (await api.quote(("A", 1)))["unavailable"]
    assert [(each["sku"], each["reason"], each["name"]["en"]) for each in gone] == [
        ("A", "sold_out", "Product boot")
    ]
    assert (await api.change("DELETE", other["id"], 1)).status_code == 204
    assert (await api.create(category, "boot", variants=[variant("A")])).status_code == 201


async def test_a_merge_patch_changes_what_it_names(api: ShopApi) -> None:
    made = await api.product(
        await api.category(),
        "shoe",
        brand="바람길",
        texts={"ko": {"name": "신", "description": "가볍다"}, "en": {"name": "Shoe"}},
    )
    patch = {"brand": None, "texts": {"ko": {"description": None}, "en": None}}
    changed = (await api.change("PATCH", made["id"], 1, patch)).json()
    assert changed["brand"] == ""
    assert changed["texts"] == {"ko": {"name": "신", "description": ""}}
    assert changed["variants"] == made["variants"]


async def test_a_replacement_empties_what_it_leaves_out(api: ShopApi) -> None:
    category = await api.category()
    made = await api.product(category, "shoe", brand="바람길")
    body = {
        "category": category,
        "slug": "shoe",
        "texts": {"en": {"name": "Shoe"}},
        "variants": [variant("SKU-shoe", 5_000)],
    }
    changed = (await api.change("PUT", made["id"], 1, body)).json()
    assert (changed["brand"], changed["status"], list(changed["texts"])) == ("", "draft", ["en"])
    assert changed["variants"][0]["id"] == made["variants"][0]["id"]


async def test_nobody_overwrites_what_they_have_not_seen(api: ShopApi) -> None:
    made = await api.product(await api.category(), "shoe")
    path = f"/api/products/{made['id']}"
    assert (await api.client.patch(path, json={}, headers=api.admin)).status_code == 428
    assert (await api.change("PATCH", made["id"], 1, {"brand": "a"})).status_code == 200
    assert (await api.change("PATCH", made["id"], 1, {"brand": "b"})).status_code == 412
    assert (await api.change("DELETE", made["id"], 1)).status_code == 412
    assert (await api.change("DELETE", made["id"], 2)).status_code == 204
    assert (await api.client.get(path, headers=api.admin)).status_code == 404


async def test_a_repeated_creation_makes_one_product(api: ShopApi) -> None:
    category = await api.category()
    api.admin["Idempotency-Key"] = "one-product"
    first, second = await api.create(category, "shoe"), await api.create(category, "shoe")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"


async def test_documents_show_drafts_page_by_page(api: ShopApi) -> None:
    category = await api.category()
    for number in range(5):
        await api.product(category, f"p{number}", status="draft" if number % 2 else "active")

    async def documents(**query: Any) -> Any:
        return (await api.client.get("/api/products/documents", params=query, headers=api.admin)).json()

    assert [each["slug"] for each in (await documents(status="draft"))["items"]] == ["p3", "p1"]
    first = await documents(limit=3)
    rest = await documents(limit=3, cursor=first["next_cursor"])
    assert [each["slug"] for each in first["items"] + rest["items"]] == ["p4", "p3", "p2", "p1", "p0"]
    assert rest["next_cursor"] is None
    assert [each["slug"] for each in (await documents(q="p1"))["items"]] == ["p1"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/products"),
        ("GET", "/api/products/documents"),
        ("GET", f"/api/products/{NOBODYS}"),
        ("PUT", f"/api/products/{NOBODYS}"),
        ("PATCH", f"/api/products/{NOBODYS}"),
        ("DELETE", f"/api/products/{NOBODYS}"),
        ("GET", f"/api/categories/{NOBODYS}"),
        ("POST", "/api/categories"),
        ("DELETE", f"/api/categories/{NOBODYS}"),
        ("GET", "/api/stock"),
        ("GET", "/api/stock/journal"),
        ("POST", "/api/stock/adjustments"),
    ],
)
async def test_what_is_not_public_is_the_administrators(
    api: ShopApi, signer: Signer, method: str, path: str
) -> None:
    member = {"Authorization": f"Bearer {signer.token()}"}
    assert (await api.client.request(method, path)).status_code == 401
    assert (await api.client.request(method, path, headers=member)).status_code == 403
    assert (await api.client.request(method, path, headers=api.admin)).status_code in {200, 400, 404, 428}


@pytest.mark.parametrize("path", ["/internal/quotes", f"/internal/reservations/{NOBODYS}"])
async def test_what_is_internal_needs_the_internal_key(api: ShopApi, path: str) -> None:
    method = "POST" if path.endswith("quotes") else "PUT"
    for headers in ({}, api.admin, {"X-Internal-Key": "guess"}):
        assert (await api.client.request(method, path, json={}, headers=headers)).status_code == 401


async def test_categories_are_a_tree_without_rings(api: ShopApi) -> None:
    top = await api.category("top", position=2)
    below = await api.category("below", parent=top)
    await api.category("first", position=1)
    tree = (await api.client.get("/api/categories", params={"lang": "en"})).json()["items"]
    assert [(each["slug"], [child["slug"] for child in each["children"]]) for each in tree] == [
        ("first", []),
        ("top", ["below"]),
    ]
    headers = {**api.admin, "If-Match": '"1"'}
    answer = await api.client.patch(f"/api/categories/{top}", json={"parent": below}, headers=headers)
    assert answer.json()["errors"][0]["code"] == "inside_itself"
    moved = await api.client.patch(f"/api/categories/{below}", json={"parent": None}, headers=headers)
    assert (moved.json()["parent"], moved.headers["ETag"]) == (None, '"2"')


async def test_categories_are_inside_one_another_for_six_levels(api: ShopApi) -> None:
    chain: list[str] = []
    for level in range(6):
        chain.append(await api.category(f"level-{level}", parent=chain[-1] if chain else None))
    pair = await api.category("pair")
    await api.category("in-the-pair", parent=pair)
    too_deep = [{"field": "parent", "code": "too_deep", "params": {"max": 6}}]

    body = {"slug": "one-more", "names": {"en": "One more"}, "parent": chain[5], "position": 0}
    refused = [await api.client.post("/api/categories", json=body, headers=api.admin)]
    headers = {**api.admin, "If-Match": '"1"'}
    path = f"/api/categories/{pair}"
    refused.append(await api.client.patch(path, json={"parent": chain[4]}, headers=headers))
    for answer in refused:
        found = [{name: fault[name] for name in too_deep[0]} for fault in answer.json()["errors"]]
        assert (answer.status_code, found) == (400, too_deep)
    assert (await api.client.patch(path, json={"parent": chain[3]}, headers=headers)).status_code == 200


async def test_a_category_goes_when_it_is_empty(api: ShopApi) -> None:
    top = await api.category("top")
    below = await api.category("below", parent=top)
    made = await api.product(below, "shoe")
    headers = {**api.admin, "If-Match": "*"}
    assert (await api.client.delete(f"/api/categories/{top}", headers=headers)).status_code == 409
    assert (await api.client.delete(f"/api/categories/{below}", headers=headers)).status_code == 409
    await api.change("DELETE", made["id"], 1)
    assert (await api.client.delete(f"/api/categories/{below}", headers=headers)).status_code == 204
    assert (await api.client.delete(f"/api/categories/{top}", headers=headers)).status_code == 204
    await api.category("top")


async def test_stock_is_listed_and_every_change_of_it_has_a_line(api: ShopApi) -> None:
    made = await api.product(
        await api.category(), "shoe", **several(variant("A-1"), variant("A-2"), variant("B"))
    )
    ids = {each["sku"]: each["id"] for each in made["variants"]}
    assert (await api.stocked("A-1", 7)).json()["available"] == 7
    await api.reserve("committed", {ids["A-1"]: 2})

    async def stock(path: str = "", **query: Any) -> Any:
        return (await api.client.get(f"/api/stock{path}", params=query, headers=api.admin)).json()

    first = await stock(sku="A", limit=1)
    rest = await stock(sku="A", limit=1, cursor=first["next_cursor"])
    assert [(each["sku"], each["on_hand"]) for each in first["items"] + rest["items"]] == [
        ("A-1", 5),
        ("A-2", 0),
    ]
    assert rest["next_cursor"] is None
    assert [each["sku"] for each in (await stock(at_most=0))["items"]] == ["A-2", "B"]
    lines = (await stock("/journal", variant_id=ids["A-1"]))["items"]
    assert [(line["change"], line["on_hand"], line["reason"]) for line in lines] == [
        (-2, 5, "sale"),
        (7, 7, "delivery"),
    ]
    assert lines[0]["actor"] == "order"
    page = await stock("/journal", limit=1)
    assert [
        line["change"] for line in (await stock("/journal", limit=1, cursor=page["next_cursor"]))["items"]
    ] == [7]


async def test_an_adjustment_is_refused_below_what_orders_have(api: ShopApi) -> None:
    made = await api.product(await api.category(), "shoe")
    await api.stocked("SKU-shoe", 5)
    await api.reserve("held", {made["variants"][0]["id"]: 3})
    assert (await api.stocked("SKU-shoe", -3)).status_code == 409
    assert (await api.stocked("SKU-shoe", -2)).json()["available"] == 0
    assert (await api.stocked("NONE", 1)).status_code == 404
    assert (await api.stocked("SKU-shoe", 0)).status_code == 400


async def test_an_adjustment_that_is_sent_twice_counts_once(api: ShopApi) -> None:
    await api.product(await api.category(), "shoe")
    api.admin["Idempotency-Key"] = "one-delivery"
    for _ in range(2):
        assert (await api.stocked("SKU-shoe", 5)).json()["on_hand"] == 5
