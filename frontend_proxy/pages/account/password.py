"""/account/password: a new password, which signs out every other device."""

from litestar import Controller, get, post
from litestar.params import FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.pages import forms
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.page_context import PageRequest
from frontend_proxy.pages.refusals import refused
from frontend_proxy.pages.site import redirect


class AccountPassword(Controller):
    """Changes the caller's password."""

    path = "/account/password"

    @get("/")
    async def show(
        self, site: InjectedSite, member: InjectedPageContext, done: FromQuery[str] = ""
    ) -> ASGIResponse:
        await site.backend.confirm(member)
        return site.views.page(member, "account/password.html", fault=None, errors={}, done=done)

    @post("/")
    async def change(
        self, request: PageRequest, site: InjectedSite, member: InjectedPageContext
    ) -> ASGIResponse:
        form = await forms.read(request)
        passwords = {name: form.secret(name) for name in ("current_password", "new_password")}
        answer = await site.backend.call(
            member, "POST", "/api/auth/password/change", passwords, headers={"Idempotency-Key": form.key}
        )
        if answer.status in {200, 204}:
            cookies = site.session_cookies.start(answer.tokens) if answer.tokens else ()
            return redirect("/account/password?done=changed", cookies)
        fault, errors = refused(site.views.translator(member), answer, passwords)
        return site.views.page(
            member,
            "account/password.html",
            status=answer.status,
            fault=fault,
            errors=errors,
            done="",
        )
