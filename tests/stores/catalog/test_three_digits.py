"""A shop in dinars: cards are charged in tens of fils, so a price is refused that is none (hazard 22)."""

import json
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec
import pytest

from services.catalog.adapters.importing import Importer
from services.catalog.settings import Settings
from services.chassis.postgres import Database
from tests.stores.catalog.shop import ShopApi, variant


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, store_currency="KWD")


async def test_a_price_that_no_card_is_charged_is_a_wrong_field(api: ShopApi) -> None:
    category = await api.category()
    refused = await api.create(
        category, "shoe", variants=[variant("A", 12_345), variant("B", 12_340, compare_at_price=12_345)]
    )
    assert refused.status_code == 400
    errors = [error for error in refused.json()["errors"] if error["code"] == "not_chargeable"]
    assert [(each["field"], each["params"]) for each in errors] == [("variants.0.price", {"step": 10})]
    assert "multiple of 10" in errors[0]["message"]


async def test_a_price_above_what_any_card_is_charged_is_a_wrong_field(api: ShopApi) -> None:
    category = await api.category()
    refused = await api.create(
        category, "yacht", variants=[variant("A", 100_000_000), variant("B", 99_999_990)]
    )
    assert refused.status_code == 400
    errors = [error for error in refused.json()["errors"] if error["code"] == "too_much_to_charge"]
    assert [(each["field"], each["params"]) for each in errors] == [("variants.0.price", {"max": 99_999_990})]


async def test_a_price_of_a_time_before_that_keeps_nothing_else_from_being_changed(
    api: ShopApi, settings: Settings
) -> None:
    made = await api.product(await api.category(), "shoe", variants=[variant("A", 12_340)])
    connection = await asyncpg.connect(settings.database_url)
    assert await connection.execute("UPDATE variant SET price = 12345 WHERE sku = 'A'") == "UPDATE 1"
    await connection.close()
    kept = await api.change("PATCH", made["id"], 1, {"status": "archived"})
    assert (kept.status_code, kept.json()["variants"][0]["price"]) == (200, 12_345)
    refused = await api.change("PATCH", made["id"], 2, {"variants": [variant("A", 12_355)]})
    assert [error["code"] for error in refused.json()["errors"]] == ["not_chargeable"]


async def test_an_import_refuses_it_by_its_line(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "products.jsonl"
    rows = [
        {"type": "category", "slug": "shoes", "names": {"ko": "신발"}},
        {
            "type": "product",
            "slug": "odd",
            "category": "shoes",
            "texts": {"ko": {"name": "신발"}},
            "variants": [{"sku": "ODD-1", "price": 999}],
        },
    ]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    refused: list[tuple[int, str]] = []
    importer = Importer(
        database,
        lambda: datetime.now(UTC),
        currency="KWD",
        refuse=lambda line, text: refused.append((line, text)),
    )
    assert (await importer.run(file)).refused == 1
    ((line, text),) = refused
    assert line == 2 and text.startswith("variants.0.price must be a multiple of 10")
