"""/account: one's own profile."""

from litestar import Controller, get, post
from litestar.params import FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.pages import forms, profiles
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.editing import save_profile
from frontend_proxy.pages.page_context import PageRequest
from frontend_proxy.pages.profiles import Edit
from frontend_proxy.pages.site import redirect, require_status


class AccountProfile(Controller):
    """Shows and saves the caller's profile."""

    path = "/account"

    @get("/")
    async def show(
        self, site: InjectedSite, member: InjectedPageContext, done: FromQuery[str] = ""
    ) -> ASGIResponse:
        answer = require_status(await site.backend.call(member, "GET", "/api/members/me"), 200)
        own = answer.document()
        edit = Edit(profiles.stored(own), int(own["version"]), {}, {})
        return site.views.page(member, "account/profile.html", edit=edit, own=own, done=done)

    @post("/")
    async def save(
        self, request: PageRequest, site: InjectedSite, member: InjectedPageContext
    ) -> ASGIResponse:
        form = await forms.read(request)
        own = require_status(await site.backend.call(member, "GET", "/api/members/me"), 200).document()
        edit, status = await save_profile(
            site, member, f"/api/members/{own['id']}", form, with_grade=False, with_email=False
        )
        if edit is None:
            return redirect("/account?done=saved")
        return site.views.page(member, "account/profile.html", status=status, edit=edit, own=own, done="")
