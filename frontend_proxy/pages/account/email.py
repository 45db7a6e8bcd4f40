"""/account/email: another address to sign in with, asked for with the password and confirmed by its mail."""

from litestar import Controller, get, post
from litestar.params import FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.pages import forms
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.refusals import Refused, refused, taken
from frontend_proxy.pages.site import Site, redirect, require_status

HERE = "/account/email"
FIELDS = ("email", "current_password")


class AccountEmail(Controller):
    """Changes the caller's e-mail address."""

    path = HERE

    @get("/")
    async def show(
        self, site: InjectedSite, member: InjectedPageContext, done: FromQuery[str] = ""
    ) -> ASGIResponse:
        return await _page(site, member, done=done)

    @post("/")
    async def ask(
        self, request: PageRequest, site: InjectedSite, member: InjectedPageContext
    ) -> ASGIResponse:
        form = await forms.read(request)
        body = {"email": form.text("email"), "current_password": form.secret("current_password")}
        answer = await site.backend.call(
            member, "POST", "/api/auth/email", body, headers={"Idempotency-Key": form.key}
        )
        if answer.status == 202:
            return redirect(f"{HERE}?done=asked")
        said = refused(site.views.translator(member), answer, FIELDS, taken(answer))
        return await _page(site, member, status=answer.status, typed=body["email"], said=said)

    @post("/withdraw")
    async def withdraw(
        self, request: PageRequest, site: InjectedSite, member: InjectedPageContext
    ) -> ASGIResponse:
        form = await forms.read(request)
        answer = await site.backend.call(
            member, "DELETE", "/api/auth/email", headers={"Idempotency-Key": form.key}
        )
        require_status(answer, 204)
        return redirect(f"{HERE}?done=withdrawn")

    @get("/withdraw")
    async def back(self) -> ASGIResponse:
        return redirect(HERE)


async def _page(
    site: Site,
    member: PageContext,
    *,
    status: int = 200,
    typed: str | None = None,
    said: Refused | None = None,
    done: str = "",
) -> ASGIResponse:
    own = require_status(await site.backend.call(member, "GET", "/api/auth/me"), 200).document()
    pending = own.get("pending_email")
    return site.views.page(
        member,
        "account/email.html",
        status=status,
        email=own["email"],
        pending=pending,
        typed=(pending or "") if typed is None else typed,
        fault=said.fault if said else None,
        errors=said.errors if said else {},
        done=done,
    )
