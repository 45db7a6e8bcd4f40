"""WCAG 2.2 AA by axe-core, from 320 px on, light and dark; and the weight and steadiness of the pages."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response, expect

from frontend_proxy.pages.translator import COOKIE
from tests.e2e.browser.conftest import ADMIN, Visit, sign_in
from tests.e2e.browser.shopping import paid, put_into_cart
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack

PUBLIC = [
    "/",
    "/products",
    "/products?q=nothing-of-this-name",
    "/categories/shoes",
    "/products/haneul-running-shoes",
    "/cart",
    "/orders",
    "/sign-in",
    "/register",
    "/password/forgot",
    "/password/reset?token=x",
    "/email/verify?token=x",
    "/nowhere",
]
PRIVATE = [
    "/",
    "/orders",
    "/account",
    "/account/addresses",
    "/account/sessions",
    "/account/password",
    "/members",
    "/members?q=nobody",
    "/members/new",
    "/admin",
    "/admin/orders",
    "/admin/orders?q=nothing-like-that",
    "/admin/money",
    "/admin/stuck",
    "/admin/products",
    "/admin/products?q=nothing-of-this-name",
    "/admin/products/new",
    "/admin/stock",
    "/admin/categories",
    "/design",
]
SHOPPING = ["/cart", "/checkout"]
"""With something in the cart."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


COLOURS = ["color-contrast", "link-in-text-block"]
"""What of axe's rules looks at colours: half of its work."""


def violations(page: Page) -> list[str]:
    return _violations(page, {"runOnly": {"type": "tag", "values": RULES}})


def violations_but_of_colours(page: Page) -> list[str]:
    left_out = {name: {"enabled": False} for name in COLOURS}
    return _violations(page, {"runOnly": {"type": "tag", "values": RULES}, "rules": left_out})


def violations_in_light_and_dark(page: Page) -> list[str]:
    found = violations(page)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")  # buttons would take 120 ms to turn
    found += _violations(page, {"runOnly": {"type": "rule", "values": COLOURS}})
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    return found


def _violations(page: Page, options: dict[str, object]) -> list[str]:
    # Without resultTypes axe describes each element that it has nothing to say about as well.
    results = Axe().run(page, options={"resultTypes": ["violations"], **options})
    return [
        f"{page.url} {found['id']}: {node['html'][:120]}"
        for found in results.response["violations"]
        for node in found["nodes"]
    ]


# Colours do not depend on the language.
@pytest.mark.parametrize(
    ("language", "all_of"), [("en", violations_in_light_and_dark), ("ko", violations_but_of_colours)]
)
def test_axe_has_nothing_to_object_to(
    visit: Visit, stack: Stack, language: str, all_of: Callable[[Page], list[str]]
) -> None:
    page = visit("/", color_scheme="light", viewport={"width": 1280, "height": 800})
    found: list[str] = []

    def choose(chosen: str) -> None:
        page.context.add_cookies([{"name": COOKIE, "value": chosen, "url": stack.frontend_url}])

    def judge(paths: list[str]) -> None:
        choose(language)
        for path in paths:
            page.goto(path)
            assert page.locator("html").get_attribute("lang") == language
            found.extend(all_of(page))
        choose("en")

    judge(PUBLIC)
    put_into_cart(page, "achim-mug")
    judge(SHOPPING)
    sign_in(page, ADMIN)
    judge(PRIVATE)
    choose(language)
    page.goto("/members")
    page.get_by_role("rowheader").first.get_by_role("link").click()
    found += all_of(page)
    for path in ("/admin/products?q=running", "/admin/stock"):
        page.goto(path)
        page.get_by_role("rowheader").first.get_by_role("link").click()
        page.wait_for_load_state()
        found += all_of(page)
    assert found == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 1280)])
def test_an_orders_pages_have_nothing_to_object_to_and_nothing_cut_off(
    visit: Visit, stack: Stack, admin: Tokens, scheme: str, width: int
) -> None:
    order = f"/admin/orders/{paid(stack, admin)['id']}"
    page = visit("/sign-in", color_scheme=scheme, viewport={"width": width, "height": 800})
    sign_in(page, ADMIN)
    found: list[str] = []
    wide: list[str] = []

    def judge() -> None:
        found.extend(violations(page))
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(page.url)

    for path in (order, f"{order}?done=shipped", "/admin/orders?state=paid", f"{order}/refund"):
        page.goto(path)
        judge()
    page.get_by_role("button", name="Show what goes back").click()  # nothing is chosen
    judge()
    page.get_by_label("An amount").check()
    page.get_by_label("Amount", exact=True).fill("1,000")
    page.get_by_label("Reason").select_option("goodwill")
    page.get_by_role("button", name="Show what goes back").click()
    judge()
    assert (found, wide) == ([], [])


def test_at_320_pixels_nothing_is_cut_off(visit: Visit) -> None:
    page = visit("/", viewport={"width": 320, "height": 640})
    wide, found = [], []
    put_into_cart(page, "achim-mug")
    sign_in(page, ADMIN)
    for path in PRIVATE + PUBLIC[1:] + SHOPPING:
        page.goto(path)
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            wide.append(path)
        found += violations(page)
    assert wide == []
    assert found == []


def test_a_narrow_list_shows_every_column_and_stays_a_table(visit: Visit) -> None:
    page = visit("/", viewport={"width": 320, "height": 640})
    sign_in(page, ADMIN)
    page.goto("/members")
    row = page.get_by_role("table").get_by_role("row").nth(1)
    expect(row.get_by_role("rowheader")).to_have_count(1)
    expect(row.get_by_role("cell")).to_have_count(3)
    for box in (cell.bounding_box() for cell in row.get_by_role("cell").all()):
        assert box is not None and box["width"] > 0 and box["x"] + box["width"] <= 320


def test_what_is_focused_is_seen_and_reached_in_order(visit: Visit) -> None:
    page = visit("/sign-in")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("E-mail")).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_home_is_light_and_stays_still(visit: Visit) -> None:
    page = visit("/sign-in")
    sign_in(page, ADMIN)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    transferred: list[float] = []
    session.on("Network.loadingFinished", lambda event: transferred.append(event["encodedDataLength"]))
    page.goto("/")
    page.wait_for_load_state("networkidle")
    shift = page.evaluate(
        """() => new Promise((resolve) => {
            let total = 0;
            new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) total += entry.value;
            }).observe({ type: "layout-shift", buffered: true });
            setTimeout(() => resolve(total), 300);
        })"""
    )
    assert 0 < sum(transferred) < 350_000
    assert shift == 0


def test_static_files_are_compressed_and_kept_for_a_year(visit: Visit) -> None:
    page = visit("about:blank")
    answers: dict[str, Response] = {}

    def keep(answer: Response) -> None:
        answers[answer.url.rpartition("/")[2]] = answer

    page.on("response", keep)
    page.goto("/")
    page.wait_for_load_state("networkidle")
    for name in ("site.css", "site.js"):
        headers = answers[name].headers
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
        assert headers["content-encoding"] == "gzip"
