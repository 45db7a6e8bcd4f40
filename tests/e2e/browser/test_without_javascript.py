"""Every form works without JavaScript."""

from playwright.sync_api import expect

from tests.e2e.browser.conftest import Visit, fill_credentials, newcomer, register


def test_register_edit_sign_out_and_in_again(visit: Visit) -> None:
    page = visit("/", java_script_enabled=False)
    person = newcomer()
    register(page, person)
    page.goto("/account")
    page.get_by_label("Name").fill("Margaret Hamilton")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    fill_credentials(page, person.email, person.password)
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Margaret Hamilton")


def test_the_language_can_be_chosen(visit: Visit) -> None:
    page = visit("/register", java_script_enabled=False)
    page.get_by_role("button", name="한국어").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("회원가입")
