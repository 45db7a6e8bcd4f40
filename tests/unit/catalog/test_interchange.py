"""Files that cannot be read are reported by line, whatever is in them."""

from pathlib import Path

import pytest

from services.catalog.adapters.interchange import read


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deep.jsonl", b'{"type": "product", "options": ' + b"[" * 100_000),
        ("deep.csv", b"slug,sku,price,options\na,A,1," + b"[" * 100_000 + b"\n"),
        ("utf16.csv", "slug,sku,price\n".encode("utf-16")),
        ("half.csv", b"slug,sku,price\na,\xff,1\n"),
        ("open.csv", b'"slug,sku\n'),
    ],
)
def test_a_file_that_cannot_be_read_is_a_line_with_a_fault(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    (found,) = read(file)
    assert found.row is None and found.fault
