"""From the shelf to the paid order, as somebody with a browser does it."""

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import ADMIN, Visit, fill_credentials, newcomer, register
from tests.e2e.browser.shopping import (
    ASKS,
    DECLINED,
    ENGLISH,
    WORDS,
    fill_checkout,
    order_path,
    pay,
    place,
    put_into_cart,
    unique_email,
    wait_until,
)
from tests.e2e.stack import Stack

Letterbox = Callable[[str, str], str]


@pytest.fixture
def visit(visit: Visit, stack: Stack) -> Visit:
    """By the name that the payment page leads back to: cookies are of a name, and not of what it stands for."""
    return partial(visit, base_url=_origin(stack))


def _origin(stack: Stack) -> str:
    return stack.frontend_url.replace("127.0.0.1", "localhost")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("language", ["en-US", "ko-KR"])
def test_a_guest_buys(visit: Visit, language: str, script: bool) -> None:
    words = WORDS[language]
    page = visit("/", locale=language, java_script_enabled=script)
    page.locator(".shelves").get_by_role("link").nth(1).click()
    page.locator(".product-card").first.get_by_role("link").click()
    expect(page.get_by_role("button", name=words.add)).to_be_visible()
    put_into_cart(page, "haneul-running-shoes", words, ("black", "250"))
    expect(page.locator("[data-in-cart]")).to_have_text("1")
    put_into_cart(page, "achim-mug", words)
    page.get_by_role("navigation").get_by_role("link", name=words.cart).click()
    expect(page.locator(".cart-line")).to_have_count(2)
    page.get_by_role("link", name=words.check_out).click()
    fill_checkout(page, unique_email())
    place(page)
    pay(page)
    wait_until(page, words.title_paid)
    expect(page.locator("[data-in-cart]")).to_be_hidden()
    page.goto("/orders")
    expect(page.locator(".order-card .badge")).to_have_text(words.paid)


def test_a_declined_card_leads_back_and_an_asking_one_is_confirmed(visit: Visit) -> None:
    page = visit("/")
    put_into_cart(page, "hanji-notebook")
    page.goto("/checkout")
    fill_checkout(page, unique_email())
    place(page)
    pay(page, DECLINED)
    expect(page.get_by_role("alert")).to_contain_text("declined")
    page.get_by_role("link", name="Cancel and go back").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your order waits for its payment")
    page.get_by_role("link", name="Pay ").click()
    page.wait_for_url("**/pay/cs_**")
    pay(page, ASKS)
    page.get_by_role("button", name="Confirm").click()
    wait_until(page, ENGLISH.title_paid)


def test_a_guests_cart_comes_along_when_they_sign_in_and_accounts_are_not_for_guests(visit: Visit) -> None:
    person = newcomer()
    register(visit("/"), person)
    page = visit("/")
    put_into_cart(page, "achim-mug")
    page.goto("/account")
    expect(page).to_have_url("/sign-in?next=/account")
    fill_credentials(page, person.email, person.password)
    expect(page).to_have_url("/account")
    expect(page.locator("[data-in-cart]")).to_have_text("1")
    page.goto("/cart")
    expect(page.locator(".cart-line")).to_have_count(1)


def test_a_member_orders_to_an_address_of_the_book_and_cancels(visit: Visit) -> None:
    page = visit("/")
    person = newcomer()
    register(page, person)
    put_into_cart(page, "achim-mug")
    page.goto("/checkout")
    expect(page.locator("[name=email]")).to_have_value(person.email)
    fill_checkout(page, recipient="Ada")
    page.get_by_label("Keep this address").check()
    place(page)
    pay(page)
    wait_until(page, ENGLISH.title_paid)
    page.get_by_text("Cancel the order").click()
    page.get_by_role("button", name="Yes, cancel it").click()
    wait_until(page, "This order is refunded")
    expect(page.get_by_text("010-1234-5678")).to_be_visible()
    put_into_cart(page, "hanji-notebook")
    page.goto("/checkout")
    expect(page.get_by_role("radio", name=re.compile("Ada"))).to_be_checked()
    expect(page.locator("[name=line1]")).to_be_hidden()


def test_what_was_cancelled_is_put_into_the_cart_again(visit: Visit) -> None:
    page = visit("/", java_script_enabled=False)
    put_into_cart(page, "hanji-notebook")
    page.goto("/checkout")
    fill_checkout(page, unique_email())
    place(page)
    page.get_by_role("link", name="Cancel and go back").click()
    page.get_by_text("Cancel the order").click()
    page.get_by_role("button", name="Yes, cancel it").click()
    wait_until(page, "This order is cancelled")
    page.get_by_role("button", name="Put it all into the cart again").click()
    expect(page).to_have_url("/cart")
    expect(page.locator(".cart-line")).to_have_count(1)


def test_sending_the_checkout_twice_is_one_order(visit: Visit) -> None:
    page = visit("/")
    put_into_cart(page, "hanji-notebook")
    page.goto("/checkout")
    fill_checkout(page, unique_email())
    form: dict[str, Any] = page.evaluate(
        "Object.fromEntries(new FormData(document.querySelector('form.cart-layout')))"
    )
    places = [
        page.request.post("/checkout", form=form, max_redirects=0).headers["location"].removesuffix("/pay")
        for _ in range(2)
    ]
    assert places[0] == places[1]
    page.goto("/orders")
    expect(page.locator(".order-card")).to_have_count(1)


def test_another_total_is_shown_before_it_is_paid(visit: Visit, stack: Stack) -> None:
    page = visit("/")
    put_into_cart(page, "iyagi-picture-book")
    page.goto("/checkout")
    fill_checkout(page, unique_email())
    with _price(stack, "iyagi-picture-book", 17_500):
        page.get_by_role("button", name="Order and pay").click()
        expect(page.get_by_role("alert")).to_contain_text("from ₩19,000 to ₩20,500")
        expect(page.locator("[name=recipient]")).to_have_value("김민지")
        page.goto("/cart")
        expect(page.get_by_text("The price changed from ₩16,000 to ₩17,500")).to_be_visible()


def test_a_mailed_link_opens_an_order_without_a_session(visit: Visit, letterbox: Letterbox) -> None:
    page = visit("/")
    put_into_cart(page, "achim-mug")
    page.goto("/checkout")
    address = unique_email()
    fill_checkout(page, address)
    place(page)
    link = letterbox(address, "/orders/")
    elsewhere = visit(link)
    expect(elsewhere.get_by_role("heading", level=1)).to_have_text("Your order waits for its payment")
    expect(elsewhere.get_by_text("서울특별시")).to_be_visible()
    elsewhere.goto(link.partition("?")[0])
    expect(elsewhere.get_by_text("Open the link in the mail")).to_be_visible()
    assert order_path(elsewhere)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_sold_out_choice_says_so(visit: Visit, script: bool) -> None:
    page = visit("/products/haneul-running-shoes", java_script_enabled=script)
    page.locator("input[value='blue']").check()
    page.locator("input[value='270']").check()
    if script:
        expect(page.get_by_role("button", name="Sold out")).to_be_disabled()
        page.locator("input[value='black']").check()
        expect(page.get_by_role("button", name="Add to cart")).to_be_enabled()
    else:
        page.get_by_role("button", name="Add to cart").click()
        expect(page.get_by_role("alert")).to_contain_text("sold out")
        page.locator("input[value='black']").check()
        page.get_by_role("button", name="Show this choice").click()
        expect(page.get_by_role("button", name="Add to cart")).to_be_enabled()


def test_products_are_suggested_while_typing_and_reached_by_keys(visit: Visit) -> None:
    page = visit("/", locale="ko-KR")
    field = page.get_by_role("combobox")
    field.press_sequentially("운동")
    expect(page.get_by_role("option").first).to_be_visible()
    field.press("ArrowDown")
    expect(page.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    field.press("Enter")
    page.wait_for_url("**/products/*")
    page.goto("/")
    page.get_by_role("combobox").fill("세상에 없는 것")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="찾는 상품이 없습니다")).to_be_visible()
    page.get_by_role("combobox").fill("가방")
    page.keyboard.press("Enter")
    page.get_by_role("main").get_by_role("link", name="가방", exact=True).click()
    expect(page).to_have_url("/categories/bags")


def test_lists_are_narrowed_sorted_and_kept_in_their_address(visit: Visit) -> None:
    page = visit("/products", java_script_enabled=False, viewport={"width": 1280, "height": 800})
    page.get_by_role("link", name=re.compile(r"^Shoes \d")).click()
    expect(page).to_have_url("/categories/shoes")
    page.get_by_role("link", name="Price: low").click()
    prices = [int(re.sub(r"\D", "", text)) for text in page.locator(".product-card strong").all_inner_texts()]
    assert prices == sorted(prices) and len(prices) > 2
    page.get_by_role("link", name="In stock only").click()
    expect(page).to_have_url("/categories/shoes?in_stock=true&sort=price")
    expect(page.locator(".badge.out")).to_have_count(0)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("\u3164\u200b \u2800", "공백만으로는 안 됩니다"),
        ("가" * 101, "100자 이하로"),
        ("민지\u0007", "사용할 수 없는 문자"),
    ],
    ids=["invisible", "too long", "control"],
)
def test_a_name_that_cannot_be_read_is_answered_beside_its_field(visit: Visit, typed: str, said: str) -> None:
    page = visit("/", locale="ko-KR")
    put_into_cart(page, "achim-mug", WORDS["ko-KR"])
    page.goto("/checkout")
    fill_checkout(page, unique_email())
    # As a browser without these checks would send it.
    page.evaluate(
        """() => {
            const form = document.querySelector("form.cart-layout");
            form.noValidate = true;
            for (const input of form.querySelectorAll("[maxlength]")) input.removeAttribute("maxlength");
        }"""
    )
    page.locator("[name=recipient]").fill(typed)
    page.locator("[name=phone]").fill("12")
    page.get_by_role("main").locator("aside").get_by_role("button").click()
    beside = page.locator("#e-recipient")
    expect(beside).to_contain_text(said)
    expect(page.locator("[name=recipient]")).to_have_attribute("aria-describedby", "e-recipient")
    expect(page.locator("#e-phone")).to_contain_text("전화번호")


def test_search_engines_are_told_what_a_product_is(visit: Visit, stack: Stack) -> None:
    page = visit("/products/haneul-running-shoes")
    told = json.loads(page.locator("script[type='application/ld+json']").text_content() or "")
    assert (told["@type"], told["offers"]["price"], told["offers"]["priceCurrency"]) == (
        "Product",
        "89000",
        "KRW",
    )
    assert httpx.get(told["image"][0]).headers["content-type"] == "image/webp"
    canonical = f"{_origin(stack)}/products/haneul-running-shoes"
    assert page.locator("link[rel=canonical]").get_attribute("href") == canonical
    assert page.locator("meta[property='og:title']").get_attribute("content") == "Haneul running shoes"
    robots = httpx.get(f"{_origin(stack)}/robots.txt").text
    assert "Disallow: /cart" in robots and f"Sitemap: {_origin(stack)}/sitemap.xml" in robots
    assert f"<loc>{canonical}</loc>" in httpx.get(f"{_origin(stack)}/sitemap.xml").text


class _price:  # noqa: N801 - a context in which a product has another price
    def __init__(self, stack: Stack, slug: str, price: int) -> None:
        self._base, self._slug, self._price = stack.gateway_url, slug, price

    def __enter__(self) -> None:
        credentials = {"email": ADMIN.email, "password": ADMIN.password}
        token = httpx.post(f"{self._base}/api/auth/login", json=credentials).json()["access_token"]
        self._client = httpx.Client(base_url=self._base, headers={"Authorization": f"Bearer {token}"})
        self._id = self._client.get(f"/api/products/{self._slug}").json()["id"]
        self._before = self._set(self._price)

    def __exit__(self, *_: object) -> None:
        self._set(self._before)
        self._client.close()

    def _set(self, price: int) -> int:
        answer = self._client.get(f"/api/products/{self._id}")
        variants = answer.json()["variants"]
        before: int = variants[0]["price"]
        changed = self._client.patch(
            f"/api/products/{self._id}",
            json={"variants": [{**variants[0], "price": price}, *variants[1:]]},
            headers={"If-Match": answer.headers["ETag"]},
        )
        assert changed.status_code == 200, changed.text
        return before
