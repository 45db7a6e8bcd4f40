"""What a shopkeeper does with products and stock, with JavaScript and without, and what shoppers see of it."""

import io
import re
import uuid
from functools import partial

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.e2e.browser.conftest import ADMIN, Visit, sign_in
from tests.e2e.browser.test_accessibility import violations
from tests.e2e.stack import Stack

BOTH = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])


@pytest.fixture
def visit(visit: Visit, stack: Stack) -> Visit:
    return partial(visit, base_url=stack.frontend_url.replace("127.0.0.1", "localhost"))


def file(name: str, colour: str, size: tuple[int, int] = (900, 900), kind: str = "PNG") -> FilePayload:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return {"name": name, "mimeType": f"image/{kind.lower()}", "buffer": out.getvalue()}


def noise(name: str) -> FilePayload:
    """A picture of more than a megabyte."""
    out = io.BytesIO()
    Image.effect_noise((1500, 1500), 90).save(out, "PNG")
    assert len(out.getvalue()) > 1024 * 1024
    return {"name": name, "mimeType": "image/png", "buffer": out.getvalue()}


def fill(page: Page, **fields: str) -> None:
    for name, text in fields.items():
        page.locator(f"[name='{name}']").fill(text)


def save(page: Page) -> None:
    page.locator(".page-head button").click()
    page.wait_for_load_state()


def product(page: Page, slug: str, **fields: str) -> str:
    """A product on sale, without options. Returns the address of its form."""
    page.goto("/admin/products/new")
    fill(
        page,
        name_ko=f"상품 {slug}",
        name_en=f"Product {slug}",
        slug=slug,
        v0_sku=slug.upper(),
        v0_price="10,000",
    )
    page.locator("[name=category]").select_option(index=1)
    page.locator("[name=status]").select_option("active")
    fill(page, **fields)
    save(page)
    expect(page).to_have_url(re.compile("/pictures"))
    return page.url.partition("/pictures")[0]


def unique() -> str:
    return f"goods-{uuid.uuid4().hex[:8]}"


def said(page: Page, kind: str = "good") -> Locator:
    return page.locator(f".notice.{kind}")


@BOTH
def test_a_product_with_variants_and_a_picture_comes_into_the_shop(visit: Visit, script: bool) -> None:
    page = visit("/", java_script_enabled=script)
    sign_in(page, ADMIN)
    slug = unique()
    page.goto("/admin/products/new")
    fill(page, name_ko="바람 재킷", name_en="Breeze jacket", slug=slug, v0_price="59,000")
    fill(page, description_en="Light.\nFor autumn.")
    page.locator("[name=category]").select_option(index=1)
    page.locator("[name=status]").select_option("active")
    page.locator(".option-draft summary").click()
    fill(
        page, o0_ko="사이즈", o0_en="Size", o0_v0_ko="작은", o0_v0_en="Small", o0_v1_ko="큰", o0_v1_en="Large"
    )
    # The rows follow from the options, and are looked at before anything is saved.
    save(page)
    expect(said(page, "warn")).to_contain_text("Not saved yet")
    expect(page.locator("[name=v1_sku]")).to_have_value(f"{slug.upper()}-LARGE")
    expect(page.locator("[name=v1_price]")).to_have_value("59,000")
    fill(page, v1_price="a lot")
    save(page)
    wrong = page.locator("[name=v1_price]")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".notice.bad a")).to_have_text("Price, Large")
    assert not script or violations(page) == []
    fill(page, v1_price="65,000", v1_before="70,000")
    save(page)
    # Pictures: the second is no picture, and the others are taken all the same.
    notes: FilePayload = {"name": "notes.png", "mimeType": "image/png", "buffer": b"no picture"}
    page.locator("#f-files").set_input_files([file("front.png", "teal"), notes, noise("large.png")])
    page.locator(".drop button").click()
    refused = said(page, "bad")
    expect(refused).to_contain_text("notes.png: This is no picture")
    if script:
        expect(page.locator(".album li")).to_have_count(2)
    else:
        expect(refused).to_contain_text("large.png: The file is larger than 1 MB. Please make")
        page.locator("#f-files").set_input_files([file("side.png", "orange")])
        page.locator(".drop button").click()
        expect(said(page)).to_be_visible()
    page.locator(".album li").nth(1).locator("[value=earlier]").click()
    page.wait_for_load_state()
    page.locator("[name=alt_en]").first.fill("A jacket on a hanger")
    page.locator(".album [value=describe]").first.click()
    expect(said(page)).to_be_visible()
    assert not script or violations(page) == []
    # The shopper finds it, sees it sold out, and can buy it once there is stock.
    page.goto(f"/products?q={slug}")
    page.goto(f"/products/{slug}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Breeze jacket")
    expect(page.get_by_role("img", name="A jacket on a hanger")).to_be_visible()
    expect(page.locator(".stock").first).to_have_class(re.compile("sold_out"))
    page.goto(f"/admin/stock?sku={slug.upper()}-LARGE&show=all")
    page.locator("tbody th a").click()
    page.locator("[name=reason][value=delivery]").check()
    fill(page, quantity="12", note="Delivery note 7")
    page.get_by_role("button", name="Adjust").click()
    expect(said(page)).to_be_visible()
    expect(page.locator("tbody")).to_contain_text("0 → 12")
    expect(page.locator("tbody")).to_contain_text("Test Admin")
    expect(page.locator("tbody")).to_contain_text("Delivery note 7")
    page.goto(f"/products/{slug}?o_size=large")
    expect(page.locator(".stock").first).to_have_class(re.compile("in_stock"))
    expect(page.locator(".price.large")).to_contain_text("65,000")


@BOTH
def test_a_variant_goes_off_sale_and_its_stock_stays(visit: Visit, script: bool) -> None:
    page = visit("/", java_script_enabled=script)
    sign_in(page, ADMIN)
    page.get_by_role("button", name="한국어").click()
    slug = unique()
    here = product(page, slug)
    page.goto(f"/admin/stock/{slug.upper()}")
    page.locator("[name=reason][value=count]").check()
    fill(page, quantity="3")
    page.locator(".adjust button").click()
    expect(said(page)).to_be_visible()
    page.goto(here)
    # Renaming its SKU would lose the three.
    fill(page, v0_sku=f"{slug.upper()}-NEW")
    save(page)
    expect(said(page, "warn")).to_contain_text(slug.upper())
    fill(page, v0_sku=slug.upper())
    page.locator("[name=status]").select_option("draft")
    page.locator("[name=v0_active]").uncheck()
    save(page)
    expect(said(page)).to_be_visible()
    page.goto(f"/admin/stock/{slug.upper()}")
    expect(page.locator(".levels dd").last).to_contain_text("3")
    assert page.request.get(f"/products/{slug}").status == 404


@BOTH
def test_what_came_of_several_variants_is_entered_in_one_form(visit: Visit, script: bool) -> None:
    page = visit("/", java_script_enabled=script)
    sign_in(page, ADMIN)
    slug = unique()
    page.goto("/admin/products/new")
    fill(page, name_ko="니트 모자", name_en="Knitted hat", slug=slug, v0_price="20,000")
    page.locator("[name=category]").select_option(index=1)
    page.locator("[name=status]").select_option("active")
    page.locator(".option-draft summary").click()
    fill(
        page, o0_ko="사이즈", o0_en="Size", o0_v0_ko="작은", o0_v0_en="Small", o0_v1_ko="큰", o0_v1_en="Large"
    )
    save(page)
    expect(said(page, "warn")).to_contain_text("Not saved yet")
    save(page)
    expect(page).to_have_url(re.compile("/pictures"))
    page.locator(".pills").get_by_role("link", name="Stock").click()
    skus = [f"{slug.upper()}-{size}" for size in ("SMALL", "LARGE")]
    small, large = (page.get_by_label(f"Quantity, {sku}") for sku in skus)
    of_small, of_large = (page.get_by_role("row").filter(has_text=sku) for sku in skus)
    adjust = page.get_by_role("button", name="Adjust", exact=True)

    adjust.click()
    expect(said(page, "bad")).to_contain_text("Please enter at least one quantity.")
    # All numbers are read before any of them counts.
    small.fill("12")
    large.fill("many")
    fill(page, note="Delivery note 8")
    adjust.click()
    expect(large).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".notice.bad a")).to_have_text(skus[1])
    expect(small).to_have_value("12")
    expect(of_small).to_contain_text("Sold out")
    assert not script or violations(page) == []
    large.fill("3")
    adjust.click()
    expect(said(page)).to_have_text("Stock is adjusted.")
    expect(of_small.locator(".left strong")).to_have_text("12")
    expect(of_large.locator(".left strong")).to_have_text("3")

    # More are broken than there are of one: the other is done, and is not asked for again.
    page.locator("[name=reason][value=damaged]").check()
    small.fill("20")
    large.fill("1")
    adjust.click()
    expect(of_small).to_contain_text("There are not so many")
    expect(small).to_have_value("20")
    expect(large).to_have_value("")
    expect(of_large.locator(".left strong")).to_have_text("2")
    expect(page.locator("[name=reason][value=damaged]")).to_be_checked()
    page.locator("[name=reason][value=count]").check()
    small.fill("11")
    adjust.click()
    expect(said(page)).to_have_text("Stock is adjusted.")
    expect(of_small.locator(".left strong")).to_have_text("11")

    of_small.get_by_role("link").click()
    journal = page.get_by_role("row").filter(has_text=re.compile(r"\d → \d"))
    expect(journal).to_have_count(2)
    expect(journal.first).to_contain_text("12 → 11")
    expect(journal.last).to_contain_text("0 → 12")
    expect(journal.last).to_contain_text("Delivery note 8")
    page.goto(f"/products/{slug}?o_size=small")
    expect(page.locator(".stock").first).to_have_class(re.compile("in_stock"))


@BOTH
def test_two_shopkeepers_in_one_product_see_each_others_changes(visit: Visit, script: bool) -> None:
    page = visit("/", java_script_enabled=script)
    sign_in(page, ADMIN)
    here = product(page, unique())
    page.goto(here)
    other = page.context.new_page()
    other.goto(here)
    fill(other, name_en="Theirs", brand="Their brand")
    save(other)
    expect(said(other)).to_be_visible()
    fill(page, name_en="Ours", v0_price="12,000")
    save(page)
    conflict = page.locator("section.notice.warn")
    expect(conflict).to_contain_text("Somebody else changed this product")
    expect(conflict.get_by_role("row").filter(has_text="Theirs")).to_contain_text("Ours")
    expect(conflict.get_by_role("row").filter(has_text="Their brand")).to_contain_text("what is stored now")
    expect(page.locator("[name=name_en]")).to_have_value("Ours")
    expect(page.locator("[name=brand]")).to_have_value("Their brand")
    assert not script or violations(page) == []
    save(page)
    expect(said(page)).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ours")
    expect(page.locator("[name=v0_price]")).to_have_value("12000")


def test_pictures_are_dropped_and_put_in_order_by_dragging(visit: Visit) -> None:
    # High enough to drag without scrolling.
    page = visit("/", viewport={"width": 1280, "height": 1400})
    sign_in(page, ADMIN)
    page.goto(product(page, unique()) + "/pictures")
    page.evaluate(
        """async () => {
            const files = new DataTransfer();
            for (const colour of ["teal", "orange"]) {
                const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 640 });
                const pen = canvas.getContext("2d");
                pen.fillStyle = colour;
                pen.fillRect(0, 0, 640, 640);
                const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
                files.items.add(new File([blob], `${colour}.png`, { type: "image/png" }));
            }
            const form = document.querySelector(".drop");
            form.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.locator(".album li")).to_have_count(2)
    pictures = page.locator(".album img")
    before = [each.get_attribute("src") for each in pictures.all()]
    expect(page.locator(".album-picture").last).to_have_attribute("draggable", "true")
    page.locator(".album-picture").nth(1).drag_to(page.locator(".album li").first)
    expect(pictures.first).to_have_attribute("src", str(before[1]))
    page.locator(".album li").first.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator(".album li")).to_have_count(1)
    expect(pictures.first).to_have_attribute("src", str(before[0]))


def test_the_keyboard_reaches_everything_and_enter_saves(visit: Visit) -> None:
    page = visit("/")
    sign_in(page, ADMIN)
    page.goto(product(page, unique()))
    price = page.locator("[name=v0_price]")
    price.focus()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    price.fill("11,000")
    price.press("Enter")
    # Not the grid's button, which stands nearer.
    expect(said(page)).to_contain_text("Saved")
    expect(price).to_have_value("11000")
