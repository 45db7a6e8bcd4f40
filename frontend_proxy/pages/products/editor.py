"""/admin/products/new and /admin/products/{id}: everything that a product is, in one form that is saved as a whole.

What was typed is never lost: whatever the answer, or none, the form comes back with it.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.auth_client import Answer
from frontend_proxy.pages import forms, profiles
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.products import draft as drafts
from frontend_proxy.pages.products import grid, merging
from frontend_proxy.pages.products.draft import MOST_VARIANTS, STATUSES, VAT_CLASSES, Change, Draft
from frontend_proxy.pages.products.listing import HERE, categories, find, levels
from frontend_proxy.pages.products.merging import Difference
from frontend_proxy.pages.site import Site, redirect, require_status
from frontend_proxy.pages.translator import Translator
from frontend_proxy.problems import Problem

MAX_FORM = 512 * 1024
"""Bytes: two descriptions of 10,000 Korean letters are nine bytes a letter in a form."""
MAX_FIELDS = 2000


class ProductEditor(Controller):
    """A product's form."""

    path = HERE

    @get("/new")
    async def ask_for_new(
        self, site: InjectedSite, admin: InjectedPageContext, category: FromQuery[str] = ""
    ) -> ASGIResponse:
        return await Editor(site, admin, None).page(Draft(category=category))

    @post("/new")
    async def create(
        self, request: PageRequest, site: InjectedSite, admin: InjectedPageContext
    ) -> ASGIResponse:
        return await Editor(site, admin, None).saved(await forms.read(request, MAX_FORM, MAX_FIELDS))

    @get("/{product_id:uuid}")
    async def show(
        self,
        site: InjectedSite,
        admin: InjectedPageContext,
        product_id: FromPath[UUID],
        done: FromQuery[str] = "",
    ) -> ASGIResponse:
        product = await find(site, admin, product_id)
        return await Editor(site, admin, product_id).page(
            drafts.stored(product, site.currency), product=product, done=done
        )

    @post("/{product_id:uuid}")
    async def save(
        self, request: PageRequest, site: InjectedSite, admin: InjectedPageContext, product_id: FromPath[UUID]
    ) -> ASGIResponse:
        return await Editor(site, admin, product_id).saved(await forms.read(request, MAX_FORM, MAX_FIELDS))


class Editor:
    """One request's work on the product with that id; None for a new one."""

    def __init__(self, site: Site, admin: PageContext, product: UUID | None) -> None:
        self._site = site
        self._admin = admin
        self._id = product
        self._translator = site.views.translator(admin)

    async def saved(self, form: Form) -> ASGIResponse:
        """Saves a sent form; shows it again where there is something to say first."""
        t = self._translator.t
        draft = grid.named(drafts.sent(form))
        if form.text("action") == "grid" or grid.outdated(draft):
            if grid.too_many(draft):
                fault = t("products.too_many_variants", most=MOST_VARIANTS)
                return await self.page(draft, form, status=400, fault=fault)
            stored = merging.skus(form.text("base"))
            draft = grid.filled(draft, everything=form.text("action") == "grid", kept=stored)
            return await self.page(draft, form, notice=t("products.look_at_grid"))
        change = drafts.change(draft, self._site.currency)
        if change.wrong:
            errors = {field: t(key) for field, key in change.wrong.items()}
            return await self.page(draft, form, status=400, errors=errors, fault=t("problems.fields"))
        try:
            if self._id is None:
                return await self._created(draft, change, form)
            gone = await self._gone(self._id, draft, form)
            if gone and form.text("confirmed_gone") != _named(gone):
                return await self.page(draft, form, status=409, gone=gone)
            return await self._changed(self._id, draft, change, form)
        except Problem as problem:
            # Nobody knows what became of it: the form keeps its key, and may be sent again.
            fault = self._translator.problem(problem.name, problem.status)
            return await self.page(draft, form, status=problem.status, fault=fault, key=form.key)

    async def _created(self, draft: Draft, change: Change, form: Form) -> ASGIResponse:
        texts = {language: text for language, text in change.body["texts"].items() if text}
        body = {**change.body, "texts": texts}
        answer = await self._site.backend.call(
            self._admin, "POST", "/api/products", body, headers={"Idempotency-Key": form.key}
        )
        if answer.status == 201:
            return redirect(f"{HERE}/{answer.document()['id']}/pictures?done=created")
        return await self._refused(draft, change, form, answer)

    async def _changed(self, id_: UUID, draft: Draft, change: Change, form: Form) -> ASGIResponse:
        path, here = f"/api/products/{id_}", f"{HERE}/{id_}"
        answer = await self._patch(path, change, profiles.version(form))
        if answer.status == 412:
            stored = await find(self._site, self._admin, id_)
            theirs = drafts.stored(stored, self._site.currency)
            merged = merging.merged(draft, theirs, form.text("base"))
            if merged.differences:
                return await self.page(
                    merged.draft, product=stored, status=412, differences=merged.differences
                )
            # Pictures alone were changed meanwhile, or this very form was sent before.
            if merging.parts(draft) == merging.parts(theirs):
                return redirect(f"{here}?done=saved")
            answer = await self._patch(path, change, int(stored["version"]))
        if answer.status == 200:
            return redirect(f"{here}?done=saved")
        return await self._refused(draft, change, form, answer)

    async def _patch(self, path: str, change: Change, version: int) -> Answer:
        headers = {"If-Match": f'"{version}"'}
        return await self._site.backend.call(self._admin, "PATCH", path, change.body, headers=headers)

    async def _gone(self, id_: UUID, draft: Draft, form: Form) -> list[dict[str, Any]]:
        """The variants that the form takes out although there are some on hand."""
        kept = {variant.sku for variant in draft.variants if not variant.blank}
        leaving = merging.skus(form.text("base")) - kept
        stock = await levels(self._site, self._admin, id_) if leaving else []
        return [each for each in stock if each["sku"] in leaving and each["on_hand"]]

    async def _refused(self, draft: Draft, change: Change, form: Form, answer: Answer) -> ASGIResponse:
        if answer.status not in {400, 409, 422}:
            require_status(answer, 200, 201)
        translator = self._translator
        said: dict[str, str] = {}
        for path, error in forms.field_errors(answer).items():
            said.setdefault(drafts.field_of(path, change), translator.field_error(*error))
        document = answer.document()
        if document.get("code") == "slug_taken":
            said["slug"] = translator.t("products.slug_taken")
        for row, variant in enumerate(draft.variants):
            if document.get("code") == "sku_taken" and variant.sku == document.get("sku"):
                said[f"v{row}_sku"] = translator.t("products.sku_taken")
        labels = _labels(draft, translator)
        errors = {field: text for field, text in said.items() if field in labels}
        elsewhere = next((text for field, text in said.items() if field not in labels), None)
        fault = translator.t("problems.fields") if errors else elsewhere
        return await self.page(
            draft,
            form,
            status=answer.status,
            errors=errors,
            fault=fault or translator.problem(forms.problem_name(answer), answer.status),
        )

    async def page(
        self,
        draft: Draft,
        form: Form | None = None,
        *,
        product: dict[str, Any] | None = None,
        status: int = 200,
        fault: str | None = None,
        notice: str | None = None,
        errors: Mapping[str, str] | None = None,
        differences: list[Difference] | None = None,
        gone: list[dict[str, Any]] | None = None,
        key: str | None = None,
        done: str = "",
    ) -> ASGIResponse:
        """The form with `draft` in it. What `form` carried of the version that it was made from is carried on, else it
        is made from `product`, as it is stored now."""
        translator = self._translator
        shelves, stock = await asyncio.gather(
            _or_nothing(categories(self._site, self._admin)),
            _or_nothing(levels(self._site, self._admin, self._id)) if self._id else _nothing(),
        )
        base = form.text("base") if form else ""
        if product is not None:
            base = merging.digests(drafts.stored(product, self._site.currency))
        labels = _labels(draft, translator)
        return self._site.views.page(
            self._admin,
            "products/editor.html",
            status=status,
            product_id=self._id,
            product=product,
            draft=_with_room(draft),
            rows=[
                drafts.value_names(draft, variant.values, translator.language) for variant in draft.variants
            ],
            version=product["version"] if product else form.text("version") if form else "",
            base=base,
            key=key,
            fault=fault,
            said=notice,
            done=done,
            errors=errors or {},
            labels=labels,
            differences=[_said(each, translator, shelves) for each in differences or ()],
            gone=gone,
            confirmed_gone=_named(gone) if gone else "",
            stock={each["sku"]: each for each in stock},
            categories=shelves,
            statuses=STATUSES,
            vat_classes=VAT_CLASSES,
            currency=self._site.currency,
        )


async def _nothing() -> list[dict[str, Any]]:
    return []


async def _or_nothing(reading: Awaitable[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """What a form can do without: while the catalog is away, what was typed is still shown."""
    try:
        return await reading
    except Problem:
        return []


def _named(gone: list[dict[str, Any]]) -> str:
    return ",".join(sorted(each["sku"] for each in gone))


def _with_room(draft: Draft) -> Draft:
    """With empty fields for more values of each option, and for another option; none moves, as errors name places."""
    nothing = dict.fromkeys(drafts.LANGUAGES, "")
    options = list(draft.options)
    if all(not option.blank for option in options) and len(options) < drafts.MOST_OPTIONS:
        options.append(drafts.OptionDraft("", nothing))
    for place, option in enumerate(options):
        free = sum(value.blank for value in option.values)
        room = (drafts.Named("", nothing),) * ((4 if option.blank else 2) - free)
        options[place] = replace(option, values=(*option.values, *room)[: drafts.MOST_VALUES])
    return replace(draft, options=tuple(options))


def _labels(draft: Draft, translator: Translator) -> dict[str, str]:
    """What each field of the form is called, for the list of what is wrong."""
    t = translator.t
    names = ("status", "category", "slug", "brand", "keywords", "vat")
    found = {name: t(f"products.{name}") for name in names}
    for language in drafts.LANGUAGES:
        for name in ("name", "description"):
            found[f"{name}_{language}"] = t(f"products.{name}_{language}")
        for number, option in enumerate(draft.options):
            label = t(f"products.option_{language}", number=number + 1)
            found[f"o{number}_{language}"] = label
            for place in range(max(len(option.values), 1)):
                found[f"o{number}_v{place}_{language}"] = f"{label}, {t('products.value', number=place + 1)}"
    for row, variant in enumerate(draft.variants):
        named = drafts.value_names(draft, variant.values, translator.language)
        for name in ("sku", "price", "before"):
            label = t(f"products.{name}")
            found[f"v{row}_{name}"] = f"{label}, {named}" if named else label
    return found


def _said(
    difference: Difference, translator: Translator, shelves: list[dict[str, Any]]
) -> tuple[str, str, str, bool]:
    """What a difference is called, what is stored, what was typed, and whether the former is in the form now."""
    t, part = translator.t, difference.part

    def words(text: str) -> str:
        if part in {"status", "vat"} and text:
            return translator.known(f"products.{part}_{text}", text)
        if part == "category":
            return next((each["path"] for each in shelves if each["id"] == text), text)
        return text or t("products.nothing")

    sku = part.removeprefix("variant:")
    label = t("products.variant_of", sku=sku) if part != sku else t(f"products.{part}")
    ours = t("products.unchanged") if difference.taken else words(difference.ours)
    return label, words(difference.theirs), ours, difference.taken
