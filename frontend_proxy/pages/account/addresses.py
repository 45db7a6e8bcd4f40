"""/account/addresses: where orders go."""

from typing import Any

from litestar import Controller, get, post
from litestar.params import FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.pages import forms, profiles
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.editing import Saved, save
from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.refusals import refused
from frontend_proxy.pages.site import Site, redirect, require_status

FIELDS = ("recipient", "line1", "line2", "city", "postal_code", "country")
HERE = "/account/addresses"


class AccountAddresses(Controller):
    """The list of addresses is one value of the profile, changed as a whole with the version that it was read
    in."""

    path = HERE

    @get("/")
    async def show(
        self, site: InjectedSite, member: InjectedPageContext, done: FromQuery[str] = ""
    ) -> ASGIResponse:
        return _page(site, member, await _own(site, member), done=done)

    @post("/")
    async def add(
        self, request: PageRequest, site: InjectedSite, member: InjectedPageContext
    ) -> ASGIResponse:
        form = await forms.read(request)
        own = await _own(site, member)
        values = {name: form.text(name) for name in FIELDS}
        saved = await _store(site, member, own, form, [*own["addresses"], values])
        if saved.status == 200:
            return redirect(f"{HERE}?done=added")
        return _page(site, member, own, values=values, saved=saved)

    @post("/remove")
    async def remove(
        self, request: PageRequest, site: InjectedSite, member: InjectedPageContext
    ) -> ASGIResponse:
        form = await forms.read(request)
        own = await _own(site, member)
        kept = [
            address for number, address in enumerate(own["addresses"]) if str(number) != form.text("number")
        ]
        if len(kept) == len(own["addresses"]):
            return redirect(
                HERE
            )  # There is no such address: nothing was removed, and nothing is said to have been.
        saved = await _store(site, member, own, form, kept)
        return (
            redirect(f"{HERE}?done=removed") if saved.status == 200 else _page(site, member, own, saved=saved)
        )

    @get("/remove")
    async def back(self) -> ASGIResponse:
        return redirect(HERE)


async def _own(site: Site, member: PageContext) -> dict[str, Any]:
    return require_status(await site.backend.call(member, "GET", "/api/members/me"), 200).document()


async def _store(
    site: Site, member: PageContext, own: dict[str, Any], form: Form, addresses: list[dict[str, Any]]
) -> Saved:
    path = f"/api/members/{own['id']}"
    return await save(site, member, path, {"addresses": addresses}, version=profiles.version(form))


def _page(
    site: Site,
    member: PageContext,
    own: dict[str, Any],
    *,
    values: dict[str, str] | None = None,
    saved: Saved | None = None,
    done: str = "",
) -> ASGIResponse:
    translator = site.views.translator(member)
    fault: str | None = None
    errors: dict[str, str] = {}
    if saved is not None:
        stale = saved.status == 412
        # The API names a field by its place in the list. The form's own is the last one.
        here = f"addresses.{len(own['addresses'])}."
        fault, found = refused(translator, saved.answer, {here + name for name in FIELDS})
        errors = {field.removeprefix(here): text for field, text in found.items()}
        fault = translator.t("profile.stale_list") if stale else fault
        own = saved.current if stale else own
    return site.views.page(
        member,
        "account/addresses.html",
        status=saved.status if saved else 200,
        own=own,
        values=values or {"country": "KR"},
        fault=fault,
        errors=errors,
        done=done,
    )
