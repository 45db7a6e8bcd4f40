"""/members. The gateway and the member service decide who may use it; a refusal becomes an error page."""

from typing import Any
from uuid import UUID

from litestar import Controller, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.pages import forms, profiles
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.editing import save_profile
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.profiles import GRADES, Edit
from frontend_proxy.pages.refusals import refused, taken
from frontend_proxy.pages.site import Site, redirect, require_status

PAGE = 20
EMPTY = {"name": "", "email": "", "phone": "", "grade": "standard", "marketing_consent": False}


class Members(Controller):
    """The administrator's pages."""

    path = "/members"

    @get("/")
    async def index(
        self,
        site: InjectedSite,
        member: InjectedPageContext,
        q: FromQuery[str] = "",
        cursor: FromQuery[str] = "",
        done: FromQuery[str] = "",
    ) -> ASGIResponse:
        query = (
            {"limit": str(PAGE)}
            | ({"q": q.strip()} if q.strip() else {})
            | ({"cursor": cursor} if cursor else {})
        )
        answer = await site.backend.call(member, "GET", "/api/members", query=query)
        found = require_status(answer, 200).document()
        return site.views.page(
            member,
            "members/index.html",
            items=found["items"],
            next_cursor=found.get("next_cursor"),
            q=q.strip(),
            later=bool(cursor),
            done=done,
        )

    @get("/new")
    async def ask_for_new(self, site: InjectedSite, admin: InjectedPageContext) -> ASGIResponse:
        await site.backend.confirm(admin)
        return _new(site, admin, Edit(EMPTY, 0, {}, {}))

    @post("/new")
    async def create(
        self, request: PageRequest, site: InjectedSite, member: InjectedPageContext
    ) -> ASGIResponse:
        form = await forms.read(request)
        values = profiles.typed(form, with_grade=True, with_email=True)
        answer = await site.backend.call(
            member, "POST", "/api/members", profiles.change(values), headers={"Idempotency-Key": form.key}
        )
        if answer.status == 201:
            return redirect("/members?done=created")
        translator = site.views.translator(member)
        fault, errors = refused(translator, answer, profiles.FIELDS, taken(answer))
        edit = Edit(values, 0, errors, {}, fault)
        return _new(site, member, edit, answer.status)

    @get("/{member_id:uuid}")
    async def show(
        self, site: InjectedSite, member: InjectedPageContext, member_id: FromPath[UUID]
    ) -> ASGIResponse:
        person = await find(site, member, member_id)
        return _edit(site, member, person, Edit(profiles.stored(person), int(person["version"]), {}, {}))

    @post("/{member_id:uuid}")
    async def save(
        self, request: PageRequest, site: InjectedSite, member: InjectedPageContext, member_id: FromPath[UUID]
    ) -> ASGIResponse:
        form = await forms.read(request)
        edit, status = await save_profile(
            site,
            member,
            f"/api/members/{member_id}",
            form,
            with_grade=True,
            with_email="email" in form.fields,
        )
        if edit is None:
            return redirect("/members?done=saved")
        return _edit(site, member, await find(site, member, member_id), edit, status)

    @get("/{member_id:uuid}/delete")
    async def ask_to_delete(
        self, site: InjectedSite, member: InjectedPageContext, member_id: FromPath[UUID]
    ) -> ASGIResponse:
        return site.views.page(
            member, "members/delete.html", person=await find(site, member, member_id), fault=None
        )

    @post("/{member_id:uuid}/delete")
    async def delete(
        self, request: PageRequest, site: InjectedSite, member: InjectedPageContext, member_id: FromPath[UUID]
    ) -> ASGIResponse:
        """Deletes what the page showed: a member who changed meanwhile is shown again first."""
        form = await forms.read(request)
        answer = await site.backend.call(
            member,
            "DELETE",
            f"/api/members/{member_id}",
            headers={"If-Match": f'"{profiles.version(form)}"', "Idempotency-Key": form.key},
        )
        if answer.status == 412:
            person = await find(site, member, member_id)
            fault = site.views.translator(member).t("profile.stale")
            return site.views.page(member, "members/delete.html", status=412, person=person, fault=fault)
        require_status(answer, 204)
        return redirect("/members?done=deleted")


async def find(site: Site, member: PageContext, member_id: UUID) -> dict[str, Any]:
    answer = await site.backend.call(member, "GET", f"/api/members/{member_id}")
    if answer.status == 404:
        raise NotFoundException
    return require_status(answer, 200).document()


def _new(site: Site, member: PageContext, edit: Edit, status: int = 200) -> ASGIResponse:
    return site.views.page(member, "members/new.html", status=status, edit=edit, grades=GRADES)


def _edit(
    site: Site, member: PageContext, person: dict[str, Any], edit: Edit, status: int = 200
) -> ASGIResponse:
    return site.views.page(
        member, "members/edit.html", status=status, person=person, edit=edit, grades=GRADES
    )
