"""A real Chromium on the pages of a running stack."""

import email
import os
import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import policy
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.chromium import CHROMIUM, NONE_HERE
from tests.e2e.stack import Stack
from tests.waiting import WITHIN

expect.set_options(timeout=1000 * WITHIN)

SCREENS = Path(__file__).parents[3] / "docs" / "screens"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "a long and private sentence"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, headless.

    A module's, no longer: while Playwright's sync API is open, its event loop counts as running in this thread, and an
    async test that came after would be refused one of its own.
    """
    if CHROMIUM is None:
        pytest.skip(NONE_HERE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Person:
    """Somebody with an account."""

    email: str
    name: str
    password: str = PASSWORD


Visit = Callable[..., Page]


@pytest.fixture
def visit(chromium: Browser, stack: Stack) -> Iterator[Visit]:
    """Opens a browser window of its own, with no cookies; what its pages complain about fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(path: str = "/", **options: Any) -> Page:
        context = chromium.new_context(**{"base_url": stack.frontend_url, "locale": "en-US", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(1000 * WITHIN)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: _keep(complaints, message.text))
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _keep(complaints: list[str], text: str) -> None:
    if "Content Security Policy" in text or "TrustedHTML" in text:
        complaints.append(text)


def newcomer() -> Person:
    """Somebody who has no account yet."""
    unique = uuid.uuid4().hex[:10]
    return Person(f"{unique}@example.com", f"Ada {unique}")


def register(page: Page, person: Person) -> None:
    """From the register page to home."""
    page.goto("/register")
    page.get_by_label("Name").fill(person.name)
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_role("main").get_by_role("button", name="Create your account").click()
    page.get_by_role("heading", name=f"Hello, {person.name}").wait_for()


def sign_in(page: Page, person: Person) -> None:
    """From the sign-in page to wherever it leads."""
    page.goto("/sign-in")
    fill_credentials(page, person.email, person.password)


def fill_credentials(page: Page, address: str, password: str) -> None:
    page.get_by_label("E-mail").fill(address)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_load_state()


ADMIN = Person("test@example.com", "Test Admin", "password123")


@pytest.fixture
def letterbox(stack: Stack) -> Callable[[str, str], str]:
    """The path of the last mailed link to an address that contains `what`, waiting for the mail to arrive."""
    folder = getattr(stack, "directory", None)
    if folder is None:
        pytest.skip("mails are read from devstack's folder")

    def link(address: str, what: str) -> str:
        deadline = time.monotonic() + WITHIN
        while time.monotonic() < deadline:
            for path in sorted((folder / "mail").glob("*.eml"), reverse=True):
                message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
                body = message.get_body(("plain",))
                found = re.search(
                    rf"https?://[^/\s]+({re.escape(what)}\S+)", body.get_content() if body else ""
                )
                if address in str(message["To"]) and found:
                    return found[1]
            time.sleep(0.1)
        raise AssertionError(f"no mail to {address} with a link to {what}")

    return link


@pytest.fixture
def screen() -> Callable[[Page, str], None]:
    """Keeps a picture under docs/screens, where UPDATE_SCREENS is set (`make screens`)."""

    def keep(page: Page, name: str) -> None:
        if os.environ.get("UPDATE_SCREENS"):
            SCREENS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=SCREENS / f"{name}.png")

    return keep
