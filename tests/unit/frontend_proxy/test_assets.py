"""What a page has to load before it is painted, and what it loads afterwards."""

from pathlib import Path

from frontend_proxy.pages.assets import Assets

ASSETS = Assets(Path("frontend_proxy/static"))
KIB = 1024


def compressed(ending: str) -> int:
    return sum(len(asset.gzipped or b"") for name, asset in ASSETS._files.items() if name.endswith(ending))


def test_style_and_script_stay_small() -> None:
    assert compressed(".css") < 20 * KIB
    assert compressed(".js") < 15 * KIB


def test_the_parts_of_the_sheet_are_one_file_in_the_order_of_their_names() -> None:
    sheets = [name for name in ASSETS._files if name.endswith(".css")]
    assert sheets == ["css/site.css"]
    text = ASSETS._files["css/site.css"].plain.decode()
    assert text.index("--accent:") < text.index(".product-card") < text.index("@media print")
