"""/admin/categories: the tree, and a form for each of its categories."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Controller, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.auth_client import Answer
from frontend_proxy.pages import forms, keyed, profiles
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.products.draft import LANGUAGES, slug_of
from frontend_proxy.pages.products.listing import categories
from frontend_proxy.pages.site import Site, redirect, require_status
from frontend_proxy.problems import Problem

HERE = "/admin/categories"
FIELDS = ("name_ko", "name_en", "slug", "parent", "position")
DONE = ("created", "saved", "deleted")
EMPTY = {"name_ko": "", "name_en": "", "slug": "", "parent": "", "position": "0"}

_POSITION = re.compile(r"[0-9]{1,5}", re.ASCII)


class CategoryPages(Controller):
    """Categories, with versions as products have them."""

    path = HERE

    @get("/")
    async def index(
        self, site: InjectedSite, admin: InjectedPageContext, done: FromQuery[str] = ""
    ) -> ASGIResponse:
        return site.views.page(
            admin,
            "categories/index.html",
            categories=await categories(site, admin),
            done=done if done in DONE else "",
        )

    @get("/new")
    async def ask_for_new(
        self, site: InjectedSite, admin: InjectedPageContext, parent: FromQuery[str] = ""
    ) -> ASGIResponse:
        return await _page(site, admin, None, {**EMPTY, "parent": parent})

    @post("/new")
    async def create(
        self, request: PageRequest, site: InjectedSite, admin: InjectedPageContext
    ) -> ASGIResponse:
        form = await forms.read(request)
        typed = _typed(form)
        body = _body(typed)
        if body is None:
            return await _wrong(site, admin, None, form, typed)
        try:
            answer = await keyed.post(site, admin, "/api/categories", form, body, versioned=False)
        except Problem as problem:
            return await _page(
                site, admin, None, typed, status=problem.status, name=problem.name, key=form.key
            )
        if answer.status == 201:
            return redirect(f"{HERE}?done=created")
        return await _refused(site, admin, None, form, typed, answer)

    @get("/{category_id:uuid}")
    async def show(
        self, site: InjectedSite, admin: InjectedPageContext, category_id: FromPath[UUID]
    ) -> ASGIResponse:
        stored = await _find(site, admin, category_id)
        return await _page(site, admin, category_id, _stored(stored), version=str(stored["version"]))

    @post("/{category_id:uuid}")
    async def save(
        self,
        request: PageRequest,
        site: InjectedSite,
        admin: InjectedPageContext,
        category_id: FromPath[UUID],
    ) -> ASGIResponse:
        form = await forms.read(request)
        typed = _typed(form)
        body = _body(typed)
        if body is None:
            return await _wrong(site, admin, category_id, form, typed)
        try:
            answer = await site.backend.call(
                admin,
                "PUT",
                f"/api/categories/{category_id}",
                body,
                headers={"If-Match": f'"{profiles.version(form)}"'},
            )
        except Problem as problem:
            return await _page(
                site,
                admin,
                category_id,
                typed,
                version=form.text("version"),
                status=problem.status,
                name=problem.name,
            )
        if answer.status == 412:
            stored = await _find(site, admin, category_id)
            theirs = {name: text for name, text in _stored(stored).items() if text != typed[name]}
            if theirs:
                return await _page(
                    site,
                    admin,
                    category_id,
                    typed,
                    version=str(stored["version"]),
                    status=412,
                    theirs=theirs,
                    name="stale",
                )
        elif answer.status != 200:
            return await _refused(site, admin, category_id, form, typed, answer)
        return redirect(f"{HERE}?done=saved")

    @get("/{category_id:uuid}/delete")
    async def ask_to_delete(
        self, site: InjectedSite, admin: InjectedPageContext, category_id: FromPath[UUID]
    ) -> ASGIResponse:
        return _deletion(site, admin, await _find(site, admin, category_id))

    @post("/{category_id:uuid}/delete")
    async def delete(
        self,
        request: PageRequest,
        site: InjectedSite,
        admin: InjectedPageContext,
        category_id: FromPath[UUID],
    ) -> ASGIResponse:
        form = await forms.read(request)
        answer = await site.backend.call(
            admin,
            "DELETE",
            f"/api/categories/{category_id}",
            headers={"If-Match": f'"{profiles.version(form)}"', "Idempotency-Key": form.key},
        )
        if answer.status in {409, 412}:
            said = "categories.in_use" if answer.status == 409 else "categories.stale"
            stored = await _find(site, admin, category_id)
            return _deletion(site, admin, stored, status=answer.status, said=said)
        require_status(answer, 204)
        return redirect(f"{HERE}?done=deleted")


async def _find(site: Site, admin: PageContext, category_id: UUID) -> dict[str, Any]:
    answer = await site.backend.call(admin, "GET", f"/api/categories/{category_id}")
    if answer.status == 404:
        raise NotFoundException
    return require_status(answer, 200).document()


def _stored(category: Mapping[str, Any]) -> dict[str, str]:
    return {
        **{f"name_{language}": category["names"].get(language, "") for language in LANGUAGES},
        "slug": category["slug"],
        "parent": category["parent"] or "",
        "position": str(category["position"]),
    }


def _typed(form: Form) -> dict[str, str]:
    typed = {name: form.text(name) for name in FIELDS}
    return {**typed, "slug": typed["slug"] or slug_of(typed["name_en"]), "position": typed["position"] or "0"}


def _body(typed: Mapping[str, str]) -> dict[str, Any] | None:
    """What the catalog is asked for; None where the position is no number."""
    if not _POSITION.fullmatch(typed["position"]):
        return None
    return {
        "slug": typed["slug"],
        "names": {language: name for language in LANGUAGES if (name := typed[f"name_{language}"])},
        "parent": typed["parent"] or None,
        "position": int(typed["position"]),
    }


async def _wrong(
    site: Site, admin: PageContext, category_id: UUID | None, form: Form, typed: dict[str, str]
) -> ASGIResponse:
    errors = {"position": site.views.translator(admin).t("categories.invalid_position")}
    return await _page(
        site,
        admin,
        category_id,
        typed,
        version=form.text("version"),
        status=400,
        errors=errors,
        name="fields",
    )


async def _refused(
    site: Site,
    admin: PageContext,
    category_id: UUID | None,
    form: Form,
    typed: dict[str, str],
    answer: Answer,
) -> ASGIResponse:
    translator = site.views.translator(admin)
    errors: dict[str, str] = {}
    for path, error in forms.field_errors(answer).items():
        language = path.removeprefix("names.") if path != "names" else LANGUAGES[0]
        field = f"name_{language}" if path.startswith("names") else path
        errors[field] = translator.field_error(*error)
    if answer.document().get("code") == "slug_taken":
        errors["slug"] = translator.t("categories.slug_taken")
    errors = {field: text for field, text in errors.items() if field in FIELDS}
    return await _page(
        site,
        admin,
        category_id,
        typed,
        version=form.text("version"),
        status=answer.status,
        errors=errors,
        name="fields" if errors else forms.problem_name(answer),
        key=form.key if keyed.open_outcome(answer) else None,
    )


async def _page(
    site: Site,
    admin: PageContext,
    category_id: UUID | None,
    typed: Mapping[str, str],
    *,
    version: str = "",
    status: int = 200,
    errors: dict[str, str] | None = None,
    theirs: dict[str, str] | None = None,
    name: str = "",
    key: str | None = None,
) -> ASGIResponse:
    translator = site.views.translator(admin)
    try:
        others = [each for each in await categories(site, admin) if each["id"] != str(category_id)]
    except Problem:
        others = []
    fault = None
    if status >= 400:
        fault = translator.t("categories.stale") if name == "stale" else translator.problem(name, status)
    paths = {each["id"]: each["path"] for each in others}
    if theirs and "parent" in theirs:
        theirs = {**theirs, "parent": paths.get(theirs["parent"], translator.t("categories.top"))}
    return site.views.page(
        admin,
        "categories/category.html",
        status=status,
        category_id=category_id,
        typed=typed,
        version=version,
        errors=errors or {},
        labels={field: translator.t(f"categories.{field}") for field in FIELDS},
        theirs=theirs or {},
        fault=fault,
        others=others,
        key=key,
    )


def _deletion(
    site: Site, admin: PageContext, category: dict[str, Any], *, status: int = 200, said: str = ""
) -> ASGIResponse:
    names = category["names"]
    translator = site.views.translator(admin)
    return site.views.page(
        admin,
        "categories/delete.html",
        status=status,
        category=category,
        name=names.get(admin.language) or next(iter(names.values()), category["slug"]),
        fault=translator.t(said) if said else None,
    )
