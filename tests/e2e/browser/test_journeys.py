"""What people come here for, in a browser, through the proxy, the gateway and the services."""

import base64
import json
import time
from collections.abc import Callable
from urllib.parse import quote

from playwright.sync_api import Page, expect

from tests.e2e.browser.conftest import ADMIN, Visit, fill_credentials, newcomer, register, sign_in
from tests.e2e.stack import Stack

Letterbox = Callable[[str, str], str]


def test_register_see_home_and_sign_out(visit: Visit) -> None:
    page = visit("/")
    person = newcomer()
    register(page, person)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Hello, {person.name}")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.goto("/account")
    expect(page).to_have_url("/sign-in?next=/account")
    fill_credentials(page, person.email, person.password)
    expect(page).to_have_url("/account")


def test_no_token_is_where_a_script_or_an_address_could_show_it(visit: Visit) -> None:
    page = visit("/")
    bodies: list[str] = []
    addresses: list[str] = []
    page.on("response", lambda answer: addresses.append(answer.url))
    page.on("response", lambda answer: bodies.append(answer.text()) if answer.status == 200 else None)
    register(page, newcomer())
    page.goto("/account")
    kept = page.evaluate(
        "JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, location.href])"
    )
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    tokens = [cookies[name]["value"] for name in ("access_token", "refresh_token")]
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Lax" for cookie in cookies.values())
    for token in tokens:
        assert token not in kept
        assert not any(token in text for text in bodies + addresses)


def test_a_wrong_password_says_no_more_than_an_unknown_account(visit: Visit) -> None:
    page = visit("/sign-in")
    said = []
    for address in (ADMIN.email, newcomer().email):
        fill_credentials(page, address, "not the password")
        said.append(page.get_by_role("alert").inner_text())
        expect(page.get_by_label("E-mail")).to_have_value(address)
        expect(page.get_by_label("Password", exact=True)).to_have_value("")
    assert said == ["E-mail or password is not right."] * 2


def test_an_expired_session_is_renewed_unseen(visit: Visit) -> None:
    page = visit("/")
    person = newcomer()
    register(page, person)
    before = _age_the_access_token(page)
    page.goto("/account")
    expect(page.get_by_label("Name")).to_have_value(person.name)
    assert page.url.endswith("/account")
    assert _access_token(page) != before


def test_an_expired_session_does_not_lose_a_form(visit: Visit) -> None:
    page = visit("/")
    register(page, newcomer())
    page.goto("/account")
    page.get_by_label("Name").fill("Grace Hopper")
    _age_the_access_token(page)
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Grace Hopper")


def test_two_tabs_renew_one_session(visit: Visit) -> None:
    first = visit("/")
    register(first, newcomer())
    second = first.context.new_page()
    _age_the_access_token(first)
    first.evaluate("() => { Promise.all([fetch('/api/home'), fetch('/api/auth/sessions')]); }")
    second.goto("/account/sessions")
    expect(second.get_by_text("This device")).to_have_count(1)
    first.goto("/account")
    expect(first.get_by_role("heading", name="Account")).to_be_visible()


def test_confirm_the_mailed_address(visit: Visit, letterbox: Letterbox) -> None:
    page = visit("/")
    person = newcomer()
    register(page, person)
    link = letterbox(person.email, "/email/verify")
    page.goto(link)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Your e-mail is confirmed.")).to_be_visible()
    page.goto(link)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert")).to_contain_text("has been used")


def test_a_forgotten_password_is_replaced_and_every_device_signed_out(
    visit: Visit, letterbox: Letterbox
) -> None:
    elsewhere = visit("/")
    person = newcomer()
    register(elsewhere, person)
    page = visit("/sign-in")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail", exact=True).fill(person.email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("a link is on its way")).to_be_visible()
    page.goto(letterbox(person.email, "/password/reset"))
    page.get_by_label("New password").fill("short")
    page.get_by_label("New password").evaluate("field => field.removeAttribute('minlength')")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_label("New password")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("New password").fill("another private sentence")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    fill_credentials(page, person.email, "another private sentence")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Hello, {person.name}")
    elsewhere.goto("/account")
    expect(elsewhere).to_have_url("/sign-in?next=/account")


def test_the_address_to_sign_in_with_is_changed_with_the_password_and_the_mailed_link(
    visit: Visit, letterbox: Letterbox
) -> None:
    page = visit("/")
    person = newcomer()
    register(page, person)
    page.goto("/account")
    page.get_by_role("main").get_by_role("link", name="Change", exact=True).click()
    page.get_by_label("New e-mail").fill(f"moved-{person.email}")
    page.get_by_label("Current password").fill("a guess")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_label("Current password")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Current password").fill(person.password)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("Waiting to be confirmed:")).to_be_visible()
    page.goto(letterbox(f"moved-{person.email}", "/email/verify"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Your e-mail is confirmed.")).to_be_visible()
    # The session goes on; signing in takes the new address.
    page.goto("/account/email")
    expect(page.get_by_text(f"moved-{person.email}")).to_be_visible()
    elsewhere = visit("/sign-in")
    fill_credentials(elsewhere, person.email, person.password)
    expect(elsewhere.get_by_role("alert")).to_be_visible()
    fill_credentials(elsewhere, f"moved-{person.email}", person.password)
    expect(elsewhere.get_by_role("heading", level=1)).to_have_text(f"Hello, {person.name}")


def test_a_change_of_address_is_taken_back(visit: Visit) -> None:
    page = visit("/")
    person = newcomer()
    register(page, person)
    page.goto("/account/email")
    page.get_by_label("New e-mail").fill(f"moved-{person.email}")
    page.get_by_label("Current password").fill(person.password)
    page.get_by_role("button", name="Send the link").click()
    page.get_by_role("button", name="Take the change back").click()
    expect(page.get_by_text("The change is taken back.")).to_be_visible()
    expect(page.get_by_text("Waiting to be confirmed:")).to_have_count(0)


def test_a_stale_profile_is_not_overwritten_unseen(visit: Visit) -> None:
    page = visit("/")
    register(page, newcomer())
    page.goto("/account")
    other = page.context.new_page()
    other.goto("/account")
    other.get_by_label("Phone").fill("010-1234-5678")
    other.get_by_role("button", name="Save changes").click()
    expect(other.get_by_label("Phone")).to_have_value("+821012345678")
    page.get_by_label("Name").fill("Hedy Lamarr")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("alert")).to_contain_text("while you were editing")
    expect(page.get_by_text("Stored meanwhile: +821012345678")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Hedy Lamarr")
    page.get_by_label("Phone").fill("+821012345678")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def test_addresses_are_added_and_removed(visit: Visit) -> None:
    page = visit("/")
    register(page, newcomer())
    page.goto("/account/addresses")
    for label, text in (
        ("Recipient", "Kim Minji"),
        ("Street address", "2-8-1 Nishi-Shinjuku"),
        ("Postal code", "163-8001"),
        ("City", "Tokyo"),
    ):
        page.get_by_label(label).fill(text)
    expect(page.get_by_label("Country")).to_have_value("KR")
    page.get_by_label("Country").select_option(label="Japan")
    page.get_by_role("button", name="Add address").click()
    expect(page.get_by_text("163-8001 Tokyo, Japan")).to_be_visible()
    page.get_by_role("button", name="Remove the address of Kim Minji").click()
    expect(page.get_by_text("No address yet.")).to_be_visible()


def test_sign_out_another_device(visit: Visit) -> None:
    person = newcomer()
    phone = visit("/", user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/605.1")
    register(phone, person)
    page = visit("/")
    sign_in(page, person)
    page.goto("/account/sessions")
    row = page.get_by_role("listitem").filter(has_text="Safari · iPhone")
    row.get_by_role("button", name="Sign out this device").click()
    expect(page.get_by_text("That device is signed out.")).to_be_visible()
    expect(row).to_have_count(0)
    phone.goto("/account")
    expect(phone).to_have_url("/sign-in?next=/account")


def test_a_changed_password_counts_at_once(visit: Visit) -> None:
    person = newcomer()
    page = visit("/")
    register(page, person)
    page.goto("/account/password")
    page.get_by_label("Current password").fill("not it at all")
    page.get_by_label("New password").fill("another private sentence")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Current password").fill(person.password)
    page.get_by_label("New password").fill("another private sentence")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed")).to_be_visible()
    other = visit("/sign-in")
    fill_credentials(other, person.email, person.password)
    expect(other.get_by_role("alert")).to_be_visible()
    fill_credentials(other, person.email, "another private sentence")
    expect(other.get_by_role("heading", level=1)).to_have_text(f"Hello, {person.name}")


def test_an_administrator_finds_edits_and_deletes_a_member(visit: Visit) -> None:
    page = visit("/sign-in")
    sign_in(page, ADMIN)
    page.get_by_role("navigation", name="Main menu").get_by_role("link", name="Admin").click()
    page.get_by_role("navigation", name="Shopkeeper's menu").get_by_role("link", name="Members").click()
    expect(page.get_by_role("row")).not_to_have_count(0)
    person = newcomer()
    page.get_by_role("link", name="New member").click()
    page.get_by_label("Name").fill(person.name)
    page.get_by_label("E-mail", exact=True).fill(person.email)
    page.get_by_role("button", name="Create member").click()
    expect(page.get_by_text("The member is created.")).to_be_visible()
    page.get_by_role("searchbox").fill(person.name[:8])
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=person.name).click()
    page.get_by_label("Grade").select_option("vip")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.goto(f"/members?q={person.email}")
    expect(page.get_by_role("row").filter(has_text=person.email)).to_contain_text("VIP")
    page.get_by_role("link", name=person.name).click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("The member is deleted.")).to_be_visible()


def test_the_list_of_members_is_turned_page_by_page(visit: Visit) -> None:
    page = visit("/sign-in")
    sign_in(page, ADMIN)
    page.goto("/members")
    first = _listed(page)
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**cursor=**")
    second = _listed(page)
    assert second and not set(first) & set(second)
    page.get_by_role("link", name="First page").click()
    page.wait_for_url(lambda url: "cursor=" not in url)
    assert _listed(page) == first


def _listed(page: Page) -> list[str]:
    """By their addresses: two people may have one name."""
    links = page.get_by_role("rowheader").get_by_role("link")
    return [link.get_attribute("href") or "" for link in links.all()]


def test_members_are_not_for_everybody(visit: Visit) -> None:
    page = visit("/")
    register(page, newcomer())
    expect(page.get_by_role("link", name="Admin")).to_have_count(0)
    answer = page.goto("/members")
    assert answer is not None and answer.status == 403
    expect(page.get_by_text("You do not have access to this.")).to_be_visible()


def test_a_form_sent_twice_has_one_effect(visit: Visit, stack: Stack) -> None:
    page = visit("/sign-in")
    sign_in(page, ADMIN)
    page.goto("/members/new")
    person = newcomer()
    page.get_by_label("Name").fill(person.name)
    page.get_by_label("E-mail", exact=True).fill(person.email)
    statuses = page.evaluate(
        """async () => {
            const form = document.querySelector("main form");
            const send = () => fetch(form.action, {
                method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "follow",
            });
            const answers = await Promise.all([send(), send(), send()]);
            return answers.map((answer) => answer.url);
        }"""
    )
    page.goto(f"/members?q={person.email}")
    expect(page.get_by_role("row").filter(has_text=person.email)).to_have_count(1)
    assert any("done=created" in url for url in statuses)


def test_another_sites_form_changes_nothing_and_says_so_on_a_page(visit: Visit, stack: Stack) -> None:
    page = visit("/")
    register(page, newcomer())
    form = f'<form method="post" action="{stack.frontend_url}/account"><button>Win</button></form>'
    page.goto(f"data:text/html,{quote(form)}")
    page.get_by_role("button", name="Win").click()
    expect(page.get_by_text("This came from another site, so nothing was done.")).to_be_visible()
    page.get_by_role("link", name="Back to home").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hello, Ada")


def test_korean_by_preference_and_by_choice(visit: Visit) -> None:
    page = visit("/sign-in", locale="ko-KR")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.get_by_role("heading", level=1)).to_have_text("로그인")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page).to_have_url("/sign-in")


def test_without_a_connection_the_page_says_so_and_keeps_the_form(visit: Visit) -> None:
    page = visit("/sign-in")
    page.get_by_label("E-mail").fill("somebody@example.com")
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline.")).to_be_visible()
    page.get_by_label("Password", exact=True).fill("x")
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_label("E-mail")).to_have_value("somebody@example.com")
    page.context.set_offline(False)
    expect(page.get_by_text("You are offline.")).to_be_hidden()


def _access_token(page: Page) -> str:
    return next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "access_token")


def _age_the_access_token(page: Page) -> str:
    """Gives the browser a token that has expired, as ten minutes would; returns it."""
    header, payload, signature = _access_token(page).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims |= {"iat": int(time.time()) - 900, "exp": int(time.time()) - 300}
    aged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    value = f"{header}.{aged}.{signature}"
    # Over the cookie that is there: same name, domain and path.
    origin = "/".join(page.url.split("/")[:3])
    page.context.add_cookies([{"name": "access_token", "value": value, "url": origin, "httpOnly": True}])
    return value
