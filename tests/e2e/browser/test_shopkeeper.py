"""A shopkeeper's morning in a browser: what was ordered is sent, money goes back, and what is stuck is freed."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import msgspec
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser.conftest import ADMIN, Visit, newcomer, register, sign_in
from tests.e2e.browser.shopping import paid
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack


def gave_up(stack: Stack, order: dict[str, Any]) -> None:
    """Order has given up asking payment for what it has long: delivered, it does no harm."""
    goal = {
        "amount": order["total"],
        "currency": order["currency"],
        "goal": "capture",
        "reference": order["number"],
        "return_url": "http://localhost/",
        "cancel_url": "http://localhost/",
    }

    async def write() -> None:
        connection = await asyncpg.connect(f"{stack.postgres_url}/orders")
        await connection.execute(
            "INSERT INTO outbox (aggregate, target, method, path, body, attempts, refusals, last_error, "
            "dead_letter_at) VALUES ($1, 'payment', 'PUT', $2, $3, 8, 8, 'status 404: gone', now())",
            f"order:{order['id']}:again",
            f"/internal/payments/{order['id']}",
            msgspec.json.encode(goal),
        )
        await connection.close()

    with ThreadPoolExecutor(1) as apart:  # this thread's event loop is Playwright's
        apart.submit(asyncio.run, write()).result()


def until_gone(page: Page, text: str) -> None:
    for _ in range(40):
        page.goto("/admin/stuck")
        if page.get_by_text(text).count() == 0:
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"{text} is still there")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_shopkeeper_sends_gives_money_back_and_frees_what_is_stuck(
    visit: Visit, stack: Stack, admin: Tokens, script: bool
) -> None:
    order = paid(stack, admin)
    page = visit("/sign-in", java_script_enabled=script)
    sign_in(page, ADMIN)
    page.get_by_role("navigation", name="Main menu").get_by_role("link", name="Admin").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")
    menu = page.get_by_role("navigation", name="Shopkeeper's menu")
    menu.get_by_role("link", name="Orders").click()
    # By a part of the recipient's name, the latest first; then by its number.
    page.get_by_role("main").get_by_role("searchbox").fill(order["address"]["recipient"][1:])
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("row").filter(has_text=order["number"])).to_contain_text(
        order["address"]["recipient"]
    )
    page.get_by_role("link", name="To be sent").click()
    page.get_by_role("main").get_by_role("searchbox").fill(order["number"])
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Order {order['number']}")

    page.get_by_label("Carrier").fill("CJ대한통운")
    page.get_by_label("Tracking number").fill("1234-5678")
    page.get_by_role("button", name="Mark as sent").click()
    expect(page.get_by_text("Marked as sent.")).to_be_visible()
    sent = page.locator(".deeds li").first
    expect(sent).to_contain_text("CJ대한통운 1234-5678")
    expect(sent).to_contain_text(ADMIN.name)
    expect(page.get_by_role("button", name="Mark as sent")).to_have_count(0)

    page.get_by_text("The tracking number is wrong").click()
    page.get_by_label("Tracking number").fill("1234-5679")
    page.get_by_role("button", name="Correct it and tell the customer").click()
    expect(page.get_by_text("Corrected. The customer is told by mail.")).to_be_visible()
    expect(page.locator(".deeds li").first).to_contain_text("CJ대한통운 1234-5679")
    expect(page.locator(".deeds li").nth(1)).to_contain_text("CJ대한통운 1234-5678")
    page.goto(f"/orders/{order['id']}")
    expect(page.get_by_role("main").locator("code")).to_have_text("1234-5679")
    page.goto(f"/admin/orders/{order['id']}")

    page.get_by_role("link", name="Give money back").click()
    page.get_by_label(re.compile("^Units of")).fill("1")
    page.get_by_role("button", name="Show what goes back").click()
    expect(page.get_by_text("Please choose one from the list.")).to_be_visible()
    page.get_by_label("Reason").select_option("damaged")
    page.get_by_role("button", name="Show what goes back").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Give back ₩12,000?")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_label(re.compile("^Units of"))).to_have_value("1")
    page.get_by_role("button", name="Show what goes back").click()
    page.get_by_role("button", name="Give back ₩12,000").click()
    expect(page.get_by_text("The refund is asked for.")).to_be_visible()
    expect(page.locator(".refund-list")).to_contain_text("Arrived damaged")
    expect(page.locator(".refund-list")).to_contain_text(ADMIN.name)

    gave_up(stack, order)
    menu.get_by_role("link", name="Stuck messages").click()
    row = page.get_by_role("row").filter(has_text=order["id"])
    expect(row).to_contain_text("status 404: gone")
    row.get_by_role("button", name="Try message").click()
    expect(page.get_by_text("It is tried again now.")).to_be_visible()
    until_gone(page, order["id"])


def test_two_clicks_are_one_shipment_and_one_refund(visit: Visit, stack: Stack, admin: Tokens) -> None:
    order = paid(stack, admin)
    page = visit("/sign-in")
    sign_in(page, ADMIN)
    twice = """async (selector) => {
        const form = document.querySelector(selector);
        const send = () => fetch(form.action, {
            method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "follow",
        });
        return (await Promise.all([send(), send(), send()])).map((answer) => answer.url);
    }"""
    page.goto(f"/admin/orders/{order['id']}")
    page.get_by_label("Carrier").fill("CJ대한통운")
    assert all("done=shipped" in url for url in page.evaluate(twice, "form.ship"))
    page.goto(f"/admin/orders/{order['id']}/refund")
    page.get_by_label("An amount").check()
    page.get_by_label("Amount", exact=True).fill("1,000")
    page.get_by_label("Reason").select_option("goodwill")
    page.get_by_role("button", name="Show what goes back").click()
    assert all("done=refunded" in url for url in page.evaluate(twice, "main form"))
    page.goto(f"/admin/orders/{order['id']}")
    expect(page.locator(".refund-list > li")).to_have_count(1)
    expect(page.locator(".deeds li").filter(has_text="Sent")).to_have_count(1)


def test_the_shopkeepers_pages_are_not_for_everybody(visit: Visit, stack: Stack, admin: Tokens) -> None:
    order = paid(stack, admin)
    page = visit("/")
    register(page, newcomer())
    expect(page.get_by_role("link", name="Admin")).to_have_count(0)
    texts = set()
    for path in (
        "/members",
        "/admin",
        "/admin/orders",
        f"/admin/orders/{order['id']}",
        f"/admin/orders/{order['id']}/refund",
        "/admin/money",
        "/admin/stuck",
    ):
        answer = page.goto(path)
        assert answer is not None and answer.status == 403, path
        texts.add(re.sub(r"Request id: \S+", "", page.get_by_role("main").inner_text()))
    assert len(texts) == 1, "one answer for all of them, the members' one too"
