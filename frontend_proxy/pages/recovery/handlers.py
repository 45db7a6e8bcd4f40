"""/password/forgot, /password/reset, /email/verify.

The token of a mailed link is in the page's address. Only the form's POST uses it, so that a mail scanner that opens
the link does not use it up.
"""

from litestar import Controller, get, post
from litestar.params import FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.pages import forms
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.page_context import PageRequest
from frontend_proxy.pages.refusals import refused
from frontend_proxy.pages.site import redirect, require_status


class Recovery(Controller):
    """The pages of mailed links."""

    @get("/password/forgot")
    async def ask_for_a_link(self, site: InjectedSite, guest: InjectedPageContext) -> ASGIResponse:
        return site.views.page(guest, "recovery/forgot.html", sent=False, email="", fault=None, errors={})

    @post("/password/forgot")
    async def send_a_link(
        self, request: PageRequest, site: InjectedSite, guest: InjectedPageContext
    ) -> ASGIResponse:
        """Says the same for every address, so that nobody learns who has an account."""
        form = await forms.read(request)
        answer = await site.backend.call(
            guest, "POST", "/api/auth/password/forgot", {"email": form.text("email")}
        )
        fault, errors = refused(site.views.translator(guest), answer, {"email"})
        if errors:
            return site.views.page(
                guest,
                "recovery/forgot.html",
                status=answer.status,
                sent=False,
                email=form.text("email"),
                fault=fault,
                errors=errors,
            )
        require_status(answer, 202)
        return site.views.page(guest, "recovery/forgot.html", sent=True)

    @get("/password/reset")
    async def ask_for_a_password(
        self, site: InjectedSite, guest: InjectedPageContext, token: FromQuery[str] = ""
    ) -> ASGIResponse:
        return site.views.page(guest, "recovery/reset.html", token=token, fault=None, errors={})

    @post("/password/reset")
    async def reset(
        self, request: PageRequest, site: InjectedSite, guest: InjectedPageContext
    ) -> ASGIResponse:
        form = await forms.read(request)
        token = form.text("token")
        body = {"token": token, "new_password": form.secret("new_password")}
        answer = await site.backend.call(
            guest, "POST", "/api/auth/password/reset", body, headers={"Idempotency-Key": form.key}
        )
        if answer.status == 204:
            return redirect("/sign-in?done=reset", site.session_cookies.end())
        translator = site.views.translator(guest)
        fault, errors = refused(translator, answer, {"new_password"})
        if not errors and answer.status in {400, 422}:
            fault = translator.problem("link-used", answer.status)
        return site.views.page(
            guest,
            "recovery/reset.html",
            status=answer.status,
            token=token,
            fault=fault,
            errors=errors,
        )

    @get("/email/verify")
    async def ask_to_verify(
        self, site: InjectedSite, guest: InjectedPageContext, token: FromQuery[str] = ""
    ) -> ASGIResponse:
        return site.views.page(guest, "recovery/verify.html", token=token, fault=None, done=False)

    @post("/email/verify")
    async def verify(
        self, request: PageRequest, site: InjectedSite, guest: InjectedPageContext
    ) -> ASGIResponse:
        form = await forms.read(request)
        answer = await site.backend.call(
            guest, "POST", "/api/auth/email/verify", {"token": form.text("token")}
        )
        if answer.status == 204:
            return site.views.page(guest, "recovery/verify.html", token="", fault=None, done=True)
        said = {400: "link-used", 422: "link-used", 409: "email-moved-meanwhile"}.get(answer.status, "")
        fault = site.views.translator(guest).problem(said, answer.status)
        return site.views.page(
            guest, "recovery/verify.html", status=answer.status, token="", fault=fault, done=False
        )
