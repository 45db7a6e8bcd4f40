"""A product's form: what is typed, which rows follow from the options, and two shopkeepers at once."""

from dataclasses import replace
from typing import Any

from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.products import draft, grid, merging
from frontend_proxy.pages.products.draft import Draft, Named, OptionDraft, VariantDraft
from frontend_proxy.pages.products.merging import Difference

DOCUMENT: dict[str, Any] = {
    "status": "active",
    "category": "0d7f7a0e-1d3c-4b0e-9d0a-0f5c4a4b0d11",
    "slug": "shoe",
    "brand": "B",
    "keywords": ["run", "jog"],
    "texts": {"ko": {"name": "신발", "description": "하나\n둘"}},
    "options": [
        {
            "code": "size",
            "names": {"ko": "사이즈", "en": "Size"},
            "values": [{"code": "s", "names": {"ko": "작은"}}, {"code": "l", "names": {"en": "Large"}}],
        }
    ],
    "variants": [
        {
            "sku": "A-S",
            "values": ["s"],
            "price": 89000,
            "compare_at_price": 99000,
            "vat_class": "standard",
            "weight_grams": 300,
            "active": True,
        },
        {
            "sku": "A-L",
            "values": ["l"],
            "price": 91000,
            "compare_at_price": None,
            "vat_class": "standard",
            "weight_grams": None,
            "active": False,
        },
    ],
}


def fields(shown: Draft) -> dict[str, str]:
    """What a browser sends of a form that shows `shown`."""
    sent = {
        "status": shown.status,
        "category": shown.category,
        "slug": shown.slug,
        "brand": shown.brand,
        "keywords": shown.keywords,
        "vat": shown.vat,
        **{f"name_{language}": text for language, text in shown.names.items()},
        **{
            f"description_{language}": text.replace("\n", "\r\n")
            for language, text in shown.descriptions.items()
        },
    }
    for number, option in enumerate(shown.options):
        sent[f"o{number}_code"] = option.code
        sent |= {f"o{number}_{language}": name for language, name in option.names.items()}
        for place, value in enumerate(option.values):
            sent[f"o{number}_v{place}_code"] = value.code
            sent |= {f"o{number}_v{place}_{language}": name for language, name in value.names.items()}
    for row, variant in enumerate(shown.variants):
        sent |= {
            f"v{row}_values": ",".join(variant.values),
            f"v{row}_sku": variant.sku,
            f"v{row}_price": variant.price,
            f"v{row}_before": variant.before,
            f"v{row}_vat": variant.vat,
            f"v{row}_weight": variant.weight,
        } | ({f"v{row}_active": "on"} if variant.active else {})
    return sent


def test_an_unchanged_form_asks_for_what_is_stored() -> None:
    shown = draft.stored(DOCUMENT, "KRW")
    sent = draft.sent(Form(fields(shown)))
    assert sent == shown
    change = draft.change(sent, "KRW")
    assert change.wrong == {}
    wanted = {**DOCUMENT, "texts": {**DOCUMENT["texts"], "en": None}}
    wanted["variants"] = [
        {name: value for name, value in each.items() if value is not None or name != "weight_grams"}
        for each in DOCUMENT["variants"]
    ]
    assert change.body == wanted


def test_every_fault_of_the_api_finds_its_field() -> None:
    blank = Named("", {"ko": "", "en": ""})
    shown = draft.stored(DOCUMENT, "KRW")
    sent = replace(
        shown,
        options=(OptionDraft("", {"ko": "", "en": ""}, (blank,)), *shown.options),
        variants=(VariantDraft(), *shown.variants),
    )
    change = draft.change(sent, "KRW")
    assert {
        path: draft.field_of(path, change)
        for path in (
            "texts.ko.name",
            "texts",
            "keywords.1",
            "variants.0",
            "variants.1.price",
            "variants.0.compare_at_price",
            "variants.1.sku",
            "options.0.names.en",
            "options.0.values.1.names.ko",
            "options.0.values",
            "variants.9.sku",
            "variants",
        )
    } == {
        "texts.ko.name": "name_ko",
        "texts": "name_ko",
        "keywords.1": "keywords",
        "variants.0": "v1_sku",
        "variants.1.price": "v2_price",
        "variants.0.compare_at_price": "v1_before",
        "variants.1.sku": "v2_sku",
        "options.0.names.en": "o1_en",
        "options.0.values.1.names.ko": "o1_v1_ko",
        "options.0.values": "o1_ko",
        "variants.9.sku": "variants.9.sku",
        "variants": "variants",
    }


def test_what_is_missing_is_named_before_anybody_is_asked() -> None:
    assert set(draft.change(Draft(), "KRW").wrong) == {"name_ko", "category", "slug", "v0_price"}
    named = replace(Draft(), variants=(VariantDraft(price="free"), VariantDraft(sku="A", before="x")))
    assert set(draft.change(named, "KRW").wrong) >= {"v0_sku", "v0_price", "v1_price", "v1_before"}


def test_new_options_get_codes_that_are_their_own() -> None:
    shown = draft.stored(DOCUMENT, "KRW")
    (size,) = shown.options
    more = (
        *size.values,
        Named("", {"ko": "큰", "en": "L"}),
        Named("", {"ko": "매우 큰", "en": ""}),
        Named("", {"ko": "더 큰", "en": ""}),
    )
    sent = draft.sent(Form(fields(replace(shown, options=(replace(size, values=more),)))))
    assert [value.code for value in sent.options[0].values] == ["s", "l", "l-2", "value", "value-2"]


def option(code: str, *values: str) -> OptionDraft:
    return OptionDraft(
        code, {"ko": code, "en": code}, tuple(Named(each, {"ko": each, "en": each}) for each in values)
    )


def test_the_first_option_makes_a_row_of_each_value_and_the_product_keeps_its_sku() -> None:
    made = Draft(
        slug="shoe", options=(option("size", "s", "l"),), variants=(VariantDraft((), "SHOE", "1000"),)
    )
    assert grid.outdated(made)
    new = grid.filled(made, everything=False).variants
    assert [row.sku for row in new] == ["SHOE-S", "SHOE-L"], "what was made of the address follows the values"
    rows = grid.filled(made, everything=False, kept={"SHOE"}).variants
    assert [(row.values, row.sku, row.price) for row in rows] == [
        (("s",), "SHOE", "1000"),
        (("l",), "SHOE-L", "1000"),
    ]
    assert not grid.outdated(grid.filled(made, everything=False))


def test_a_row_with_a_price_gets_an_sku_that_is_its_own() -> None:
    rows = (
        VariantDraft((), "", "1"),
        VariantDraft(("l",), "", "1"),
        VariantDraft(("s",)),
        VariantDraft((), "A", "1"),
    )
    assert [row.sku for row in grid.named(Draft(slug="shoe", variants=rows)).variants] == [
        "SHOE",
        "SHOE-L",
        "",
        "A",
    ]
    assert grid.named(Draft(variants=rows)).variants[0].sku == "", (
        "without an address there is nothing to make it of"
    )
    long = grid.named(
        Draft(slug="x" * 100, variants=(VariantDraft(("y" * 32, "z" * 32), "", "1"),))
    ).variants[0]
    assert len(long.sku) <= 64
    taken = (VariantDraft((), "SHOE", "1"), VariantDraft((), "", "1"))
    assert grid.named(Draft(slug="shoe", variants=taken)).variants[1].sku == ""


def test_a_combination_that_was_left_out_stays_out_until_all_are_asked_for() -> None:
    made = Draft(
        slug="shoe",
        options=(option("size", "s", "l", "xl"), option("colour", "red", "blue")),
        variants=(
            VariantDraft(("s", "red"), "A", "1"),
            VariantDraft(("l", "red"), "B", "1"),
            VariantDraft(("l", "blue"), "C", "1"),
        ),
    )
    assert grid.outdated(made), "nothing is XL"
    rows = [row.values for row in grid.filled(made, everything=False).variants]
    assert ("s", "blue") not in rows and ("xl", "red") in rows and ("xl", "blue") in rows
    assert len(grid.filled(made, everything=True).variants) == 6
    # One that is emptied is there to be seen, and no reason to ask again.
    emptied = replace(
        made, variants=(*made.variants, VariantDraft(("xl", "red")), VariantDraft(("xl", "blue")))
    )
    assert not grid.outdated(emptied)


def test_without_options_one_row_is_left_and_too_many_are_known_before_they_are_made() -> None:
    made = Draft(variants=(VariantDraft(("s",), "A", "1"), VariantDraft(("l",), "B", "1")))
    assert grid.outdated(made)
    assert [(row.values, row.sku) for row in grid.filled(made, everything=False).variants] == [((), "A")]
    many = Draft(options=(option("a", *"abcdefghijk"), option("b", *"abcdefghij")))
    assert grid.too_many(many) and not grid.too_many(made)
    assert not grid.outdated(Draft(options=(option("empty"),)))


def test_what_only_the_other_changed_is_taken_over_and_what_both_did_is_asked() -> None:
    before = draft.stored(DOCUMENT, "KRW")
    base = merging.digests(before)
    theirs = replace(
        before,
        brand="Theirs",
        names={**before.names, "ko": "구두"},
        variants=(replace(before.variants[0], price="1"), before.variants[1]),
    )
    ours = replace(before, names={**before.names, "ko": "운동화"}, slug="ours")
    merged = merging.merged(ours, theirs, base)
    assert {(each.part, each.taken) for each in merged.differences} == {
        ("brand", True),
        ("name_ko", False),
        ("variant:A-S", True),
    }
    assert merged.draft == replace(ours, brand="Theirs", variants=theirs.variants)
    assert Difference("name_ko", "운동화", "구두", False) in merged.differences


def test_a_variant_that_the_other_made_or_took_out_is_so_in_the_form() -> None:
    before = draft.stored(DOCUMENT, "KRW")
    theirs = replace(before, variants=(before.variants[0], VariantDraft(("l",), "NEW", "5")))
    merged = merging.merged(before, theirs, merging.digests(before))
    assert [each.sku for each in merged.draft.variants] == ["A-S", "NEW"]
    assert merging.skus(merging.digests(before)) == {"A-S", "A-L"}


def test_the_same_change_twice_is_no_difference_and_no_base_is_everything() -> None:
    before = draft.stored(DOCUMENT, "KRW")
    ours = replace(before, brand="Same")
    assert merging.merged(ours, ours, merging.digests(before)).differences == []
    for base in ("", "[]", "{", '{"brand": 7}'):
        found = merging.merged(replace(before, brand="Other"), before, base)
        assert [(each.part, each.taken) for each in found.differences] == [("brand", False)]
