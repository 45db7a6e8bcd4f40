"""/account: one's own profile."""

from litestar import Controller, get, post
from litestar.params import FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.pages import forms, profiles
from frontend_proxy.pages.editing import save_profile
from frontend_proxy.pages.given import TheSite, TheVisitor
from frontend_proxy.pages.profiles import Edit
from frontend_proxy.pages.site import ensure, go
from frontend_proxy.pages.visitor import Asked


class AccountProfile(Controller):
    """Shows and saves the caller's profile."""

    path = "/account"

    @get("/")
    async def show(self, site: TheSite, member: TheVisitor, done: FromQuery[str] = "") -> ASGIResponse:
        answer = ensure(await site.backend.call(member, "GET", "/api/members/me"), 200)
        own = answer.document()
        edit = Edit(profiles.stored(own), int(own["version"]), {}, {})
        return site.views.page(member, "account/profile.html", edit=edit, own=own, done=done)

    @post("/")
    async def save(self, request: Asked, site: TheSite, member: TheVisitor) -> ASGIResponse:
        form = await forms.read(request)
        own = ensure(await site.backend.call(member, "GET", "/api/members/me"), 200).document()
        edit, status = await save_profile(site, member, f"/api/members/{own['id']}", form, with_grade=False)
        if edit is None:
            return go("/account?done=saved")
        return site.views.page(member, "account/profile.html", status=status, edit=edit, own=own, done="")
