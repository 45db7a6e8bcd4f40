"""Files in and out: every bad row is named with its line, nothing of it is half done, and repeating changes nothing."""

import codecs
import csv
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from services.catalog.adapters import demo_data
from services.catalog.adapters.exporting import Exporter
from services.catalog.adapters.importing import Importer, Report
from services.catalog.adapters.interchange import COLUMNS
from services.catalog.adapters.products_postgres import PostgresProducts
from services.catalog.commands import MIGRATIONS
from services.chassis.migrations import migrate
from services.chassis.postgres import Database
from tests.stores.catalog.replicas import command

CATEGORY = {"type": "category", "slug": "shoes", "names": {"ko": "신발"}}


@pytest.fixture
async def database(new_postgres_database: Callable[[], str]) -> AsyncIterator[Database]:
    database = Database(new_postgres_database(), application="catalog tests")
    async with database.lifespan():
        await migrate(database, *MIGRATIONS)
        yield database


def product(slug: str, sku: str, price: int = 1_000, **changes: Any) -> dict[str, Any]:
    return {
        "type": "product",
        "slug": slug,
        "category": "shoes",
        "status": "active",
        "texts": {"ko": {"name": f"상품 {slug}"}},
        "variants": [{"sku": sku, "price": price, **changes.pop("variant", {})}],
        **changes,
    }


async def imported(database: Database, path: Path) -> tuple[Report, list[tuple[int, str]]]:
    refused: list[tuple[int, str]] = []
    report = await Importer(
        database,
        lambda: datetime.now(UTC),
        currency="KRW",
        refuse=lambda line, text: refused.append((line, text)),
    ).run(path)
    return report, refused


def lines(path: Path, *rows: Any) -> Path:
    path.write_text(
        "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8"
    )
    return path


async def test_what_is_exported_is_imported_as_it_was(
    database: Database, new_postgres_database: Callable[[], str], tmp_path: Path
) -> None:
    await demo_data.load(database, "KRW")
    for name in ("all.jsonl", "all.csv"):
        assert await Exporter(database).run(tmp_path / name) == 30
    assert (tmp_path / "all.csv").read_bytes().startswith(codecs.BOM_UTF8), "Excel guesses otherwise"
    report, refused = await imported(database, tmp_path / "all.jsonl")
    assert (report, refused) == (Report(same=36), [])
    report, refused = await imported(database, tmp_path / "all.csv")
    assert (report, refused) == (Report(same=30), [])
    other = Database(new_postgres_database(), application="catalog tests")
    async with other.lifespan():
        await migrate(other, *MIGRATIONS)
        report, refused = await imported(other, tmp_path / "all.jsonl")
        assert (report, refused) == (Report(made=36), [])
        await Exporter(other).run(tmp_path / "again.jsonl")
    # The order is by time of creation, which a file does not carry.
    before, after = (
        sorted((tmp_path / name).read_text(encoding="utf-8").splitlines())
        for name in ("all.jsonl", "again.jsonl")
    )
    assert before == after


async def test_a_bad_row_is_named_and_the_others_are_done(database: Database, tmp_path: Path) -> None:
    await imported(database, lines(tmp_path / "first.jsonl", CATEGORY, product("taken", "TAKEN")))
    path = lines(
        tmp_path / "file.jsonl",
        product("good", "GOOD", variant={"on_hand": 5}),
        "{not json",
        "",
        product("bad-price", "BAD", -1),
        product("bad-category", "BAD", category="nothing"),
        product("bad-sku", "TAKEN"),
        product("bad-stock", "BAD-STOCK", variant={"on_hand": -1}),
        product("last", "LAST"),
    )
    report, refused = await imported(database, path)
    assert report == Report(made=2, refused=5)
    assert [line for line, _ in refused] == [2, 4, 5, 6, 7]
    assert refused[1][1] == "variants.0.price must be at least 0"
    store = PostgresProducts(database)
    for slug in ("bad-price", "bad-category", "bad-sku", "bad-stock"):
        assert await store.find(slug) is None, slug
    assert await store.find("last") is not None


async def test_a_csv_names_the_line_of_each_bad_variant(database: Database, tmp_path: Path) -> None:
    await imported(database, lines(tmp_path / "first.jsonl", CATEGORY))
    options = (
        '[{"code": "size", "names": {"ko": "크기"}, "values": [{"code": "s", "names": {"ko": "작은"}}]}]'
    )
    rows = [
        {"slug": "shoe", "category": "shoes", "name_ko": "신", "sku": "A", "price": "100", "values": "s"}
        | {"options": options},
        {"sku": "B", "price": "100", "values": "xl"},
        {"slug": "boot", "category": "shoes", "name_ko": "장화", "sku": "C", "price": "ten"},
        {"slug": "sock", "category": "shoes", "name_ko": "양말,\n두 켤레", "sku": "D", "price": "300", "on_hand": "7"},
    ]  # fmt: skip
    path = tmp_path / "file.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    report, refused = await imported(database, path)
    assert report == Report(made=1, refused=2)
    assert [line for line, _ in refused] == [3, 4]
    assert "variants.1.values" in refused[0][1]
    rows_of_stock = await database.fetch("SELECT on_hand FROM stock")
    assert [row["on_hand"] for row in rows_of_stock] == [7]


@pytest.mark.parametrize(
    ("header", "said"),
    [("slug,price", "there is no column sku"), ("slug,sku,price,colour", "unknown column colour")],
)
async def test_a_file_with_other_columns_is_refused_whole(
    database: Database, tmp_path: Path, header: str, said: str
) -> None:
    path = tmp_path / "file.csv"
    path.write_text(header + "\na,b,c,d\n", encoding="utf-8")
    report, refused = await imported(database, path)
    assert (report, refused) == (Report(refused=1), [(1, said)])


async def test_an_import_that_was_interrupted_goes_on_where_it_was(
    database: Database, tmp_path: Path
) -> None:
    path = lines(tmp_path / "file.jsonl", CATEGORY, *(product(f"p{n}", f"P{n}") for n in range(6)))
    done = count(1)

    def interrupt() -> None:
        if next(done) == 4:
            raise KeyboardInterrupt

    importer = Importer(
        database, lambda: datetime.now(UTC), currency="KRW", refuse=lambda *_: None, done=interrupt
    )
    with pytest.raises(KeyboardInterrupt):
        await importer.run(path)
    report, _ = await imported(database, path)
    assert report == Report(made=3, same=4)
    path = lines(
        tmp_path / "file.jsonl", product("p0", "P0", 2_000), product("p1", "P1", variant={"on_hand": 3})
    )
    report, _ = await imported(database, path)
    assert report == Report(changed=2)


async def test_the_commands_say_by_their_exit_status_how_it_went(
    new_postgres_database: Callable[[], str], tmp_path: Path
) -> None:
    url = new_postgres_database()
    path = lines(tmp_path / "file.jsonl", CATEGORY, product("shoe", "SHOE", variant={"on_hand": 2}))
    good = command(url, "import", str(path))
    assert (good.returncode, good.stdout) == (0, "2 made, 0 changed, 0 as they were, 0 refused\n"), (
        good.stderr
    )
    bad = command(url, "import", str(lines(tmp_path / "bad.jsonl", product("x", "bad sku"))))
    assert (bad.returncode, bad.stderr) == (
        1,
        "line 1: variants.0.sku must be letters, digits, dots, hyphens and underscores, such as SHOE-250\n",
    )
    assert command(url, "import", str(tmp_path / "nothing.csv")).returncode == 2
    assert command(url, "no-such-command").returncode == 2
    exported = command(url, "export", str(tmp_path / "out.csv"))
    assert (exported.returncode, exported.stdout) == (0, "1 products\n")
    assert command(url, "audit-stock").returncode == 0
    database = Database(url, application="catalog tests")
    async with database.lifespan(), database.transaction() as connection:
        await connection.execute("UPDATE stock SET on_hand = 3")
    audit = command(url, "audit-stock")
    assert (audit.returncode, audit.stdout) == (
        1,
        "SHOE: on hand 3, by the journal 2; reserved 0, by the reservations 0\n1 differences\n",
    )
