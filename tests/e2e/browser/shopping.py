"""What shoppers do in a browser, in both languages, with JavaScript and without."""

import re
import time
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.checkouts import Shopper, stocked
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack

GOOD, DECLINED, ASKS = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0025 0000 3155"


@dataclass(frozen=True)
class Words:
    """What a shopper reads."""

    add: str
    cart: str
    check_out: str
    paid: str
    unpaid: str
    title_paid: str


ENGLISH = Words(
    "Add to cart", "Cart", "Check out", "Paid", "Waiting for payment", "Thank you, your order is paid"
)
KOREAN = Words(
    "장바구니 담기", "장바구니", "주문하기", "결제 완료", "결제 대기", "감사합니다, 결제가 완료되었습니다"
)
WORDS = {"en-US": ENGLISH, "ko-KR": KOREAN}


def put_into_cart(page: Page, slug: str, words: Words = ENGLISH, choose: tuple[str, ...] = ()) -> None:
    """From a product's page, until the page has said so."""
    page.goto(f"/products/{slug}")
    for value in choose:
        page.locator(f"input[value='{value}']").check()
    page.get_by_role("button", name=words.add).click()
    expect(
        page.locator("[data-toasts], main").get_by_role("link", name=re.compile("Go to cart|장바구니 보기"))
    ).to_be_visible()


def fill_checkout(page: Page, email: str | None = None, recipient: str = "김민지") -> None:
    """A Korean postal address, as people type it."""
    if email is not None:
        page.locator("[name=email]").fill(email)
    page.locator("[name=phone]").fill("010-1234-5678")
    page.locator("[name=recipient]").fill(recipient)
    page.locator("[name=postal_code]").fill("04524")
    page.locator("[name=city]").fill("서울특별시")
    page.locator("[name=line1]").fill("중구 세종대로 110")


def place(page: Page) -> None:
    """From the checkout to the payment page."""
    page.get_by_role("main").locator("aside").get_by_role("button").click()
    page.wait_for_url("**/pay/cs_**")


def pay(page: Page, card: str = GOOD) -> None:
    page.locator("#card").fill(card)
    page.get_by_role("button").first.click()


def wait_until(page: Page, title: str) -> None:
    """Until the order's page says so: it looks again by itself."""
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def order_path(page: Page) -> str:
    found = re.search(r"/orders/[0-9a-f-]{36}", page.url)
    assert found, page.url
    return found[0]


def paid(stack: Stack, admin: Tokens) -> dict[str, Any]:
    """An order of three units of one product, paid."""
    shopper = Shopper(stack)
    id_ = shopper.held(stocked(stack, admin), 3)
    shopper.card(shopper.page(id_), GOOD)
    return shopper.becomes(id_, "paid")


def unique_email() -> str:
    return f"guest-{time.time_ns()}@example.com"
