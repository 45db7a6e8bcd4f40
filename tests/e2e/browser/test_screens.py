"""The main pages with the demo shop's own data, as the README shows them: a walk that also holds their layout."""

import time
from collections.abc import Callable
from functools import partial

from playwright.sync_api import Page, expect

from tests.e2e.browser.conftest import ADMIN, Visit, sign_in
from tests.e2e.browser.shopping import ENGLISH, KOREAN, fill_checkout, pay, place, put_into_cart, wait_until
from tests.e2e.browser.test_accessibility import violations
from tests.e2e.stack import Stack

Screen = Callable[[Page, str], None]
AXE = {"shop-cart", "shop-checkout", "shop-order", "shop-phone"}
"""Those that the other tests do not look at in this state."""
SHOWN = {"shop-home", "shop-list", "shop-product", "shop-checkout", "shop-order"}
"""Those whose pictures the README has."""
WIDE = {"viewport": {"width": 1280, "height": 860}}


def test_the_shop_as_the_readme_shows_it(visit: Visit, screen: Screen, stack: Stack) -> None:
    visit = partial(visit, base_url=stack.frontend_url.replace("127.0.0.1", "localhost"))
    page = visit("/products", **WIDE)
    _keep(page, screen, "shop-list")
    page.goto("/products?q=shoes&in_stock=true&sort=price")
    _keep(page, screen, "shop-search")
    dark = visit("/products/haneul-running-shoes", **WIDE, color_scheme="dark", locale="ko-KR")
    _keep(dark, screen, "shop-product")
    put_into_cart(dark, "haneul-running-shoes", KOREAN, ("black", "250"))
    put_into_cart(dark, "achim-mug", KOREAN)
    dark.goto("/cart")
    _keep(dark, screen, "shop-cart")
    put_into_cart(page, "achim-mug", ENGLISH)
    put_into_cart(page, "damyo-wool-cardigan", ENGLISH)
    page.goto("/checkout")
    fill_checkout(page, "minji@example.com")
    _keep(page, screen, "shop-checkout")
    place(page)
    pay(page)
    wait_until(page, ENGLISH.title_paid)
    _keep(page, screen, "shop-order")
    home = visit("/", **WIDE)
    _until_pictures(home)
    _keep(home, screen, "shop-home")
    sign_in(home, ADMIN)
    home.goto("/admin/products?q=haneul")
    home.get_by_role("rowheader").first.get_by_role("link").click()
    expect(home.locator("[name=name_ko]")).to_be_visible()
    _keep(home, screen, "admin-product")
    phone = visit("/", viewport={"width": 390, "height": 844}, locale="ko-KR", device_scale_factor=2)
    _keep(phone, screen, "shop-phone")


def _until_pictures(page: Page) -> None:
    """The demo's pictures come some seconds after its products."""
    deadline = time.monotonic() + 60
    while page.locator(".aisles img").count() < 6 or page.locator(".hero-shelf img").count() < 3:
        assert time.monotonic() < deadline, "no pictures"
        page.wait_for_timeout(500)
        page.reload()


def _keep(page: Page, screen: Screen, name: str) -> None:
    """Whole pictures in place, nothing wider than the window, and no picture that is missing."""
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    broken = page.evaluate(
        "[...document.images].filter((image) => image.complete && !image.naturalWidth).map((image) => image.src)"
    )
    assert broken == []
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if name in AXE:
        assert violations(page) == []
    if name in SHOWN:
        screen(page, name)
