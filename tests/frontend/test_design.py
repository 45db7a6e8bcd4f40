"""/design shows every component, in both languages and colour schemes, and production has no such page."""

import re
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

from frontend_proxy.app import ROOT
from tests.frontend.conftest import Front, Start
from tests.frontend.shopping import PAGE, look

PAGES: Path = ROOT / "pages"
COMPONENTS = ("components.html", "parts.html")


def parsed(path: Path) -> nodes.Template:
    return jinja2.Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", COMPONENTS)
def test_every_component_stands_on_the_page(file: str) -> None:
    macros = {macro.name for macro in parsed(PAGES / "shared" / file).find_all(nodes.Macro)}
    page = parsed(PAGES / "design" / "design.html")
    used = {call.node.name for call in page.find_all(nodes.Call) if isinstance(call.node, nodes.Name)}
    assert {name for name in macros if not name.startswith("_")} <= used


async def test_the_page_is_shown_in_both_languages_and_schemes(front: Front) -> None:
    status, html = await look(front, "/design")
    assert status == 200 and "Components" in html
    assert "/design/dark.css" not in html
    _, html = await look(front, "/design?scheme=dark&lang=ko")
    assert "구성 요소" in html and '<link rel="stylesheet" href="/design/dark.css">' in html


@pytest.mark.parametrize(("scheme", "paper"), [("light", "#fbfaf8"), ("dark", "#0f1216")])
async def test_a_schemes_sheet_is_the_sites_own(front: Front, scheme: str, paper: str) -> None:
    async with front.browser.get(f"{front.url}/design/{scheme}.css") as answer:
        text = await answer.text()
        assert (answer.status, answer.content_type) == (200, "text/css")
    assert f"--paper: {paper};" in text and f"color-scheme: {scheme};" in text
    assert len(re.findall(r"--[a-z-]+:", text)) > 15 and text.count("{") == text.count("}") == 1
    assert (await look(front, "/design/other.css"))[0] == 404


async def test_in_production_there_is_none(start: Start) -> None:
    front: Front = await start(app_env="production", public_origin="https://shop.example")
    headers = {**PAGE, "Host": "shop.example", "X-Forwarded-Proto": "https"}
    for path in ("/design", "/design/dark.css"):
        async with front.browser.get(front.url + path, headers=headers, allow_redirects=False) as answer:
            assert answer.status == 404
    async with front.browser.get(f"{front.url}/sign-in", headers=headers) as answer:
        assert answer.status == 200, "the host is right: it is the page that there is not"
