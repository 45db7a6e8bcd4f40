"""/members/{id}/email: an account's address, changed by an administrator with a password of their own."""

from typing import Any
from uuid import UUID

from litestar import Controller, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from frontend_proxy.pages import forms
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.members.handlers import find
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.refusals import Refused, refused, taken
from frontend_proxy.pages.site import Site, redirect

FIELDS = ("email", "current_password")


class MemberEmail(Controller):
    """Moves an account at once, for an owner who gets at no mail of the former address."""

    path = "/members/{member_id:uuid}/email"

    @get("/")
    async def show(
        self, site: InjectedSite, member: InjectedPageContext, member_id: FromPath[UUID]
    ) -> ASGIResponse:
        return _page(site, member, await _owner(site, member, member_id))

    @post("/")
    async def save(
        self, request: PageRequest, site: InjectedSite, member: InjectedPageContext, member_id: FromPath[UUID]
    ) -> ASGIResponse:
        form = await forms.read(request)
        person = await _owner(site, member, member_id)
        body = {"email": form.text("email"), "current_password": form.secret("current_password")}
        answer = await site.backend.call(
            member,
            "PUT",
            f"/api/auth/accounts/{member_id}/email",
            body,
            headers={"Idempotency-Key": form.key},
        )
        if answer.status == 204:
            return redirect("/members?done=email")
        said = refused(site.views.translator(member), answer, FIELDS, taken(answer))
        return _page(site, member, person, typed=body["email"], said=said, status=answer.status)


async def _owner(site: Site, member: PageContext, member_id: UUID) -> dict[str, Any]:
    person = await find(site, member, member_id)
    if not person.get("has_account"):
        raise NotFoundException
    return person


def _page(
    site: Site,
    member: PageContext,
    person: dict[str, Any],
    *,
    typed: str = "",
    said: Refused | None = None,
    status: int = 200,
) -> ASGIResponse:
    return site.views.page(
        member,
        "members/email.html",
        status=status,
        person=person,
        typed=typed,
        fault=said.fault if said else None,
        errors=said.errors if said else {},
    )
