"""/account/sessions: where one is signed in, and signing out from afar."""

import re

from litestar import Controller, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.pages import forms
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.page_context import PageRequest
from frontend_proxy.pages.site import redirect, require_status

HERE = "/account/sessions"

_SESSION_ID = re.compile(r"[0-9a-fA-F-]{36}")


class AccountDevices(Controller):
    """The caller's sessions."""

    path = HERE

    @get("/")
    async def show(
        self, site: InjectedSite, member: InjectedPageContext, done: FromQuery[str] = ""
    ) -> ASGIResponse:
        answer = require_status(await site.backend.call(member, "GET", "/api/auth/sessions"), 200)
        return site.views.page(member, "account/devices.html", sessions=answer.document()["items"], done=done)

    @post("/end")
    async def end(
        self, request: PageRequest, site: InjectedSite, member: InjectedPageContext
    ) -> ASGIResponse:
        """One session; 404 from auth means that it has ended already, which is what was wanted."""
        form = await forms.read(request)
        session = form.text("session")
        if not _SESSION_ID.fullmatch(session):
            raise NotFoundException
        answer = await site.backend.call(
            member, "DELETE", f"/api/auth/sessions/{session}", headers={"Idempotency-Key": form.key}
        )
        require_status(answer, 204, 404)
        return redirect(f"{HERE}?done=ended")

    @post("/end-others")
    async def end_others(
        self, request: PageRequest, site: InjectedSite, member: InjectedPageContext
    ) -> ASGIResponse:
        form = await forms.read(request)
        answer = await site.backend.call(
            member, "DELETE", "/api/auth/sessions", headers={"Idempotency-Key": form.key}
        )
        require_status(answer, 204)
        return redirect(f"{HERE}?done=ended-others")

    @get(["/end", "/end-others"])
    async def back(self) -> ASGIResponse:
        return redirect(HERE)
